"""Two parsers of answers under the same client: `http.client`, which it has, and `httptools`, which it has not.

Run as `parsers WORK http.client|httptools`, in the environment of those that we compare with.
"""

import sys
from unittest.mock import patch

import httptools

from apikeys.connection import Answer, Connection, NoAnswer
from apikeys.dynamodb import DynamoDb
from apikeys.wire import left_until
from benchmarks.subject import own_work, quiet, repeat


class Headers(dict[str, list[str]]):
    """As much of an HTTPMessage as is asked of an answer's headers."""

    def get_all(self, name: str, otherwise: list[str]) -> list[str]:
        """Return all values of a header."""
        return self.get(name, otherwise)


class LlhttpConnection(Connection):
    """A connection that reads with llhttp what the other reads with the standard library, as strictly."""

    def exchange(self, request: bytes, *, until: float) -> Answer:
        """Send a request and return its answer."""
        self._headers, self._body, self._is_over, self._keeps = Headers(), b"", False, False
        self._parser = parser = httptools.HttpResponseParser(self)
        try:
            self._socket.settimeout(left_until(until))
            self._socket.sendall(request)
            while not self._is_over:
                self._socket.settimeout(left_until(until))
                received = self._socket.recv(65536)
                if not received:
                    raise NoAnswer("half an answer")
                parser.feed_data(received)
        except (OSError, httptools.HttpParserError) as failure:
            self.close()
            raise NoAnswer(type(failure).__name__) from failure
        lengths = self._headers.get_all("content-length", [])
        if len(lengths) != 1 or "transfer-encoding" in self._headers or "content-encoding" in self._headers:
            self.close()
            raise NoAnswer("odd headers")
        if not self._keeps:
            self.close()
        return Answer(parser.get_status_code(), self._headers, self._body)  # type: ignore[arg-type] # see Headers

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers.setdefault(name.decode("ascii").lower(), []).append(value.decode("latin-1"))

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Take note that nothing is missing; a second answer is none."""
        if self._is_over:
            raise NoAnswer("more than one answer")
        self._is_over, self._keeps = True, self._parser.should_keep_alive()


def main() -> None:
    """Repeat one call."""
    work = own_work()
    [(operation, request)] = work["calls"]
    connections = {"http.client": Connection, "httptools": LlhttpConnection}[sys.argv[2]]
    with patch("apikeys.dynamodb.Connection", connections):
        database = DynamoDb.connect()
        repeat(lambda: "Item" in database.call(operation, request), quiet())


if __name__ == "__main__":
    main()
