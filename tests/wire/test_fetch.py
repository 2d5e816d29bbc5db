"""A small document is fetched from where its URL says, whole, or not at all."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from threading import Thread
from typing import Any

import pytest

from apikeys import fetch as fetching
from apikeys.fetch import fetch

BODY = b"x" * 100
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + BODY


class Server:
    """Answers one request.

    Attributes:
        url: of it.
        asked: the request's lines.
    """

    def __init__(self, listener: socket.socket) -> None:
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.asked: list[str] = []


@contextmanager
def server_that_says(answer: bytes) -> Iterator[Server]:
    """Serve these bytes once, and hang up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                server.asked = connection.recv(4096).decode().split("\r\n")
                connection.sendall(answer)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield server
        thread.join(10)


def fetched(url: str, at_most: int = len(BODY)) -> bytes:
    return fetch(url, until=time.monotonic() + 5, at_most=at_most)


@pytest.mark.parametrize(
    ("path", "asked"),
    [("", "/"), ("/", "/"), ("/keys", "/keys"), ("?p=1", "/?p=1"), ("/keys?p=1&q=%20", "/keys?p=1&q=%20")],
)
def test_what_is_asked_for_is_the_path_of_the_url_with_its_query(path: str, asked: str) -> None:
    with server_that_says(OK) as server:
        assert fetched(server.url + path) == BODY
    line, *headers = server.asked
    assert line == f"GET {asked} HTTP/1.1"
    assert f"Host: {server.url.removeprefix('http://')}" in headers
    assert {"accept: application/json", "connection: close", "user-agent: api-keys"} <= set(headers)


def test_a_document_up_to_the_greatest_length_is_taken_and_no_longer_one() -> None:
    for at_most in (len(BODY), len(BODY) + 1, 100_000):
        with server_that_says(OK) as server:
            assert fetched(server.url, at_most=at_most) == BODY
    with server_that_says(OK) as server, pytest.raises(ValueError, match="too long"):
        fetched(server.url, at_most=len(BODY) - 1)
    with (
        server_that_says(b"HTTP/1.0 200 OK\r\n\r\n" + BODY + b"x") as server,
        pytest.raises(ValueError, match="too long"),
    ):
        fetched(server.url)


@pytest.mark.parametrize("status", [199, 201, 204, 206, 301, 304, 404, 500])
def test_only_a_200_is_a_document(status: int) -> None:
    with (
        server_that_says(OK.replace(b"200", b"%d" % status)) as server,
        pytest.raises(ValueError, match=str(status)),
    ):
        fetched(server.url)


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"SSH-2.0\r\n\r\n", OK[: -len(BODY)], OK[:-1]),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\n" + BODY[:-1],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\n" + BODY + b"\r\n",
    ],
)
def test_half_a_document_is_none(answer: bytes) -> None:
    """Guarantee: of an issuer's keys, all are known or none. Seen to fail where nobody asks for the rest."""
    with server_that_says(answer) as server, pytest.raises((ValueError, OSError, HTTPException)):
        fetched(server.url)


@pytest.mark.parametrize(
    ("url", "to"),
    [
        ("https://issuer.example.com/keys", ("issuer.example.com", 443, True)),
        ("https://issuer.example.com:8443/keys", ("issuer.example.com", 8443, True)),
        ("http://127.0.0.1/keys", ("127.0.0.1", 80, False)),
        ("http://127.0.0.1:3001/keys", ("127.0.0.1", 3001, False)),
    ],
)
def test_it_is_asked_where_the_url_says(
    monkeypatch: pytest.MonkeyPatch, url: str, to: tuple[str, int, bool]
) -> None:
    """Guarantee: over TLS where the URL is https."""
    connected = []

    def connect(host: str, port: int, *, is_secure: bool, until: float) -> Any:
        connected.append((host, port, is_secure))
        assert until == 7
        raise OSError

    monkeypatch.setattr(fetching, "connect", connect)
    with pytest.raises(OSError):  # noqa: PT011 -- the one above
        fetch(url, until=7, at_most=1)
    assert connected == [to]
