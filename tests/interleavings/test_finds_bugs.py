"""That the exploration can fail: known bugs are put in, and each is found, with the shortest schedule that shows it."""

import functools
from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import Any

import pytest

from apikeys.check import Checker
from apikeys.dynamodb import ConditionFailed, DynamoDb
from apikeys.keys import ApiKey
from apikeys.records import KeyRecord, strings, timestamp
from apikeys.store.api_keys import ApiKeys
from apikeys.store.listings import Listings
from tests.interleavings.scene import Scene
from tests.interleavings.schedules import BrokenPromise, Explorer, Ledger
from tests.interleavings.stack import Stack
from tests.interleavings.test_explorer import require_no_memory


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Where every schedule begins; for each bug another, since what is known of handlers differs."""
    with Stack.up() as stack:
        yield Scene.set(stack)


def shortest(scene: Scene, *names: str, faults: int = 0) -> BrokenPromise:
    """Return the shortest broken promise of these requests, alone or two of them at once."""
    found: list[BrokenPromise] = []
    requests = [scene.requests()[name] for name in names]
    for together in (1, 2):
        for meeting in combinations_with_replacement(requests, together):
            try:
                Explorer(scene, Ledger(), meeting, faults=faults, retries=0).explore()
            except BrokenPromise as broken:
                found.append(broken)
    print(min(found, key=lambda broken: len(broken.schedule)))  # noqa: T201 -- the schedule, where a test fails
    return min(found, key=lambda broken: len(broken.schedule))


def test_a_revoke_that_reads_and_then_writes(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the revoke as it is."""

    def revoke(self: ApiKeys, key_id: str, *, caller: Any, **_: Any) -> bool:
        key = strings({"keyId": key_id})
        item = self._dynamodb.call("GetItem", {"TableName": self._table, "Key": key, "ConsistentRead": True})[
            "Item"
        ]
        if "revokedAt" not in item:
            item |= strings({"revokedAt": timestamp(), "revokedBy": caller.subject})
            self._dynamodb.call("PutItem", {"TableName": self._table, "Item": item})
        return True

    monkeypatch.setattr(ApiKeys, "revoke", revoke)
    broken = shortest(scene, "revoke k1", "admin revokes k1")
    assert broken.promise == "k1 was revoked, and then revokedBy of it changed"
    assert broken.schedule == [
        " 1. a, revoke k1: GetItem ApiKeys k1: answered",
        " 2. b, admin revokes k1: GetItem ApiKeys k1: answered",
        " 3. a, revoke k1: PutItem ApiKeys k1: answered -> answered 200",
        " 4. b, admin revokes k1: PutItem ApiKeys k1: answered -> answered 200",
    ]


def test_a_check_that_notes_when_a_key_was_used(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the check as it is."""
    find = ApiKeys.find_presented

    def find_and_note(self: ApiKeys, key_id: str) -> tuple[KeyRecord, bytes] | None:
        found = find(self, key_id)
        if found and not found[0].revoked_at:
            note = {
                "TableName": self._table,
                "Key": strings({"keyId": key_id}),
                "UpdateExpression": "SET lastUsedAt = :now",
                "ExpressionAttributeValues": strings({":now": timestamp()}),
            }
            self._dynamodb.call("UpdateItem", note)
        return found

    monkeypatch.setattr(ApiKeys, "find_presented", find_and_note)
    broken = shortest(scene, "check k1", "revoke k1")
    assert broken.promise == "k1 was revoked, and then lastUsedAt of it changed"
    assert broken.schedule == [
        " 1. a, check k1: GetItem ApiKeys k1: answered",
        " 2. b, revoke k1: UpdateItem ApiKeys k1 SET revokedAt: answered -> answered 200",
        " 3. a, check k1: UpdateItem ApiKeys k1 SET lastUsedAt: answered -> answered accepted",
    ]


def test_a_rotate_that_ends_the_old_key_before_the_new_one_is_stored(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with the rotate as it is."""
    held_back: list[tuple[KeyRecord, Any]] = []
    add, end = ApiKeys.add, ApiKeys.replace

    def hold_back(self: ApiKeys, record: KeyRecord, key: Any) -> None:
        held_back.append((record, key))

    def end_and_add(self: ApiKeys, old: KeyRecord, new: KeyRecord, **ending: Any) -> bool:
        is_replaced = end(self, old, new, **ending)
        if is_replaced:
            add(self, *held_back[-1])
        return is_replaced

    monkeypatch.setattr(ApiKeys, "add", hold_back)
    monkeypatch.setattr(ApiKeys, "replace", end_and_add)
    broken = shortest(scene, "rotate k1")
    assert broken.promise == "k1 has ended, and its successor does not exist"
    assert [line.partition(": ")[2].split(" (")[0] for line in broken.schedule] == [
        "GetItem ApiKeys k1: answered",
        "PutItem Listings a new key",
        "UpdateItem ApiKeys k1 SET replacedBy, revokedAt: answered",
    ]


def test_a_rotate_that_takes_its_own_lost_answer_for_a_defeat(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = ApiKeys.replace

    class Blind(DynamoDb):
        def __init__(self, dynamodb: DynamoDb) -> None:
            self._dynamodb = dynamodb

        def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
            try:
                return self._dynamodb.call(operation, request)
            except ConditionFailed:
                raise ConditionFailed(None) from None

    def end_blindly(self: ApiKeys, old: KeyRecord, new: KeyRecord, **ending: Any) -> bool:
        return end(ApiKeys(Blind(self._dynamodb), self._table), old, new, **ending)

    monkeypatch.setattr(ApiKeys, "replace", end_blindly)
    broken = shortest(scene, "rotate k1 with overlap", faults=1)
    assert broken.promise == "the rotation was refused, and k1 was rotated by it"
    assert [line.split(": ", 1)[1] for line in broken.schedule[3:6]] == [
        "UpdateItem ApiKeys k1 SET expiresAt, replacedBy: no answer, and DynamoDB's client repeats it",
        "UpdateItem ApiKeys k1 SET expiresAt, replacedBy: now applied: answered",
        "UpdateItem ApiKeys k1 SET expiresAt, replacedBy: condition failed",
    ]


def test_an_issue_that_stores_a_key_before_it_lists_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    add, enter = ApiKeys.add, Listings.add_key
    held_back: list[tuple[Listings, KeyRecord]] = []

    def add_and_enter(self: ApiKeys, record: KeyRecord, key: ApiKey) -> None:
        add(self, record, key)
        enter(*held_back[-1])

    monkeypatch.setattr(Listings, "add_key", lambda self, record: held_back.append((self, record)))
    monkeypatch.setattr(ApiKeys, "add", add_and_enter)
    broken = shortest(scene, "issue in A")
    assert broken.promise.endswith("exists and is in no list")
    assert len(broken.schedule) == 2


def test_a_check_that_remembers_its_verdicts(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checker, "check", functools.cache(Checker.check))
    with pytest.raises(AssertionError):
        require_no_memory(scene)
