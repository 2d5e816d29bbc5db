"""Stopped at every call to DynamoDB, before it was applied and after: what is left is what the README says.

Two ways of stopping: the function dies there, or it gets no answer there. A third: the answer is lost, and the client
repeats the call, which must be as if nothing had happened.
"""

import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import pytest

from apikeys.errors import ServiceUnavailable
from tests.deployment import Answer, Deployment, RecordedDynamoDb

type Request = dict[str, Any]

pytestmark = pytest.mark.usefixtures("clock")


class Died(BaseException):
    """Raised where the function dies: nothing of it runs any more."""


@dataclass
class Stop:
    """Where to stop.

    Args:
        at: which call, from 0.
        applied: whether DynamoDB has applied it.
        dies: whether the function ends there; else it gets no answer to this call.

    Attributes:
        calls: the operations that were begun.
    """

    at: int
    applied: bool
    dies: bool
    calls: list[str] = field(default_factory=list)


STOPS = list(itertools.product((False, True), (False, True)))


@contextmanager
def stopped(stop: Stop) -> Iterator[None]:
    """Stop the function that is called in this block."""
    real, lock = RecordedDynamoDb.call, Lock()

    def call(self: RecordedDynamoDb, operation: str, request: Request) -> Request:
        with lock:
            number = len(stop.calls)
            stop.calls.append(operation)
        if number == stop.at and stop.applied:
            real(self, operation, request)
        if number == stop.at and not stop.dies:
            raise ServiceUnavailable("DynamoDB: no answer")
        if number >= stop.at and stop.dies:
            raise Died
        return real(self, operation, request)

    with pytest.MonkeyPatch.context() as patch, suppress(Died):
        patch.setattr(RecordedDynamoDb, "call", call)
        yield


@contextmanager
def repeated(at: int) -> Iterator[None]:
    """Lose the answer to a call, so that the client repeats it."""
    real, numbers = RecordedDynamoDb.call, itertools.count()

    def call(self: RecordedDynamoDb, operation: str, request: Request) -> Request:
        if next(numbers) == at:
            real(self, operation, request)
        return real(self, operation, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RecordedDynamoDb, "call", call)
        yield


def listed(deployment: Deployment, application_id: str) -> list[dict[str, Any]]:
    answer = deployment.call("ListApiKeys", deployment.token(), path={"id": application_id})
    assert answer.status == 200
    found: list[dict[str, Any]] = answer.body["items"]
    return found


def entries(deployment: Deployment, application_id: str) -> set[str]:
    """Return the ids of keys that the application's listing names."""
    items = deployment.dynamodb.query(
        TableName="ListingsTable",
        KeyConditionExpression="#list = :list",
        ExpressionAttributeNames={"#list": "list"},
        ExpressionAttributeValues={":list": {"S": f"keys of {application_id}"}},
    )["Items"]
    return {item["position"]["S"].split()[1] for item in items}


def run_until(stop: Stop, function: Callable[[], Answer]) -> None:
    """Run a function and stop it: it dies without an answer, or says 503."""
    answers = []
    with stopped(stop):
        answers.append(function().status)
    assert answers == ([] if stop.dies else [503])
    assert len(stop.calls) > stop.at, "there is no such call"


@pytest.mark.parametrize(("applied", "dies"), STOPS)
@pytest.mark.parametrize("at", range(3))
def test_an_issue_leaves_an_entry_or_a_key_that_nobody_has_seen(
    deployment: Deployment, at: int, applied: bool, dies: bool
) -> None:
    """Guarantee: a key that exists is in the list; and the next issue works."""
    application_id, stop = deployment.application(), Stop(at, applied, dies)

    def issue() -> Answer:
        path = {"id": application_id}
        return deployment.call("IssueApiKey", deployment.token(), path=path, body={"name": "x"})

    run_until(stop, issue)
    assert stop.calls == ["GetItem", "PutItem", "PutItem"][: at + 1]
    writes = at - 1 + applied  # that were applied: the first call reads
    assert len(entries(deployment, application_id)) == (writes >= 1)
    left = listed(deployment, application_id)
    assert len(left) == (writes >= 2)
    assert {key["id"] for key in left} <= entries(deployment, application_id)
    assert issue().status == 201
    # What is left can be found, and ended.
    for key in left:
        assert deployment.revoke(application_id, key["id"], deployment.token()).status == 200


