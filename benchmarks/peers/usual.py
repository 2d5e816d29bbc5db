"""The way such a Lambda is usually written: Powertools' resolver with validation, boto3's resource, read, then write.

Written by us, after the documentation of both.
https://docs.aws.amazon.com/powertools/python/latest/core/event_handler/api_gateway/#data-validation
"""

import hashlib
import hmac
import json
import os
import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from pydantic import BaseModel

from benchmarks.subject import Invocation, Key, main, own_work

TABLE = "UsualKeys"
own = own_work()
logger = Logger(service="usual")
app = APIGatewayHttpResolver(enable_validation=True)
table = boto3.resource("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"]).Table(TABLE)


class Presented(BaseModel):
    """Body of a check."""

    key: str


class Verdict(BaseModel):
    """Answer to a check."""

    valid: bool


@app.post("/api-keys/verify")  # type: ignore[untyped-decorator] # of another environment
def verify(presented: Presented) -> Verdict:
    """Read the key, compare its hash, look at its state."""
    key_id, _, secret = presented.key.partition(".")
    item = table.get_item(Key={"id": key_id}).get("Item")
    if not item:
        return Verdict(valid=False)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    matches = hmac.compare_digest(digest, str(item["hash"]))
    return Verdict(valid=matches and item["status"] == "active")


@app.delete("/applications/<application_id>/api-keys/<key_id>")  # type: ignore[untyped-decorator] # the same
def revoke(application_id: str, key_id: str) -> dict[str, Any]:
    """Read the key to see whose it is, then write."""
    item = table.get_item(Key={"id": key_id}).get("Item")
    if not item or item["applicationId"] != application_id:
        raise NotFoundError("no such key")
    table.update_item(
        Key={"id": key_id},
        UpdateExpression="SET #status = :revoked, revokedAt = :now",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":revoked": "revoked", ":now": datetime.now(UTC).isoformat()},
    )
    return {}


@logger.inject_lambda_context  # type: ignore[untyped-decorator] # the same
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer API Gateway."""
    answer: dict[str, Any] = app.resolve(event, context)
    return answer


def request(method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Return an event of an HTTP API."""
    event: dict[str, Any] = json.loads(json.dumps(own["event"]))
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["requestContext"]["http"]["method"] = method
    event["requestContext"]["stage"] = "$default"
    return event | {"routeKey": f"{method} {path}", "body": json.dumps(body) if body else None}


def fresh() -> Key:
    """Make a key: the one that the responder knows, or a new one in a real table."""
    key_id, application_id, secret = str(uuid.uuid4()), str(uuid.uuid4()), secrets.token_urlsafe()
    if own["usual"]:
        key_id, application_id, secret = own["usual"]
    else:
        digest = hashlib.sha256(secret.encode()).hexdigest()
        item = {"id": key_id, "applicationId": application_id, "hash": digest, "status": "active"}
        table.put_item(Item=item)
    checked = request("POST", "/api-keys/verify", {"key": f"{key_id}.{secret}"})
    revoked = request("DELETE", f"/applications/{application_id}/api-keys/{key_id}")

    def check() -> bool:
        return bool(json.loads(handler(checked, Invocation())["body"])["valid"])

    return Key(check, lambda: bool(handler(revoked, Invocation())["statusCode"] == 200))  # noqa: PLR2004 -- OK


if __name__ == "__main__":
    main(fresh)
