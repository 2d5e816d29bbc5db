"""An answer that is no JSON of ours: a file, compressed beforehand."""

import base64
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apikeys.request import Request

GZIP = 16 + zlib.MAX_WBITS
REFUSED = re.compile(r"q=0(\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file to send.

    Args:
        gzipped: its content; text in UTF-8.
        content_type: of the content.
        headers: to send besides.
    """

    gzipped: bytes
    content_type: str
    headers: Mapping[str, str]

    def response(self, request: Request) -> dict[str, Any]:
        """Return it compressed if the client takes that, else as it was; to HEAD without its content.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
        """
        headers = {"content-type": self.content_type} | dict(self.headers)
        compressed = _takes_gzip(request.header("accept-encoding") or "")
        if compressed:
            headers["content-encoding"] = "gzip"
        if request.method == "HEAD":
            return {"statusCode": 200, "headers": headers, "body": ""}
        if compressed:
            body = base64.b64encode(self.gzipped).decode()
            return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}
        return {"statusCode": 200, "headers": headers, "body": zlib.decompress(self.gzipped, GZIP).decode()}


def _takes_gzip(accepted: str) -> bool:
    """Tell whether `Accept-Encoding` names gzip, with a weight above nought (RFC 9110, sections 12.4.2 and 12.5.3)."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in ("gzip", "x-gzip"):
            return not REFUSED.fullmatch(weight.strip())
    return False
