"""What the archive of audit events has is read by a replay, which nobody else who listens to the bus gets."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from tests.deployment import Deployment
from tools.archive import NoArchive, replayed
from tools.endings import of_events

SINCE, UNTIL = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.archive.SETTLED", 0)
    monkeypatch.setattr("tools.archive.WAIT", 0)


@pytest.fixture
def bridge(deployment: Deployment) -> Any:
    return boto3.client(
        "events", endpoint_url=deployment.dynamodb.meta.endpoint_url, region_name="eu-central-1"
    )


@pytest.fixture
def sqs(deployment: Deployment) -> Any:
    return boto3.client("sqs", endpoint_url=deployment.dynamodb.meta.endpoint_url, region_name="eu-central-1")


@pytest.fixture
def bus(bridge: Any) -> Iterator[str]:
    """A bus with an archive."""
    name = str(uuid.uuid4())
    arn = bridge.create_event_bus(Name=name)["EventBusArn"]
    bridge.create_archive(ArchiveName=name, EventSourceArn=arn)
    yield name
    bridge.delete_archive(ArchiveName=name)
    bridge.delete_event_bus(Name=name)


def put(bridge: Any, bus: str, *key_ids: str) -> None:
    for key_id in key_ids:
        detail = {"keyId": key_id, "occurredAt": "2026-11-26T12:00:00.000Z", "by": "alice", "via": "api"}
        entry = {"Source": "api-keys", "DetailType": "ApiKeyRevoked", "Detail": json.dumps(detail)}
        assert bridge.put_events(Entries=[entry | {"EventBusName": bus}])["FailedEntryCount"] == 0


def test_what_was_archived_is_given_as_the_bus_delivers_it(bridge: Any, sqs: Any, bus: str) -> None:
    key_ids = [str(uuid.uuid4()) for _ in range(12)]  # more than one look into a queue gives
    put(bridge, bus, *key_ids)
    lines = list(replayed(bridge, sqs, bus, SINCE, UNTIL))
    assert not [line for line in lines if "\n" in line]
    found = of_events(lines)
    assert sorted(found) == sorted(key_ids)
    assert found[key_ids[0]]["revokedAt"] == {"S": "2026-11-26T12:00:00.000Z"}


def test_it_may_be_read_again(bridge: Any, sqs: Any, bus: str) -> None:
    put(bridge, bus, "one")
    for _ in range(2):
        assert len(list(replayed(bridge, sqs, bus, SINCE, UNTIL))) == 1


def test_nothing_of_it_is_left_behind_whatever_happens(
    bridge: Any, sqs: Any, bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bridge.list_rules(EventBusName=bus)["Rules"]
    put(bridge, bus, "one")
    list(replayed(bridge, sqs, bus, SINCE, UNTIL))
    monkeypatch.setattr(bridge, "describe_replay", lambda **_: {"State": "FAILED"})
    with pytest.raises(NoArchive, match="is FAILED"):
        list(replayed(bridge, sqs, bus, SINCE, UNTIL))
    assert bridge.list_rules(EventBusName=bus)["Rules"] == before
    assert sqs.list_queues(QueueNamePrefix="replay-").get("QueueUrls", []) == []


def test_only_its_own_rule_gets_what_is_replayed(
    bridge: Any, sqs: Any, bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee: no consumer is told of a revocation a second time because somebody restores a table."""
    put(bridge, bus, "one")
    start, asked = bridge.start_replay, []

    def start_replay(**options: Any) -> None:
        asked.append(options)
        start(**options)

    monkeypatch.setattr(bridge, "start_replay", start_replay)
    list(replayed(bridge, sqs, bus, SINCE, UNTIL))
    [options] = asked
    [rule] = options["Destination"]["FilterArns"]
    assert rule.endswith(options["ReplayName"])
    assert (options["EventStartTime"], options["EventEndTime"]) == (SINCE, UNTIL)


def test_its_queue_takes_messages_of_its_rule_alone(
    bridge: Any, sqs: Any, bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee: nobody can put a made-up event among those of the archive."""
    set_attributes, policies = sqs.set_queue_attributes, []

    def set_queue_attributes(**options: Any) -> None:
        policies.append(json.loads(options["Attributes"]["Policy"]))
        set_attributes(**options)

    monkeypatch.setattr(sqs, "set_queue_attributes", set_queue_attributes)
    list(replayed(bridge, sqs, bus, SINCE, UNTIL))
    [statement] = policies[0]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert "rule/" in statement["Condition"]["ArnEquals"]["aws:SourceArn"]


def test_without_an_archive_it_says_so(bridge: Any, sqs: Any) -> None:
    name = str(uuid.uuid4())
    bridge.create_event_bus(Name=name)
    with pytest.raises(NoArchive, match="has no archive"):
        list(replayed(bridge, sqs, name, SINCE, UNTIL))
