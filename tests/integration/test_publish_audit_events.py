"""What happened to a key becomes an event on the bus: every event of these tests is held against its schema."""

import io
import json
from itertools import pairwise
from typing import Any

import jsonschema
import pytest
import time_machine
from botocore.exceptions import ConnectTimeoutError

from local.functions import Context
from tests.audit_stream import SCHEMAS, AuditStream, Bus
from tests.deployment import Deployment, sample_event

pytestmark = pytest.mark.usefixtures("clock")
FUNCTION = "PublishAuditEventsFunction"
JTI = "5f0b4a52-6a1e-4a44-9a3e-0d1b8f6c2a11"


@pytest.fixture
def stream(deployment: Deployment) -> AuditStream:
    return AuditStream(deployment)


@pytest.fixture
def bus(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Bus:
    bus = Bus()
    monkeypatch.setitem(deployment.handlers[FUNCTION].__globals__, "events", bus)
    return bus


def publish(deployment: Deployment, records: list[dict[str, Any]]) -> list[str]:
    """Hand records to the function, and return the sequence numbers that it reports as failed."""
    answer = deployment.handlers[FUNCTION]({"Records": records}, Context(FUNCTION))
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def call(deployment: Deployment, function: str, issued: dict[str, Any], **others: Any) -> Any:
    path = {"id": issued["applicationId"], "keyId": issued["id"]}
    return deployment.call(function, deployment.token(jti=JTI), path=path, **others).body


def sequence(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def test_an_issue(deployment: Deployment, stream: AuditStream, bus: Bus) -> None:
    issued = deployment.issue(name="ci", scopes=["read"], expiresAt="2027-01-01T00:00:00Z")
    [record] = stream.records()
    assert publish(deployment, [record]) == []
    [entry] = bus.entries
    assert "AuditBus.Arn" in entry["EventBusName"]
    assert entry["Source"] == "api-keys"
    assert list(bus.events()) == [
        (
            "ApiKeyIssued",
            {
                "version": 1,
                "id": record["eventID"],
                "sequence": sequence(record).zfill(40),
                "stack": "local",
                "occurredAt": "2026-11-22T12:00:00.000Z",
                "by": "alice",
                "from": "192.0.2.1",
                "tokenId": None,
                "keyId": issued["id"],
                "applicationId": issued["applicationId"],
                "ownerId": "alice",
                "name": "ci",
                "start": issued["start"],
                "scopes": ["read"],
                "expiresAt": "2027-01-01T00:00:00.000Z",
            },
        )
    ]


def test_a_revoke_says_who_when_why_and_from_where(
    deployment: Deployment, stream: AuditStream, bus: Bus, clock: time_machine.Traveller
) -> None:
    issued = deployment.issue()
    stream.records()
    clock.shift(60)
    call(deployment, "RevokeApiKey", issued, query={"reason": "compromised"})
    assert publish(deployment, stream.records()) == []
    [(kind, detail)] = bus.events()
    assert kind == "ApiKeyRevoked"
    assert detail["occurredAt"] == "2026-11-22T12:01:00.000Z"
    said = {name: detail[name] for name in ("by", "from", "tokenId", "via", "reason", "leakedIn", "keyId")}
    assert said == {
        "by": "alice",
        "from": "192.0.2.1",
        "tokenId": JTI,
        "via": "api",
        "reason": "compromised",
        "leakedIn": None,
        "keyId": issued["id"],
    }


def test_whatever_ends_a_key_is_told(deployment: Deployment, stream: AuditStream, bus: Bus) -> None:
    first, second, third = (deployment.issue() for _ in range(3))
    stream.records()
    call(deployment, "RevokeAllApiKeys", first)
    deployment.revoke_by_string(f"token={second['key']}")
    url = "https://github.com/x"
    deployment.report_by_github({"token": third["key"], "type": "api_keys", "url": url, "source": "commit"})
    assert publish(deployment, stream.records()) == []
    assert [
        (kind, detail["keyId"], detail["via"], detail["by"], detail["reason"], detail["leakedIn"])
        for kind, detail in bus.events()
    ] == [
        ("ApiKeyRevoked", first["id"], "all", "alice", None, None),
        ("ApiKeyRevoked", second["id"], "holder", "holder", "compromised", None),
        ("ApiKeyRevoked", third["id"], "github", "github", "leaked", url),
    ]


def test_a_rotate_with_overlap(
    deployment: Deployment, stream: AuditStream, bus: Bus, clock: time_machine.Traveller
) -> None:
    old = deployment.issue()
    stream.records()
    clock.shift(1)
    new = call(deployment, "RotateApiKey", old, body={"overlapSeconds": 60})
    assert publish(deployment, stream.records()) == []
    (issued, of_new), (rotated, of_old) = bus.events()
    assert (issued, of_new["keyId"], of_new["tokenId"]) == ("ApiKeyIssued", new["id"], JTI)
    assert (rotated, of_old["keyId"], of_old["replacedBy"]) == ("ApiKeyRotated", old["id"], new["id"])
    assert (of_old["by"], of_old["from"], of_old["tokenId"]) == ("alice", "192.0.2.1", JTI)
    assert of_old["occurredAt"] == "2026-11-22T12:00:01.000Z"
    assert of_old["worksUntil"] == "2026-11-22T12:01:01.000Z"


def test_a_rotate_without_overlap_is_also_a_revocation(
    deployment: Deployment, stream: AuditStream, bus: Bus
) -> None:
    """Whoever closes connections at an ApiKeyRevoked needs to know of no other type."""
    old = deployment.issue()
    stream.records()
    call(deployment, "RotateApiKey", old)
    assert publish(deployment, stream.records()) == []
    _, (rotated, one), (revoked, other) = bus.events()
    assert (rotated, revoked) == ("ApiKeyRotated", "ApiKeyRevoked")
    assert one["id"] == other["id"]
    assert (one["worksUntil"], other["via"], other["reason"]) == (other["occurredAt"], "rotate", "rotated")


def test_a_revoke_during_the_overlap_is_told_as_what_it_is(
    deployment: Deployment, stream: AuditStream, bus: Bus
) -> None:
    old = deployment.issue()
    call(deployment, "RotateApiKey", old, body={"overlapSeconds": 60})
    stream.records()
    deployment.revoke(old["applicationId"], old["id"], deployment.token("root", "api-keys:admin"))
    assert publish(deployment, stream.records()) == []
    [(kind, detail)] = bus.events()
    assert (kind, detail["by"], detail["via"]) == ("ApiKeyRevoked", "root", "api")


def test_filling_in_a_reason_and_repeating_a_revoke_are_no_second_revocation(
    deployment: Deployment, stream: AuditStream, bus: Bus
) -> None:
    issued = deployment.issue()
    call(deployment, "RevokeApiKey", issued)
    stream.records()
    call(deployment, "RevokeApiKey", issued)
    call(deployment, "RevokeApiKey", issued, query={"reason": "leaked"})
    records = stream.records()
    assert len(records) == 1, "the reason"
    assert publish(deployment, records) == []
    assert bus.entries == []


def test_no_secret_and_no_hash_gets_into_an_event(
    deployment: Deployment, stream: AuditStream, bus: Bus
) -> None:
    """Guarantee: the record has the hash, and the event has not; nor has the log."""
    issued = deployment.issue()
    call(deployment, "RotateApiKey", issued)
    records = stream.records()
    hashes = [record["dynamodb"]["NewImage"]["hash"]["B"] for record in records]
    assert publish(deployment, records) == []
    assert len(bus.entries) == 4
    for secret in (issued["key"], *hashes):
        assert secret not in str(bus.entries)
        assert "hash" not in str(bus.entries)


def test_the_events_of_a_key_can_be_put_in_order(
    deployment: Deployment, stream: AuditStream, bus: Bus
) -> None:
    """Guarantee: of two events of one key, the later one has the greater sequence, compared as text."""
    issued = deployment.issue()
    call(deployment, "RotateApiKey", issued, body={"overlapSeconds": 60})
    call(deployment, "RevokeApiKey", issued)
    assert publish(deployment, stream.records()) == []
    of_the_key = [(kind, one["sequence"]) for kind, one in bus.events() if one["keyId"] == issued["id"]]
    assert [kind for kind, _ in of_the_key] == ["ApiKeyIssued", "ApiKeyRotated", "ApiKeyRevoked"]
    assert all(before < after for (_, before), (_, after) in pairwise(of_the_key))


@pytest.mark.parametrize("most", [9, 10, 25])
def test_a_batch_is_put_in_pieces_that_the_bus_takes(
    deployment: Deployment, stream: AuditStream, bus: Bus, most: int
) -> None:
    application_id = deployment.application()
    for _ in range(most):
        deployment.issue(application_id)
    assert publish(deployment, stream.records()) == []
    assert len(bus.entries) == most


def test_of_a_batch_lambda_begins_again_where_the_bus_refused(
    deployment: Deployment, stream: AuditStream, bus: Bus
) -> None:
    """Guarantee: no event is lost, and a later event of the key is not taken for the last one.

    Seen to fail where the errors of single entries are not looked at.
    """
    issued = deployment.issue()
    call(deployment, "RevokeApiKey", issued)
    deployment.issue()
    bus.refuses = {"ApiKeyRevoked"}
    records = stream.records()
    assert publish(deployment, records) == [sequence(records[1])]
    bus.refuses = set()
    assert publish(deployment, records[1:]) == []
    kinds = [kind for kind, detail in bus.events() if detail["keyId"] == issued["id"]]
    assert kinds == ["ApiKeyIssued", "ApiKeyRevoked"]


def test_a_bus_that_does_not_answer_is_asked_again_for_all_of_the_rest(
    deployment: Deployment, stream: AuditStream, bus: Bus, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    application_id = deployment.application()
    for _ in range(12):
        deployment.issue(application_id)
    records, put = stream.records(), bus.put_events

    def first_piece_only(**entries: Any) -> Any:
        if bus.entries:
            raise ConnectTimeoutError(endpoint_url="https://events.eu-central-1.amazonaws.com")
        return put(**entries)

    monkeypatch.setattr(bus, "put_events", first_piece_only)
    assert publish(deployment, records) == [sequence(records[10])]
    assert "ConnectTimeoutError" in log.getvalue()


def test_an_answer_about_fewer_events_than_were_put_is_none(
    deployment: Deployment, stream: AuditStream, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee: an event that the bus says nothing of is not taken for published; Lambda asks again for all."""
    deployment.issue()
    monkeypatch.setattr(bus, "put_events", lambda **_: {"Entries": []})
    with pytest.raises(ValueError, match="shorter"):
        publish(deployment, stream.records())


def test_a_bus_that_does_not_answer_is_given_up_before_the_function_ends(deployment: Deployment) -> None:
    """Guarantee: Lambda is told where to begin again, and not only that the time was over."""
    functions = deployment.template.resources("AWS::Serverless::Function")
    client: Any = deployment.handlers[FUNCTION].__globals__["events"]
    attempts = client.meta.config.retries["total_max_attempts"]
    # https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    between = sum(2**retry for retry in range(attempts - 1))
    longest = attempts * (client.meta.config.connect_timeout + client.meta.config.read_timeout) + between
    assert longest < functions[FUNCTION]["Timeout"]


def test_what_is_no_record_of_a_key_is_reported_and_what_is_before_it_published(
    deployment: Deployment, stream: AuditStream, bus: Bus
) -> None:
    """So that Lambda puts it aside in the end, and it alone."""
    deployment.issue()
    deployment.dynamodb.put_item(TableName="ApiKeysTable", Item={"keyId": {"S": "x"}})
    deployment.issue()
    records = stream.records()
    assert publish(deployment, records) == [sequence(records[1])]
    assert len(bus.entries) == 1
    deployment.dynamodb.delete_item(TableName="ApiKeysTable", Key={"keyId": {"S": "x"}})
    assert publish(deployment, stream.records()) == [], "a deletion by hand"
    assert len(bus.entries) == 1


def test_a_tombstone_that_is_put_back_is_told_as_issued_and_revoked(
    deployment: Deployment, stream: AuditStream, bus: Bus
) -> None:
    """As tools/restore.py does: what a consumer knows in the end is that the key is revoked."""
    issued = deployment.issue()
    call(deployment, "RevokeApiKey", issued)
    item = deployment.stored(issued["id"]) or {}
    deployment.dynamodb.delete_item(TableName="ApiKeysTable", Key={"keyId": item["keyId"]})
    stream.records()
    deployment.dynamodb.put_item(TableName="ApiKeysTable", Item=item)
    assert publish(deployment, stream.records()) == []
    assert [kind for kind, _ in bus.events()] == ["ApiKeyIssued", "ApiKeyRevoked"]


def test_a_revoke_is_answered_whatever_becomes_of_its_event(deployment: Deployment) -> None:
    """Guarantee: it has no part in publishing: it makes one call, which is to the table."""
    issued = deployment.issue()
    deployment.calls.clear()
    assert deployment.revoke(issued["applicationId"], issued["id"], deployment.token()).status == 200
    assert deployment.calls == [("dynamodb:UpdateItem", "ApiKeysTable")]


def test_the_sample_event_is_published_as_nothing(deployment: Deployment, bus: Bus) -> None:
    assert publish(deployment, sample_event("publish_audit_events/nothing")["Records"]) == []
    assert bus.entries == []


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one_and_describes_each_member(kind: str) -> None:
    schema = SCHEMAS[kind]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == kind
    assert set(schema["required"]) == schema["properties"].keys()
    assert [name for name, member in schema["properties"].items() if not member["description"]] == []


def test_the_tripwire_of_the_tests_an_event_with_more_in_it_than_its_schema_has_fails() -> None:
    detail: dict[str, Any] = json.loads(json.dumps({"hash": "x"}))
    with pytest.raises((jsonschema.ValidationError, AssertionError)):
        Bus().put_events(Entries=[{"DetailType": "ApiKeyIssued", "Detail": json.dumps(detail)}])
