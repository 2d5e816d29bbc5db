"""A socket on which nothing takes longer than until one moment, whatever the other side does."""

import io
import socket
import time
from typing import Any

from apikeys import tls


def connect(host: str, port: int, *, is_secure: bool, until: float) -> socket.socket:
    """Connect to the first of the host's addresses that answers; they share the time.

    `socket.create_connection` would give all of it to each.

    Args:
        host: name or address.
        port: on it.
        is_secure: whether to speak TLS.
        until: when to give up, by `time.monotonic()`; looking up the name alone is left to the system.

    Raises:
        OSError: if it cannot be done in time, or the host is another than it should be.
    """
    failure = OSError("no address")
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(left_until(until) / (len(addresses) - tried))
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(left_until(until))
            # That time-out is for the handshake as a whole; where it fails, the socket is closed.
            return tls.context().wrap_socket(connection, server_hostname=host) if is_secure else connection
        except OSError as error:
            connection.close()
            failure = error
    raise failure


class Incoming(io.RawIOBase):
    """What a socket receives until a moment, however slowly: all that HTTPResponse needs of a socket.

    Args:
        source: where it comes from.
        until: when to give up, by `time.monotonic()`.
    """

    def __init__(self, source: socket.socket, until: float) -> None:
        self._source = source
        self._until = until
        self.is_over = False

    def makefile(self, _: str) -> io.BufferedReader:
        """Return what HTTPResponse reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for some more; once it is over there is none."""
        if self.is_over:
            return 0
        self._source.settimeout(left_until(self._until))
        return self._source.recv_into(buffer)


def left_until(until: float) -> float:
    """Return the seconds that are left until a moment by `time.monotonic()`.

    Raises:
        TimeoutError: if none are.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
