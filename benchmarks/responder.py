"""Stands where DynamoDB is: answers each call as DynamoDB Local once did, with DynamoDB's own headers.

In a process of its own, so that none of its work is counted as a subject's; a port for each capability.
"""

import asyncio
import json
import ssl
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# As DynamoDB sends them. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
HEAD = (
    "HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Thu, 26 Nov 2026 12:00:00 GMT\r\n"
    "Content-Type: application/x-amz-json-1.0\r\nContent-Length: {length}\r\nConnection: keep-alive\r\n"
    "x-amzn-RequestId: VDIJ9P0SS3K8V8D1QBB5G3CAPJVV4KQNSO5AEMVJF66Q9ASUAAJG\r\nx-amz-crc32: {checksum}\r\n\r\n"
)


def asked(operation: str, request: Mapping[str, Any]) -> str:
    """Return what a call is remembered by: its operation and the tables that it concerns."""
    tables = [request["TableName"]] if "TableName" in request else sorted(request["RequestItems"])
    return " ".join([operation, *tables])


class Responses:
    """What is answered to what.

    Args:
        known: requests and answers, by what was asked.
    """

    def __init__(self, known: Mapping[str, list[tuple[Any, str]]]) -> None:
        self._known = {
            what: [(request, response(answer)) for request, answer in several]
            for what, several in known.items()
        }

    def to(self, operation: str, request: Any) -> bytes:
        """Return the answer to this request, or else to the first of its kind: times and new ids differ."""
        several = self._known[asked(operation, request)]
        return next((answer for known, answer in several if known == request), several[0][1])


def response(body: str) -> bytes:
    """Return a whole response.

    Args:
        body: its JSON.
    """
    octets = body.encode()
    return HEAD.format(length=len(octets), checksum=zlib.crc32(octets)).encode() + octets


class Conversation(asyncio.Protocol):
    """One connection.

    Args:
        responses: to send.
    """

    def __init__(self, responses: Responses) -> None:
        self._responses = responses
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer, once a request is there as a whole."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if found and len(body) == int(headers[b"content-length"]):
            target = [line for line in head.split(b"\r\n") if line.lower().startswith(b"x-amz-target")]
            operation = target[0].rsplit(b".", 1)[1].decode()
            self._received = b""
            self._transport.write(self._responses.to(operation, json.loads(body)))


async def serve(answers: Mapping[str, Mapping[str, list[tuple[Any, str]]]], certificate: str) -> None:
    """Listen, say where as JSON on standard output, and answer until standard input ends.

    Args:
        answers: requests and answers by what was asked, by capability.
        certificate: file of the certificate and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    urls: dict[str, list[str]] = {}
    for name, own in answers.items():
        responses = Responses(own)
        plain = await loop.create_server(lambda r=responses: Conversation(r), "127.0.0.1", 0)  # type: ignore[misc]
        secure = await loop.create_server(
            lambda r=responses: Conversation(r),  # type: ignore[misc]
            "127.0.0.1",
            0,
            ssl=context,
        )
        ports = [server.sockets[0].getsockname()[1] for server in (plain, secure)]
        urls[name] = [f"http://127.0.0.1:{ports[0]}", f"https://127.0.0.1:{ports[1]}"]
    print(json.dumps(urls), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2]))
