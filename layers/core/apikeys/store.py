"""The only module that talks to DynamoDB; every expression is here."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import boto3
from botocore import exceptions
from botocore.config import Config

from apikeys.errors import Forbidden, NotFound, ServiceUnavailable
from apikeys.settings import required

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from apikeys.caller import Caller

# Seconds. Two attempts (1 + 2 each), their back-off (1 at most) and the fetch of the issuer's keys (2) take 9
# at the most, so an answer gets out before the function's own 10 are over.
CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 2},
    tcp_keepalive=True,
)
# DynamoDB's errors that pass: the request may be repeated as it is.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
PASSING = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
    }
)


class Store:
    """The keys table.

    Args:
        client: a DynamoDB client, made once in the init phase.
        api_keys_table: name of the table of keys.
    """

    def __init__(self, client: "DynamoDBClient", *, api_keys_table: str) -> None:
        self._client = client
        self._api_keys_table = api_keys_table

    @classmethod
    def connect(cls) -> "Store":
        """Make the store of this deployment.

        Raises:
            SettingsError: if API_KEYS_TABLE is not set.
        """
        return cls(boto3.client("dynamodb", config=CONFIG), api_keys_table=required("API_KEYS_TABLE"))

    def revoke(self, key_id: str, *, application_id: str, caller: "Caller") -> None:
        """Revoke a key in one conditional call; a key that is revoked already stays as it is.

        Args:
            key_id: canonical lower-case UUID of the key.
            application_id: canonical lower-case UUID of the application the key must belong to.
            caller: on whose behalf; becomes `revokedBy`.

        Raises:
            NotFound: if there is no such key in this application.
            Forbidden: if the application's key belongs to another owner.
            ServiceUnavailable: if DynamoDB does not answer in time.
        """
        condition = "applicationId = :application AND attribute_not_exists(revokedAt)"
        values = {
            ":application": {"S": application_id},
            ":now": {"S": _now()},
            ":subject": {"S": caller.subject},
        }
        if not caller.is_admin:
            condition += " AND ownerId = :owner"
            values[":owner"] = {"S": caller.owner}
        try:
            with _passing_failures_as_503():
                self._client.update_item(
                    TableName=self._api_keys_table,
                    Key={"keyId": {"S": key_id}},
                    UpdateExpression="SET revokedAt = :now, revokedBy = :subject",
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except self._client.exceptions.ConditionalCheckFailedException as failure:
            stored = cast("dict[str, dict[str, str]] | None", failure.response.get("Item"))
            if stored is None or stored["applicationId"]["S"] != application_id:
                raise NotFound("no such key in this application") from None
            if not caller.may_act_for(stored["ownerId"]["S"]):
                raise Forbidden("key of another owner") from None
            if "revokedAt" not in stored:
                raise RuntimeError("the condition failed on an active key of this caller") from failure


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def _passing_failures_as_503() -> Iterator[None]:
    try:
        yield
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as failure:
        raise ServiceUnavailable("DynamoDB does not answer") from failure
    except exceptions.ClientError as failure:
        if failure.response["Error"]["Code"] in PASSING:
            raise ServiceUnavailable("DynamoDB is busy") from failure
        raise