@pytest.mark.parametrize(("applied", "dies"), STOPS)
@pytest.mark.parametrize("at", range(2))
def test_a_create_leaves_an_entry_or_an_application_that_nobody_knows_of(
    deployment: Deployment, at: int, applied: bool, dies: bool
) -> None:
    owner, stop = f"owner-{uuid.uuid4()}", Stop(at, applied, dies)

    def create() -> Answer:
        return deployment.call("CreateApplication", deployment.token(owner), body={"name": "x"})

    run_until(stop, create)
    assert stop.calls == ["PutItem", "PutItem"][: at + 1]
    left = at + applied - 1  # applications: the first write is the entry
    listing = deployment.call("ListApplications", deployment.token(owner))
    assert len(listing.body["items"]) == max(0, left)
    assert create().status == 201


ROTATE = ["GetItem", "PutItem", "PutItem", "UpdateItem"]


def rotate(deployment: Deployment, old: dict[str, Any], overlap: int) -> Answer:
    path, body = {"id": old["applicationId"], "keyId": old["id"]}, {"overlapSeconds": overlap}
    return deployment.call("RotateApiKey", deployment.token(), path=path, body=body)


@pytest.mark.parametrize("overlap", [0, 60])
@pytest.mark.parametrize(("applied", "dies"), STOPS)
@pytest.mark.parametrize("at", range(4))
def test_a_rotate_leaves_an_old_key_that_works_or_ended_as_asked_and_perhaps_a_new_one_nobody_has_seen(
    deployment: Deployment, at: int, applied: bool, dies: bool, overlap: int
) -> None:
    """Guarantee: the old key ends only where its successor is stored; nothing that was asked for is half done."""
    old, stop = deployment.issue(), Stop(at, applied, dies)
    before = deployment.stored(old["id"])
    assert before
    run_until(stop, lambda: rotate(deployment, old, overlap))
    assert stop.calls == ROTATE[: at + 1], "and nothing is taken back"
    writes = at - 1 + applied
    assert len(entries(deployment, old["applicationId"])) == 1 + (writes >= 1)
    left = [key for key in listed(deployment, old["applicationId"]) if key["id"] != old["id"]]
    assert [key["status"] for key in left] == ["active"] * (writes >= 2)
    stored = deployment.stored(old["id"])
    assert stored
    if writes < 3:
        assert stored == before
        assert rotate(deployment, old, overlap).status == 201
    else:
        assert stored["replacedBy"] == {"S": left[0]["id"]}
        assert deployment.accepts(old["key"]) == (overlap > 0)
        assert rotate(deployment, old, overlap).status == 409
    for key in left:
        assert deployment.revoke(old["applicationId"], key["id"], deployment.token()).status == 200


@pytest.mark.parametrize(("applied", "dies"), STOPS)
def test_a_new_key_that_is_not_taken_back_is_one_that_nobody_has_seen(
    deployment: Deployment, applied: bool, dies: bool
) -> None:
    """Guarantee: stopped while it takes the new key back, a rotate changes nothing of the old one's revocation."""
    old, stop = deployment.issue(), Stop(4, applied, dies)
    real, overtaken = RecordedDynamoDb.call, list[str]()

    def be_overtaken(self: RecordedDynamoDb, operation: str, request: Request) -> Request:
        if operation == "UpdateItem" and not overtaken:
            overtaken.append(operation)
            deployment.dynamodb.update_item(
                TableName="ApiKeysTable",
                Key={"keyId": {"S": old["id"]}},
                UpdateExpression="SET revokedAt = :now",
                ExpressionAttributeValues={":now": {"S": old["createdAt"]}},
            )
        return real(self, operation, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RecordedDynamoDb, "call", be_overtaken)
        run_until(stop, lambda: rotate(deployment, old, 60))
    [new] = [key for key in listed(deployment, old["applicationId"]) if key["id"] != old["id"]]
    assert new["status"] == ("revoked" if applied else "active")
    assert not deployment.accepts(old["key"])
    assert "replacedBy" not in (deployment.stored(old["id"]) or {"replacedBy": "gone"})


