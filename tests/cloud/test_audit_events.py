"""Who did what to a key arrives on the bus; whether it does is nothing that a revoke waits for."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.cloud.audit_events import PATIENCE, Inbox, inbox
from tests.cloud.deployed import Deployed
from tests.over_http.application import Application, whoami


@pytest.fixture(scope="module")
def events(stack: Deployed) -> Iterator[Inbox]:
    with inbox(stack.deployment) as found:
        yield found


def test_an_issue_and_a_revoke_arrive_on_the_bus(
    stack: Deployed, application: Application, events: Inbox
) -> None:
    issued = application.issue()
    application.revoke(issued["id"], query="?reason=compromised")
    first, last = events.wait_for(issued["id"], "ApiKeyIssued", "ApiKeyRevoked")
    assert (first["detail-type"], last["detail-type"]) == ("ApiKeyIssued", "ApiKeyRevoked")
    assert (last["detail"]["by"], last["detail"]["reason"]) == ("carol", "compromised")
    assert last["detail"]["stack"] == stack.deployment.name
    stored = stack.stored(issued["id"]) or {}
    assert last["detail"]["occurredAt"] == stored["revokedAt"]["S"]
    assert last["detail"]["from"] == stored["revokedFrom"]["S"]


def test_a_revoke_is_answered_and_holds_while_events_cannot_be_published_which_are_sent_again(
    stack: Deployed, application: Application, events: Inbox
) -> None:
    """Guarantee: a broken function of audit events neither delays nor fails a revoke, and no event is lost.

    MiniStack puts nothing aside, so the message that Lambda would send is sent here.
    """
    issued = application.issue()
    events.wait_for(issued["id"], "ApiKeyIssued")
    with stack.deployment.with_variables("PublishAuditEventsFunction", AUDIT_BUS=None):
        started = time.monotonic()
        application.revoke(issued["id"])
        assert time.monotonic() - started < PATIENCE / 2
        assert whoami(stack, issued["key"], api=0) is None
    emulator, url = stack.deployment.emulator, stack.deployment.outputs()["AuditFailuresUrl"]
    streams, names = emulator.client("dynamodbstreams"), stack.deployment.resources()
    arn = stack.dynamodb.describe_table(TableName=stack.keys_table)["Table"]["LatestStreamArn"]
    [shard, *_] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    start = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    [number] = [
        record["dynamodb"]["SequenceNumber"]
        for record in streams.get_records(ShardIterator=start)["Records"]
        if record["dynamodb"]["Keys"]["keyId"]["S"] == issued["id"] and record["eventName"] == "MODIFY"
    ]
    batch = {"shardId": shard["ShardId"], "streamArn": arn, "batchSize": 1}
    batch |= {"startSequenceNumber": number, "endSequenceNumber": number}
    function = f"arn:aws:lambda:eu-central-1:000000000000:function:{names['PublishAuditEventsFunction']}"
    message = {"requestContext": {"functionArn": function}, "DDBStreamBatchInfo": batch}
    emulator.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(message))
    run = subprocess.run(
        [sys.executable, "-m", "tools.resend", url],
        env={**os.environ, **emulator.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "1 sent, 0 left\n"), run.stderr
    events.wait_for(issued["id"], "ApiKeyRevoked")
