"""The only module that speaks DynamoDB's protocol: one kind of request, one kind of failure a kind of cause.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
"""

import base64
import re
from typing import Any, Self

import boto3
from botocore import exceptions
from botocore.config import Config

from apikeys import deadline
from apikeys.errors import ServiceUnavailable
from apikeys.records import Item

type JSON = dict[str, Any]

# Errors that pass: the request may be repeated as it is.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
PASSING = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class DynamoDbError(Exception):
    """Raised if DynamoDB refuses a request for good: a mistake in the code or the deployment.

    Args:
        code: DynamoDB's name for it.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ConditionFailed(DynamoDbError):
    """Raised if a write's condition does not hold.

    Args:
        item: as it is stored, where `ReturnValuesOnConditionCheckFailure` asked for it and there is one.
    """

    def __init__(self, item: Item | None) -> None:
        super().__init__("ConditionalCheckFailedException")
        self.item = item


class DynamoDb:
    """DynamoDB in one Region.

    Args:
        endpoint: its URL; None for the one the environment names, or else AWS's own.
    """

    def __init__(self, endpoint: str | None = None) -> None:
        config = Config(
            connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2}
        )
        self._client = boto3.client("dynamodb", endpoint_url=endpoint, config=config)

    @classmethod
    def connect(cls) -> Self:
        """Return the DynamoDB of this deployment."""
        return cls()

    def call(self, operation: str, request: JSON) -> JSON:
        """Make one call within the request's deadline; passing failures are repeated.

        Args:
            operation: such as `UpdateItem`.
            request: its JSON, as on the wire: binary values are Base64.

        Raises:
            ConditionFailed: if the write's condition does not hold; then nothing was changed.
            ServiceUnavailable: if DynamoDB is busy or does not answer in time. A write may have been applied.
            DynamoDbError: if it refuses the request for good.
        """
        if not deadline.left():
            raise ServiceUnavailable("no time is left to ask DynamoDB")
        method = getattr(self._client, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())
        try:
            answer: JSON = _text(method(**_octets(request)))
        except self._client.exceptions.ConditionalCheckFailedException as failure:
            raise ConditionFailed(_text(failure.response.get("Item"))) from None
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as failure:
            raise ServiceUnavailable("DynamoDB does not answer") from failure
        except exceptions.ClientError as failure:
            code = failure.response["Error"]["Code"]
            if code in PASSING:
                raise ServiceUnavailable("DynamoDB is busy") from failure
            raise DynamoDbError(code) from failure
        return answer


def _octets(value: Any) -> Any:
    match value:
        case {"B": str(text)}:
            return {"B": base64.b64decode(text)}
        case dict():
            return {key: _octets(member) for key, member in value.items()}
        case list():
            return [_octets(member) for member in value]
        case _:
            return value


def _text(value: Any) -> Any:
    match value:
        case {"B": bytes(octets)}:
            return {"B": base64.b64encode(octets).decode()}
        case dict():
            return {key: _text(member) for key, member in value.items()}
        case list():
            return [_text(member) for member in value]
        case _:
            return value
