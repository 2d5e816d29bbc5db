"""The floor: the calls that a capability makes and the check of its token, made by boto3 and PyJWT and nothing else."""

import base64
import os
from typing import Any

import boto3
import jwt

from benchmarks.subject import own_work, quiet, repeat


def octets(value: Any) -> Any:
    """Return a request as boto3 wants it: what is Base64 on the wire is bytes."""
    match value:
        case {"B": str(encoded)}:
            return {"B": base64.b64decode(encoded)}
        case dict():
            return {key: octets(member) for key, member in value.items()}
        case list():
            return [octets(member) for member in value]
        case _:
            return value


def main() -> None:
    """Repeat the bare calls."""
    work = own_work()
    client: Any = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"])
    calls = [(getattr(client, method), octets(request)) for method, request in work["bare_calls"]]
    token, key = work["token"], jwt.PyJWK(work["jwk"])

    def bare() -> bool:
        if token:
            jwt.decode(token, key, algorithms=["ES256"], audience=work["audience"], issuer=work["issuer"])
        for method, request in calls:
            method(**request)
        return True

    repeat(bare, quiet())


if __name__ == "__main__":
    main()
