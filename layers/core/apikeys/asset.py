"""An answer that is no JSON of ours: a file, compressed beforehand."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apikeys.request import Request

GZIP = 16 + zlib.MAX_WBITS


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
        """Return it compressed if the client takes that (RFC 9110, section 12.5.3), else as it was.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
        """
        headers = {"content-type": self.content_type} | dict(self.headers)
        if "gzip" in (request.header("accept-encoding") or ""):
            body = base64.b64encode(self.gzipped).decode()
            headers["content-encoding"] = "gzip"
            return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}
        return {"statusCode": 200, "headers": headers, "body": zlib.decompress(self.gzipped, GZIP).decode()}
