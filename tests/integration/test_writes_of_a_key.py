"""The updates of a stored key by themselves: what each may change, and what it says of it."""

import uuid
from dataclasses import replace

import pytest
import time_machine

from apikeys.caller import Caller
from apikeys.dynamodb import DynamoDb
from apikeys.keys import ApiKey
from apikeys.records import KeyRecord, timestamp
from apikeys.store.api_keys import ApiKeys
from tests.deployment import Deployment

ALICE = Caller("alice", "alice", frozenset())


@pytest.fixture
def keys(deployment: Deployment) -> ApiKeys:
    return ApiKeys(DynamoDb(deployment.dynamodb.meta.endpoint_url), "ApiKeysTable")


@pytest.fixture
def record(keys: ApiKeys) -> KeyRecord:
    """Of a stored key."""
    key = ApiKey.generate()
    record = KeyRecord(key.key_id, str(uuid.uuid4()), "alice", "x", key.start, (), timestamp(), "alice")
    keys.add(record, key)
    return record


def revoke(keys: ApiKeys, record: KeyRecord, via: str = "api", **options: str) -> bool:
    return keys.revoke(record.key_id, application_id=record.application_id, caller=ALICE, via=via, **options)


def test_of_all_revokes_only_the_one_by_id_fills_in_a_reason(
    deployment: Deployment, keys: ApiKeys, record: KeyRecord
) -> None:
    """Guarantee: whoever ended a key says why; nobody else does it for them in passing.

    Seen to fail with `via` compared by its order, either way.
    """
    assert revoke(keys, record)
    without = deployment.stored(record.key_id) or {}
    for via in ("all", "holder", "rotate"):
        assert not revoke(keys, record, via, reason="leaked")
        assert deployment.stored(record.key_id) == without
    assert revoke(keys, record, reason="leaked")
    assert deployment.stored(record.key_id) == without | {"revokedReason": {"S": "leaked"}}
    assert not revoke(keys, record, reason="unused")
    assert deployment.stored(record.key_id) == without | {"revokedReason": {"S": "leaked"}}


def test_a_revoke_of_what_is_revoked_says_that_it_has_written_nothing(
    deployment: Deployment, keys: ApiKeys, record: KeyRecord, clock: time_machine.Traveller
) -> None:
    assert revoke(keys, record)
    stored = deployment.stored(record.key_id)
    clock.shift(1)
    assert not revoke(keys, record)
    assert deployment.stored(record.key_id) == stored


def test_a_call_that_revokes_many_counts_a_key_as_its_own_though_the_answer_came_late(
    keys: ApiKeys, record: KeyRecord
) -> None:
    assert revoke(keys, record, "all", call="b")
    assert revoke(keys, record, "all", call="b")
    for call in ("a", "c"):
        assert not revoke(keys, record, "all", call=call)
    assert not revoke(keys, record, "all")


@pytest.mark.parametrize("earlier", ["2026-11-22T11:59:59.999Z", "2026-11-22T12:00:00.000Z"])
def test_a_key_whose_end_is_no_later_than_its_successors_beginning_is_revoked(
    deployment: Deployment, keys: ApiKeys, record: KeyRecord, earlier: str
) -> None:
    new = replace(record, key_id=str(uuid.uuid4()), created_at="2026-11-22T12:00:00.000Z")
    assert keys.replace(record, new, old_until=earlier, caller=ALICE)
    stored = deployment.stored(record.key_id) or {}
    assert stored["revokedAt"] == {"S": "2026-11-22T12:00:00.000Z"}
    assert stored["revokedReason"] == {"S": "rotated"}
