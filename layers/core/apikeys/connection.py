"""One kept HTTP/1.1 connection: a request out, its answer in. Anything odd is no answer, and ends it."""

import re
import select
import socket
import weakref
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import NamedTuple, Self

from apikeys.wire import Incoming, connect, left_until

LENGTH = re.compile(r"[0-9]{1,8}", re.ASCII)
MAX_BYTES = 32 * 1024 * 1024  # of an answer: a batch read returns up to 16 MB of items, in more bytes of JSON


class NoAnswer(Exception):
    """Raised if there is no answer in time, or none to be trusted; the request may have been carried out.

    Its text tells why in a few words, and quotes nothing that was received.
    """


class Hangup(NoAnswer):
    """Raised if the other side ended the connection instead of answering."""


class Answer(NamedTuple):
    """An answer, whole.

    Args:
        status: of HTTP.
        headers: by name, in any case.
        body: as it was sent.
    """

    status: int
    headers: HTTPMessage
    body: bytes


class Connection:
    """A connection for one request at a time.

    Args:
        ready: to send and receive on.
    """

    def __init__(self, ready: socket.socket) -> None:
        self._socket = ready
        self._poll = select.poll()
        self._poll.register(ready, select.POLLIN)
        # Once, and at the latest with whoever kept it.
        self._close = weakref.finalize(self, ready.close)

    @property
    def is_open(self) -> bool:
        """Whether it may be used."""
        return self._close.alive

    @classmethod
    def open(cls, host: str, port: int, *, is_secure: bool, until: float) -> Self:
        """Connect.

        Args:
            host: name or address.
            port: on it.
            is_secure: whether to speak TLS.
            until: when to give up, by `time.monotonic()`.

        Raises:
            NoAnswer: if it cannot be done in time, or the host is another than it should be.
        """
        try:
            return cls(connect(host, port, is_secure=is_secure, until=until))
        except OSError as failure:
            raise NoAnswer(f"no connection: {type(failure).__name__}") from failure

    def close(self) -> None:
        """Close it; a second time does nothing."""
        self._close()

    def is_quiet(self) -> bool:
        """Tell whether there is nothing to read. If there is, before a request: it was closed, or is out of step."""
        decrypted = getattr(self._socket, "pending", int)()  # TLS has it already; poll() cannot know
        return not decrypted and not self._poll.poll(0)

    def exchange(self, request: bytes, *, until: float) -> Answer:
        """Send a request and return its answer.

        Args:
            request: from its first line to the end of its body.
            until: when to give up, by `time.monotonic()`.

        Raises:
            NoAnswer: if there is none in time, or an odd one.
            Hangup: if the other side ends the connection instead.
        """
        keep = False
        try:
            self._socket.settimeout(left_until(until))
            self._socket.sendall(request)
            incoming = Incoming(self._socket, until)
            response = HTTPResponse(incoming)  # type: ignore[arg-type] # as much of a socket as it uses
            with response:
                response.begin()
                answer = _whole(response, incoming)
            keep = not response.will_close and not response.chunked
        except ConnectionError as failure:
            raise Hangup(type(failure).__name__) from failure
        except (OSError, HTTPException) as failure:
            raise NoAnswer(type(failure).__name__) from failure
        finally:
            if not keep:
                self.close()
        return answer


def _whole(response: HTTPResponse, incoming: Incoming) -> Answer:
    """Read the body, by its one plain length; nothing may come behind it."""
    headers = response.headers
    if headers.defects or "content-encoding" in headers:
        raise NoAnswer("odd headers")
    lengths = headers.get_all("content-length", [])
    if "transfer-encoding" in headers:
        return _from_chunks(response, lengths)
    if len(lengths) != 1 or not LENGTH.fullmatch(lengths[0]):
        raise NoAnswer("not one content-length")
    length = int(lengths[0])
    if length > MAX_BYTES:
        raise NoAnswer("too long an answer")
    body = response.fp.read(length)
    if len(body) < length:
        raise NoAnswer("half an answer")
    incoming.is_over = True
    if response.fp.peek():
        raise NoAnswer("more than one answer")
    return Answer(response.status, headers, body)


def _from_chunks(response: HTTPResponse, lengths: list[str]) -> Answer:
    """Read a body that comes in chunks, as DynamoDB Local sends the long ones; its checksum must be there to tell."""
    headers = response.headers
    if lengths or headers.get_all("transfer-encoding") != ["chunked"] or "x-amz-crc32" not in headers:
        raise NoAnswer("odd headers")
    try:
        body = response.read(MAX_BYTES + 1)
    except ValueError:
        raise NoAnswer("a chunk of no size") from None
    if len(body) > MAX_BYTES:
        raise NoAnswer("too long an answer")
    return Answer(response.status, headers, body)
