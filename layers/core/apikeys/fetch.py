"""Fetch a small document within a time, whatever its server does, and leave nothing behind."""

import io
import socket
import time
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from apikeys import tls

HEADERS = {"accept": "application/json", "connection": "close", "user-agent": "api-keys"}


def fetch(url: str, *, until: float, at_most: int) -> bytes:
    """Return what is at a URL. Redirects are not followed: the URL that is trusted is the one that is asked.

    Args:
        url: http or https.
        until: when to give up, by `time.monotonic()`: connecting, waiting and reading together.
        at_most: bytes; a longer answer is a failure.

    Raises:
        OSError: if the server does not answer in time, or is not who it should be.
        http.client.HTTPException: if it does not speak HTTP.
        ValueError: if the answer is not a 200, or too long.
    """
    parts = urlsplit(url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    with _connected(host, port, until) as plain:
        # The handshake as a whole takes the socket's time-out.
        connection = tls.context().wrap_socket(plain, server_hostname=host) if is_secure else plain
        with connection:
            request = HTTPConnection(host, port)
            request.sock = connection
            request.request(
                "GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), headers=HEADERS
            )
            response = HTTPResponse(_Incoming(connection, until))  # type: ignore[arg-type] # all that it uses of a socket
            response.begin()
            if response.status != 200:  # noqa: PLR2004 -- OK
                raise ValueError(f"the answer is a {response.status}")
            document = response.read(at_most + 1)
    if len(document) > at_most:
        raise ValueError("the answer is too long")
    return document


def _connected(host: str, port: int, until: float) -> socket.socket:
    """Connect to the first of the host's addresses that answers; `socket.create_connection` has a time-out for each."""
    failure = OSError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(until))
            connection.connect(address)
            connection.settimeout(_left(until))
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


class _Incoming(io.RawIOBase):
    """What a socket receives until a moment: a byte at a time does not prolong it."""

    def __init__(self, source: socket.socket, until: float) -> None:
        self._source = source
        self._until = until

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._source.settimeout(_left(self._until))
        return self._source.recv_into(buffer)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
