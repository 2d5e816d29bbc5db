"""A DynamoDB that answers as a test wants it to, byte by byte, on a port of its own."""

import json
import socket
import ssl
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any, BinaryIO

# What to send, or what to do with a connection that brought this body, until the test is over.
type Answer = bytes | Callable[[socket.socket, bytes, Event], None]

PATIENCE = 10  # seconds, after which a test hangs because of a mistake in it


def ok(body: Any = None, *, status: int = 200, **headers: str) -> bytes:
    """Return an answer as DynamoDB sends it.

    Args:
        body: bytes as they are; anything else as JSON.
        status: of HTTP.
        headers: to have instead; underscores become hyphens, an empty one is left out.
    """
    octets = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    own = {
        "server": "Server",
        "date": "Sun, 22 Nov 2026 12:00:00 GMT",
        "content-type": "application/x-amz-json-1.0",
        "content-length": str(len(octets)),
        "connection": "keep-alive",
        "x-amzn-requestid": "VDIJ9P0SS3K8V8D1QBB5G3CAPJVV4KQNSO5AEMVJF66Q9ASUAAJG",
        "x-amz-crc32": str(zlib.crc32(octets)),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in own.items() if value)
    return f"HTTP/1.1 {status} -\r\n{lines}\r\n".encode() + octets


def chunked(answer: bytes, size: bytes = b"") -> bytes:
    """Return an answer as HTTP's other way has it, its body in one chunk and an empty one."""
    head, body = answer.split(b"\r\n\r\n", 1)
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"content-length")]
    head = b"\r\n".join([*lines, b"transfer-encoding: chunked"])
    return head + b"\r\n\r\n" + (size or b"%x" % len(body)) + b"\r\n" + body + b"\r\n0\r\n\r\n"


def refused(code: str, *, status: int = 400, **members: Any) -> bytes:
    """Return an error as DynamoDB sends it."""
    return ok({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"} | members, status=status)


def close(connection: socket.socket, *_: Any) -> None:
    """Close the connection in order, without an answer."""
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection: socket.socket, *_: Any) -> None:
    """Reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError


def hang(_: socket.socket, __: bytes, over: Event) -> None:
    """Say nothing until the test is over."""
    over.wait(PATIENCE)


def dribble(connection: socket.socket, _: bytes, over: Event) -> None:
    """Send an answer that never ends, one byte after the other, each in good time."""
    connection.sendall(ok({}).split(b"\r\n", 1)[0] + b"\r\nx-slow: ")
    with suppress(OSError):
        while not over.wait(0.01):
            connection.sendall(b"a")


def then_close(answer: bytes) -> Answer:
    """Send this and close."""

    def send(connection: socket.socket, *_: Any) -> None:
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)

    return send


class Scripted:
    """The server's side of it.

    Attributes:
        url: of the endpoint.
        requests: head and body of each request, in the order in which they came.
        connections: how many were made.
    """

    def __init__(self, answers: Iterator[Answer], context: ssl.SSLContext | None) -> None:
        self._answers = answers
        self._context = context
        self._over = Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[tuple[bytes, bytes]] = []
        self.connections = 0
        self._open: list[socket.socket] = []
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        """Close everything, and wait for it."""
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                thread = Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        # A client that goes away, or does not trust us, is what some tests are about.
        with suppress(OSError):
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with connection, connection.makefile("rb") as incoming:
                while request := _read(incoming):
                    self.requests.append(request)
                    answer = next(self._answers)
                    if isinstance(answer, bytes):
                        connection.sendall(answer)
                    else:
                        answer(connection, request[1], self._over)


def _read(incoming: BinaryIO) -> tuple[bytes, bytes] | None:
    """Return head and body of a request, None if no other comes."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = incoming.readline()
        if not line:
            return None
        head += line
    [length] = [line for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    return head, incoming.read(int(length.split(b":")[1]))


@contextmanager
def dynamodb_that_says(*answers: Answer, context: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Serve these answers, one a request; the last of them for as long as it takes.

    Args:
        answers: what to send, or what to do with the connection.
        context: for TLS.
    """

    def forever() -> Iterator[Answer]:
        yield from answers
        while True:
            yield answers[-1]

    server = Scripted(forever(), context)
    try:
        yield server
    finally:
        server.stop()
