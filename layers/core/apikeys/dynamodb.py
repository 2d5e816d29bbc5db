"""The only module that speaks DynamoDB's protocol: one kind of request, one kind of failure a kind of cause.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
"""

import json
import random
import time
import zlib
from typing import Any, Self

from apikeys import VERSION, deadline
from apikeys.connection import Answer, Connection, Hangup, NoAnswer
from apikeys.credentials import Credentials
from apikeys.errors import ServiceUnavailable
from apikeys.records import Item
from apikeys.region import Endpoint, current_region, dynamodb_url
from apikeys.signature import authorization

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
    }
)
ATTEMPT = 2.0  # seconds for one attempt as a whole: connecting, sending, receiving
# Seconds that an attempt waits at most after the one before: a random part of it, so that many callers do not
# come back at once. https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
WAITS = (0.0, 0.05, 0.1, 0.2)
MOST_IN_A_BATCH = 100  # items that one BatchGetItem may ask for
# Seconds that are waited at most before what a batch left out is asked for again: twice as long each time, up to these.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
FIRST_WAIT, LONGEST_WAIT = 0.05, 1.0


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


class Busy(Exception):
    """Raised if DynamoDB will not answer now. Its text is DynamoDB's name for why."""


class DynamoDb:
    """DynamoDB in one Region. Connections are kept, one for each call that is under way at the same time.

    Args:
        endpoint: its URL; None for the one the environment names, or else AWS's own.

    Raises:
        SettingsError: if the environment names no Region, or the URL is none.
    """

    def __init__(self, endpoint: str | None = None) -> None:
        self._region = current_region()
        self._endpoint = Endpoint.at(endpoint or dynamodb_url(self._region))
        self._kept: list[Connection] = []

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
        body = json.dumps(request).encode()
        failure = "no time is left to ask"
        for wait in WAITS:
            if wait:
                _pause(wait)
            left = deadline.left()
            if not left:
                break
            try:
                signed = self._signed(operation, body)
                return self._attempt(signed, request, until=time.monotonic() + min(ATTEMPT, left))
            except (NoAnswer, Busy) as error:
                failure = str(error)
        raise ServiceUnavailable(f"DynamoDB: {failure}")

    def batch_get(self, table: str, keys: list[Item]) -> list[Item]:
        """Read items strongly consistently; those that DynamoDB leaves out are asked for again, until the deadline.

        Args:
            table: name of it.
            keys: of the items, MOST_IN_A_BATCH at most; none, and nothing is asked.

        Returns:
            Those that exist, in any order.

        Raises:
            ServiceUnavailable: if DynamoDB has not read all of them in time.
            DynamoDbError: if it refuses the request for good.
        """
        found: list[Item] = []
        wanted: JSON = {table: {"Keys": keys, "ConsistentRead": True}} if keys else {}
        wait, until = FIRST_WAIT, time.monotonic() + deadline.left()
        while wanted:
            answer = self.call("BatchGetItem", {"RequestItems": wanted})
            found += answer["Responses"].get(table, [])
            wanted = answer["UnprocessedKeys"]
            if wanted:
                if time.monotonic() > until:
                    raise ServiceUnavailable("DynamoDB: a batch was not read whole")
                _pause(wait)
                wait = min(2 * wait, LONGEST_WAIT)
        return found

    def _attempt(self, signed: bytes, request: JSON, *, until: float) -> JSON:
        kept = self._quiet_connection()
        if kept:
            try:
                return self._exchange(kept, signed, request, until)
            except Hangup:
                pass  # closed in this very moment, as kept connections are: no reason to wait
        is_secure, host, port, _ = self._endpoint
        new = Connection.open(host, port, is_secure=is_secure, until=until)
        return self._exchange(new, signed, request, until)

    def _exchange(self, connection: Connection, signed: bytes, request: JSON, until: float) -> JSON:
        answer = connection.exchange(signed, until=until)
        try:
            return _read(answer, request)
        except NoAnswer:
            connection.close()
            raise
        finally:
            if connection.is_open:
                self._kept.append(connection)

    def _quiet_connection(self) -> Connection | None:
        # A list's pop() and append() are atomic, so that threads never share a connection.
        try:
            while not (kept := self._kept.pop()).is_quiet():
                kept.close()
        except IndexError:
            return None
        return kept

    def _signed(self, operation: str, body: bytes) -> bytes:
        credentials = Credentials.current()
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "host": self._endpoint.authority,
            "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
            "x-amz-target": f"DynamoDB_20120810.{operation}",
        }
        if credentials.session_token:
            headers["x-amz-security-token"] = credentials.session_token
        signature = authorization(credentials, headers, body, region=self._region, service="dynamodb")
        headers |= {
            "accept-encoding": "identity",
            "authorization": signature,
            "content-length": str(len(body)),
            "user-agent": f"api-keys/{VERSION}",
        }
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        return f"POST / HTTP/1.1\r\n{lines}\r\n".encode("ascii") + body


def _pause(most: float) -> None:
    """Wait a random part of this many seconds, and never past the deadline."""
    time.sleep(min(random.uniform(0, most), deadline.left()))  # noqa: S311 -- no secret


def _read(answer: Answer, request: JSON) -> JSON:
    """Return what DynamoDB answered to this request.

    Raises:
        ConditionFailed: if it says that the write's condition does not hold.
        DynamoDbError: if it refuses the request for good.
        Busy: if it will not answer now.
        NoAnswer: if this is not its answer to this request.
    """
    checksums = answer.headers.get_all("x-amz-crc32", [])
    if checksums and checksums != [str(zlib.crc32(answer.body))]:
        raise NoAnswer("wrong checksum")
    if answer.status >= 500:  # noqa: PLR2004 -- whatever it says in its body
        raise NoAnswer(f"status {answer.status}")
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise NoAnswer(f"status {answer.status} and no JSON") from None
    if not isinstance(said, dict):
        raise NoAnswer("no JSON object")
    if answer.status == 200:  # noqa: PLR2004 -- OK
        _require_the_item_asked_for(said, request)
        return said
    code = str(said.get("__type", answer.status)).rsplit("#", 1)[-1]
    if code in PASSING:
        raise Busy(code)
    if code == "ConditionalCheckFailedException":
        _require_the_item_asked_for(said, request)
        raise ConditionFailed(said.get("Item"))
    raise DynamoDbError(code)


def _require_the_item_asked_for(said: JSON, request: JSON) -> None:
    """Hold an item against the key that was asked for, whoever asked, so that no answer to another is taken."""
    if "Item" in said and "Key" in request and not request["Key"].items() <= said["Item"].items():
        raise NoAnswer("an item that was not asked for")
