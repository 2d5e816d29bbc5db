"""What would be sent to DynamoDB."""

from http.client import HTTPMessage, parse_headers
from io import BytesIO
from typing import Any

from apikeys.connection import Answer


class Recorder:
    """Stands where a connection is; remembers what would be sent, and where to."""

    def __init__(self) -> None:
        self.sent = b""
        self.to: dict[str, Any] = {}

    def open(self, host: str, port: int, *, is_secure: bool, until: float) -> "Recorder":
        self.to = {"host": host, "port": port, "is_secure": is_secure}
        return self

    is_open = False

    def exchange(self, request: bytes, *, until: float) -> Answer:
        self.sent = request
        return Answer(200, HTTPMessage(), b"{}")


def parts_of(request: bytes) -> tuple[str, dict[str, str], bytes]:
    """Return request line, headers by lower-case name, and body."""
    incoming = BytesIO(request)
    line = incoming.readline().decode().rstrip("\r\n")
    headers = parse_headers(incoming)
    named = {name.lower(): value for name, value in headers.items()}
    assert len(named) == len(headers)
    return line, named, incoming.read()
