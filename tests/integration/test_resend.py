"""Records whose events could not be published are sent again, from the stream, while it has them."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.functions import Context
from tests.audit_stream import AuditStream, Bus
from tests.deployment import Deployment
from tools.resend import resend

FUNCTION = "PublishAuditEventsFunction"
ARN = f"arn:aws:lambda:eu-central-1:123456789012:function:{FUNCTION}"

type Invoke = Callable[[str, dict[str, Any]], bool]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.resend.WAIT", 0)


@pytest.fixture
def stream(deployment: Deployment) -> AuditStream:
    return AuditStream(deployment)


@pytest.fixture
def queue(deployment: Deployment) -> Any:
    sqs = boto3.resource(
        "sqs", endpoint_url=deployment.dynamodb.meta.endpoint_url, region_name="eu-central-1"
    )
    return sqs.create_queue(QueueName=str(uuid.uuid4()))


@pytest.fixture
def bus(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Bus:
    bus = Bus()
    monkeypatch.setitem(deployment.handlers[FUNCTION].__globals__, "events", bus)
    return bus


@pytest.fixture
def invoke(deployment: Deployment) -> Invoke:
    """The function itself, in place of Lambda."""

    def invoke(function: str, event: dict[str, Any]) -> bool:
        assert function == ARN
        assert 0 < len(event["Records"]) <= 100
        answer = deployment.handlers[FUNCTION](event, Context(FUNCTION))
        return bool(answer == {"batchItemFailures": []})

    return invoke


def put_aside(queue: Any, stream: AuditStream, records: list[dict[str, Any]]) -> None:
    """Send to the queue what Lambda sends for a batch that it gives up.

    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    message = {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": ARN,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 101,
        },
        "version": "1.0",
        "DDBStreamBatchInfo": {
            "shardId": stream.shard,
            "startSequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
            "endSequenceNumber": records[-1]["dynamodb"]["SequenceNumber"],
            "batchSize": len(records),
            "streamArn": stream.arn,
        },
    }
    queue.send_message(MessageBody=json.dumps(message))


def waiting(queue: Any) -> int:
    queue.load()
    return int(queue.attributes["ApproximateNumberOfMessages"])


def test_what_was_put_aside_is_published_and_nothing_else(
    deployment: Deployment, stream: AuditStream, queue: Any, bus: Bus, invoke: Invoke
) -> None:
    keys = [deployment.issue() for _ in range(4)]
    records = stream.records()
    put_aside(queue, stream, records[1:3])
    assert resend(queue, stream.client, invoke) == (2, 0)
    assert [detail["keyId"] for _, detail in bus.events()] == [keys[1]["id"], keys[2]["id"]]
    assert waiting(queue) == 0
    assert resend(queue, stream.client, invoke) == (0, 0)


def test_a_large_batch_is_sent_in_pieces(
    deployment: Deployment, stream: AuditStream, queue: Any, bus: Bus, invoke: Invoke
) -> None:
    application_id = deployment.application()
    keys = [deployment.issue(application_id)["id"] for _ in range(101)]
    put_aside(queue, stream, stream.records())
    assert resend(queue, stream.client, invoke) == (101, 0)
    assert [detail["keyId"] for _, detail in bus.events()] == keys


def test_what_fails_again_stays_in_the_queue_and_does_not_stop_the_rest(
    deployment: Deployment, stream: AuditStream, queue: Any, bus: Bus, invoke: Invoke
) -> None:
    """Guarantee: a message goes only when all of it is published."""
    issued = deployment.issue()
    deployment.revoke(issued["applicationId"], issued["id"], deployment.token())
    first, second = stream.records()
    put_aside(queue, stream, [second])
    put_aside(queue, stream, [first])
    bus.refuses = {"ApiKeyRevoked"}
    assert resend(queue, stream.client, invoke) == (1, 1)
    assert waiting(queue) == 1
    bus.refuses = set()
    assert resend(queue, stream.client, invoke) == (1, 0)
    assert {kind for kind, _ in bus.events()} == {"ApiKeyIssued", "ApiKeyRevoked"}


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "TrimmedDataAccessException"])
def test_what_the_stream_has_no_longer_stays_in_the_queue_and_is_said(  # noqa: PLR0913, PLR0917 -- fixtures
    deployment: Deployment,
    stream: AuditStream,
    queue: Any,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    code: str,
) -> None:
    deployment.issue()
    put_aside(queue, stream, stream.records())

    def gone(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "x"}}, "GetShardIterator")

    monkeypatch.setattr(stream.client, "get_shard_iterator", gone)
    assert resend(queue, stream.client, invoke) == (0, 1)
    assert "No longer in the stream: 1 from" in capsys.readouterr().out
    assert waiting(queue) == 1