KEYS = 3
REVOKE_ALL = ["GetItem", "Query", "BatchGetItem", *["UpdateItem"] * KEYS]


def revoke_all(deployment: Deployment, application_id: str) -> Answer:
    return deployment.call("RevokeAllApiKeys", deployment.token(), path={"id": application_id})


@pytest.mark.parametrize(("applied", "dies"), STOPS)
@pytest.mark.parametrize("at", range(len(REVOKE_ALL)))
def test_a_revoke_of_all_leaves_some_revoked_and_its_repetition_the_others(
    deployment: Deployment, at: int, applied: bool, dies: bool
) -> None:
    """Guarantee: each key is revoked or untouched, and repeating the call ends them all, each with one tombstone."""
    application_id, stop = deployment.application(), Stop(at, applied, dies)
    issued = [deployment.issue(application_id) for _ in range(KEYS)]
    run_until(stop, lambda: revoke_all(deployment, application_id))
    tombstones = {key["id"]: deployment.stored(key["id"]) for key in issued}
    tombstones = {id_: item for id_, item in tombstones.items() if item and "revokedAt" in item}
    if at < 3:
        assert tombstones == {}
    else:
        assert len(tombstones) == (KEYS - (not applied) if not dies else at - 3 + applied)
    assert {key["id"] for key in issued if not deployment.accepts(key["key"])} == tombstones.keys()
    assert revoke_all(deployment, application_id).body == {"revoked": KEYS - len(tombstones)}
    assert not any(deployment.accepts(key["key"]) for key in issued)
    assert {id_: deployment.stored(id_) for id_ in tombstones} == tombstones


@pytest.mark.parametrize("at", range(3))
def test_an_issue_whose_lost_answer_is_asked_for_again_is_a_201(deployment: Deployment, at: int) -> None:
    application_id = deployment.application()
    with repeated(at):
        issued = deployment.issue(application_id)
    assert [key["id"] for key in listed(deployment, application_id)] == [issued["id"]]
    assert deployment.accepts(issued["key"])


@pytest.mark.parametrize("overlap", [0, 60])
@pytest.mark.parametrize("at", range(4))
def test_a_rotate_whose_lost_answer_is_asked_for_again_is_a_201(
    deployment: Deployment, at: int, overlap: int
) -> None:
    """Guarantee: our own lost answer is never taken for somebody else's rotation."""
    old = deployment.issue()
    with repeated(at):
        answer = rotate(deployment, old, overlap)
    assert answer.status == 201
    assert deployment.accepts(answer.body["key"])
    assert deployment.accepts(old["key"]) == (overlap > 0)
    assert len(listed(deployment, old["applicationId"])) == 2


@pytest.mark.parametrize("at", range(len(REVOKE_ALL)))
def test_a_revoke_of_all_whose_lost_answer_is_asked_for_again_counts_each_key(
    deployment: Deployment, at: int
) -> None:
    """Guarantee: n is the number of keys that this call revoked, whatever got lost on the way."""
    application_id = deployment.application()
    issued = [deployment.issue(application_id) for _ in range(KEYS)]
    with repeated(at):
        assert revoke_all(deployment, application_id).body == {"revoked": KEYS}
    assert not any(deployment.accepts(key["key"]) for key in issued)
