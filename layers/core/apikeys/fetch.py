"""Fetch a small document within a time, whatever its server does, and leave nothing behind."""

from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

from apikeys.wire import Incoming, connect

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
        ValueError: if the answer is not a 200, or too long, or cut short.
    """
    parts = urlsplit(url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    with connect(host, port, is_secure=is_secure, until=until) as connection:
        request = HTTPConnection(host, port)
        request.sock = connection
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request.request("GET", path, headers=HEADERS)
        response = HTTPResponse(Incoming(connection, until))  # type: ignore[arg-type] # all that it uses of a socket
        with response:
            response.begin()
            if response.status != 200:  # noqa: PLR2004 -- OK
                raise ValueError(f"the answer is a {response.status}")
            document = response.read(at_most + 1)
            if len(document) > at_most:
                raise ValueError("the answer is too long")
            if response.length:  # which is how much of it is missing
                raise ValueError("the answer is cut short")
    return document
