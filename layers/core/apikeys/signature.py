"""AWS Signature Version 4 of a `POST /`, the one kind of request there is.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import functools
import hashlib
import hmac
from collections.abc import Mapping

from apikeys.credentials import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"


def authorization(
    credentials: Credentials, headers: Mapping[str, str], body: bytes, *, region: str, service: str
) -> str:
    """Return the value of the Authorization header.

    Args:
        credentials: to sign with.
        headers: to sign, all of them, by lower-case name; `x-amz-date` (ISO 8601, basic format) is among them.
        body: of the request.
        region: such as `eu-central-1`.
        service: such as `dynamodb`.
    """
    names = sorted(headers)
    signed = ";".join(names)
    lines = "".join([f"{name}:{headers[name]}\n" for name in names])
    request = f"POST\n/\n\n{lines}\n{signed}\n{hashlib.sha256(body).hexdigest()}"
    moment = headers["x-amz-date"]
    day = moment[:8]
    scope = f"{day}/{region}/{service}/aws4_request"
    statement = f"{ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = signing_key(credentials.secret_key, day, region, service)
    signature = hmac.digest(key, statement.encode(), "sha256").hex()
    return (
        f"{ALGORITHM} Credential={credentials.access_key_id}/{scope}, "
        f"SignedHeaders={signed}, Signature={signature}"
    )


# One is enough for as long as neither day nor credentials change; threads may be on either side of that.
@functools.lru_cache(maxsize=2)
def signing_key(secret_key: str, day: str, region: str, service: str) -> bytes:
    """Return the key of one day, Region and service."""
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
