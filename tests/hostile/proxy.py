"""Between the functions and DynamoDB Local: a wire on which a test breaks what it wants."""

import re
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import BinaryIO
from urllib.parse import urlsplit

from tests.wire.scripted import refused, reset

PATIENCE = 10  # seconds, after which a test hangs because of a mistake in it

# What happens to a request: the answer to send, or None where the connection ends instead.
type Fault = Callable[["Exchange"], bytes | None]


class Exchange:
    """One request, on its way.

    Args:
        wire: that it is on.
        request: head and body.
        client: whose it is.
    """

    def __init__(self, wire: "Wire", request: bytes, client: socket.socket) -> None:
        self.client = client
        self._wire = wire
        self._request = request

    def carry_out(self) -> bytes:
        """Have DynamoDB carry it out, and return its answer."""
        with socket.create_connection(self._wire.upstream, PATIENCE) as server, server.makefile("rb") as said:
            server.sendall(self._request)
            answer = read_message(said)
        assert answer
        return answer

    def wait(self) -> None:
        """Return when the client has gone, or the fault is over."""
        self._wire.over.wait(PATIENCE)

    def later(self) -> None:
        """Have it carried out when the test says so: it was under way all the time."""
        self._wire.late.append(self.carry_out)


class Wire:
    """A proxy that hands everything on as it is, unless there is a fault.

    Attributes:
        url: what the functions call.
        upstream: address of DynamoDB, and `upstream_url`, its URL.
        broken: how many requests met the fault.
        late: what was under way when its caller gave up, to be carried out.

    Args:
        upstream: URL of DynamoDB.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream_url = upstream
        parts = urlsplit(upstream)
        self.upstream = (str(parts.hostname), int(parts.port or 0))
        self.over = Event()
        self.broken = 0
        self.late: list[Callable[[], bytes]] = []
        self._fault: Fault | None = None
        self._skip = self._times = 0
        self._lock = Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def fault(self, fault: Fault, *, skip: int, times: int) -> Iterator[None]:
        """Break requests in this way, until the block ends.

        Args:
            fault: what happens to them.
            skip: how many pass before.
            times: how many do not, after those.
        """
        self.over.clear()
        self.broken, self._fault, self._skip, self._times = 0, fault, skip, times
        self.late.clear()
        try:
            yield
        finally:
            self._fault = None
            self.over.set()

    def stop(self) -> None:
        """Close everything."""
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        # A client that goes away, and a connection that we reset, are what the tests are about.
        with suppress(OSError), connection, connection.makefile("rb") as incoming:
            while request := read_message(incoming):
                fault, exchange = self._next_fault(), Exchange(self, request, connection)
                answer = fault(exchange) if fault else exchange.carry_out()
                if answer is None:
                    break
                connection.sendall(answer)
        self._open.discard(connection)

    def _next_fault(self) -> Fault | None:
        with self._lock:
            if not self._fault or self.broken >= self._times:
                return None
            if self._skip:
                self._skip -= 1
                return None
            self.broken += 1
            return self._fault


def read_message(incoming: BinaryIO) -> bytes | None:
    """Return the next request or answer, head and body; None if no other comes."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = incoming.readline()
        if not line:
            return None
        head += line
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    if length:
        return head + incoming.read(int(length[1]))
    assert b"chunked" in head  # as DynamoDB Local sends its long answers
    body, size = b"", 1
    while size:
        line = incoming.readline()
        size = int(line, 16)
        body += line + incoming.read(size + 2)
    return head + body


def throttled(_: Exchange) -> bytes:
    """Refuse it: too many."""
    return refused("ProvisionedThroughputExceededException")


def failed(_: Exchange) -> bytes:
    """Answer 500 without carrying it out."""
    return refused("InternalServerError", status=500)


def failed_after(exchange: Exchange) -> bytes:
    """Carry it out, and answer 500 all the same."""
    exchange.carry_out()
    return refused("InternalServerError", status=500)


def silent(exchange: Exchange) -> None:
    """Say nothing, and do nothing."""
    exchange.wait()


def silent_after(exchange: Exchange) -> None:
    """Carry it out, and say nothing."""
    exchange.carry_out()
    exchange.wait()


def late(exchange: Exchange) -> None:
    """Say nothing; it is carried out when nobody waits for it any more."""
    exchange.later()
    exchange.wait()


def reset_before(exchange: Exchange) -> None:
    """Reset the connection."""
    reset(exchange.client)


def reset_after(exchange: Exchange) -> None:
    """Carry it out, and reset the connection."""
    exchange.carry_out()
    reset(exchange.client)


def truncated(exchange: Exchange) -> None:
    """Carry it out, and end the connection within the answer."""
    answer = exchange.carry_out()
    exchange.client.sendall(answer[: len(answer) - max(1, len(answer) // 20)])


def dribbled(exchange: Exchange) -> None:
    """Carry it out, and send its answer a byte a tenth of a second."""
    for byte in exchange.carry_out():
        exchange.client.sendall(bytes([byte]))
        if exchange._wire.over.wait(0.1):  # noqa: SLF001 -- of this module
            break


def wrong_checksum(exchange: Exchange) -> bytes:
    """Carry it out, and hand its answer on with another's checksum."""
    answer = exchange.carry_out()
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"x-amz-crc32")]
    return b"\r\n".join([*lines, b"x-amz-crc32: %d" % (zlib.crc32(body) ^ 1), b"", body])


def unknown_credentials(_: Exchange) -> bytes:
    """Refuse it: DynamoDB does not know who asks."""
    return refused(
        "UnrecognizedClientException", message="The security token included in the request is invalid."
    )


def expired_credentials(_: Exchange) -> bytes:
    """Refuse it: the credentials' time is over."""
    return refused("ExpiredTokenException", message="The security token included in the request is expired")
