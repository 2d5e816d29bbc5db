"""Revoke all keys of an application: each documented outcome, by status."""

import itertools
import uuid
from typing import Any

import pytest
import time_machine

from apikeys import deadline
from apikeys.errors import ServiceUnavailable
from tests.deployment import (
    FORBIDDEN,
    NOT_FOUND,
    UNAUTHORIZED,
    Answer,
    Deployment,
    RecordedDynamoDb,
    bad_request,
    size_of,
)


def revoke_all(deployment: Deployment, application_id: str, token: str | None = None, **query: str) -> Answer:
    token = token or deployment.token()
    return deployment.call("RevokeAllApiKeys", token, path={"id": application_id}, query=query)


def test_200_every_key_is_refused_and_each_has_a_tombstone_of_its_own(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    """Guarantee: after the 200 no key of the application is good, and every key of another one still is."""
    application_id, other = deployment.application(), deployment.issue()
    issued = [deployment.issue(application_id, name=f"key {number}") for number in range(7)]
    before = deployment.stored(issued[0]["id"])
    assert before
    clock.shift(60)
    answer = revoke_all(deployment, application_id, reason="compromised")
    assert (answer.status, answer.body) == (200, {"revoked": 7})
    assert not any(deployment.accepts(key["key"]) for key in issued)
    assert deployment.accepts(other["key"])
    tombstone = deployment.stored(issued[0]["id"])
    assert tombstone
    assert tombstone == before | {
        "revokedAt": {"S": "2026-11-22T12:01:00.000Z"},
        "revokedBy": {"S": "alice"},
        "revokedVia": {"S": "all"},
        "revokedFrom": {"S": "192.0.2.1"},
        "revokedTokenId": {"S": ""},
        "revokedReason": {"S": "compromised"},
        "revokedIn": tombstone["revokedIn"],
    }
    page = deployment.call("ListApiKeys", deployment.token(), path={"id": application_id}).body["items"]
    assert {(key["status"], key["revokedVia"]) for key in page} == {("revoked", "all")}


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apikeys.store.listings.MOST_IN_A_BATCH", 4)


def test_200_more_keys_than_a_batch_read_takes(deployment: Deployment, small_batches: None) -> None:
    application_id = deployment.application()
    issued = [deployment.issue(application_id) for _ in range(9)]
    deployment.calls.clear()
    assert revoke_all(deployment, application_id).body == {"revoked": 9}
    assert deployment.calls.count(("dynamodb:BatchGetItem", "ApiKeysTable")) == 3
    assert not any(deployment.accepts(key["key"]) for key in issued)


def test_200_again_and_keys_that_were_revoked_before_stay_as_they_were(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    application_id = deployment.application()
    first, second = deployment.issue(application_id), deployment.issue(application_id)
    deployment.revoke(application_id, first["id"], deployment.token())
    tombstone = deployment.stored(first["id"])
    clock.shift(60)
    assert revoke_all(deployment, application_id).body == {"revoked": 1}
    assert deployment.stored(first["id"]) == tombstone
    before = deployment.everything()
    clock.shift(60)
    assert revoke_all(deployment, application_id, reason="other").body == {"revoked": 0}
    assert deployment.everything() == before
    assert not deployment.accepts(second["key"])


def test_200_expired_keys_are_revoked_and_counted(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    application_id = deployment.application()
    issued = deployment.issue(application_id, expiresAt="2026-11-22T12:00:01Z")
    clock.shift(60)
    assert revoke_all(deployment, application_id).body == {"revoked": 1}
    assert "revokedAt" in (deployment.stored(issued["id"]) or {})


def test_200_the_successor_of_a_rotation_is_a_key_like_any_other(deployment: Deployment) -> None:
    old = deployment.issue()
    path = {"id": old["applicationId"], "keyId": old["id"]}
    new = deployment.call("RotateApiKey", deployment.token(), path=path, body={"overlapSeconds": 60}).body
    assert revoke_all(deployment, old["applicationId"]).body == {"revoked": 2}
    assert not deployment.accepts(old["key"])
    assert not deployment.accepts(new["key"])


def test_200_an_application_without_keys(deployment: Deployment) -> None:
    assert revoke_all(deployment, deployment.application()).body == {"revoked": 0}


def test_200_an_administrator_revokes_any_owners_keys(deployment: Deployment) -> None:
    issued = deployment.issue()
    admin = deployment.token("root", "api-keys:admin")
    assert revoke_all(deployment, issued["applicationId"].upper(), admin).body == {"revoked": 1}
    stored = deployment.stored(issued["id"])
    assert stored
    assert stored["revokedBy"] == {"S": "root"}


def test_keys_that_are_revoked_already_cost_one_query_and_one_batch_read(deployment: Deployment) -> None:
    application_id = deployment.application()
    for _ in range(5):
        deployment.issue(application_id)
    revoke_all(deployment, application_id)
    deployment.calls.clear()
    revoke_all(deployment, application_id)
    assert deployment.calls == [
        ("dynamodb:GetItem", "ApplicationsTable"),
        ("dynamodb:Query", "ListingsTable"),
        ("dynamodb:BatchGetItem", "ApiKeysTable"),
    ]


def test_400_names_what_is_wrong(deployment: Deployment) -> None:
    answer = revoke_all(deployment, "42")
    assert (answer.status, answer.body) == (400, bad_request("id"))
    issued = deployment.issue()
    for reason in ("", "x", "Compromised", "other,other"):
        answer = revoke_all(deployment, issued["applicationId"], reason=reason)
        message = "must be one of compromised, leaked, rotated, unused, other"
        assert (answer.status, answer.body) == (400, bad_request(reason=message))
    assert deployment.accepts(issued["key"])


def test_401_403_and_404_change_nothing(deployment: Deployment) -> None:
    """Guarantee: a stranger ends no key, and is not told more than that."""
    issued = deployment.issue()
    before, path = deployment.everything(), {"id": issued["applicationId"]}
    nobody = deployment.call("RevokeAllApiKeys", path=path)
    assert (nobody.status, nobody.body) == (401, UNAUTHORIZED)
    for token in (deployment.token(scope="api-keys:write"), deployment.token("bob")):
        answer = revoke_all(deployment, issued["applicationId"], token)
        assert (answer.status, answer.body) == (403, FORBIDDEN)
    for token in (deployment.token(), deployment.token("root", "api-keys:admin")):
        answer = revoke_all(deployment, str(uuid.uuid4()), token)
        assert (answer.status, answer.body) == (404, NOT_FOUND)
    assert deployment.everything() == before


def test_503_if_the_time_is_not_enough_and_each_repetition_goes_on(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee: what was revoked stays so, in its first state, and every repetition makes progress."""
    application_id = deployment.application()
    issued = [deployment.issue(application_id) for _ in range(20)]
    call = RecordedDynamoDb.call

    def answered(at_most: int) -> tuple[Answer, int]:
        """Repeat the call, with time for so many updates."""
        updates = itertools.count()

        def in_time(self: RecordedDynamoDb, operation: str, request: dict[str, Any]) -> dict[str, Any]:
            if operation == "UpdateItem" and next(updates) >= at_most:
                raise ServiceUnavailable("DynamoDB: no time is left to ask")
            return call(self, operation, request)

        with monkeypatch.context() as patch:
            patch.setattr(RecordedDynamoDb, "call", in_time)
            answer = revoke_all(deployment, application_id)
        return answer, sum(deployment.accepts(key["key"]) for key in issued)

    for left in (13, 6):
        answer, still_good = answered(7)
        assert (answer.status, answer.headers["retry-after"], still_good) == (503, "1", left)
    first = {key["id"]: deployment.stored(key["id"]) for key in issued if not deployment.accepts(key["key"])}
    answer, still_good = answered(7)
    assert (answer.status, answer.body, still_good) == (200, {"revoked": 6}, 0)
    assert {id_: deployment.stored(id_) for id_ in first} == first


def test_503_for_one_key_does_not_keep_the_others(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, small_batches: None
) -> None:
    """Guarantee: a key whose item is busy keeps no other from being revoked, in whatever batch."""
    application_id = deployment.application()
    issued = [deployment.issue(application_id) for _ in range(9)]
    busy, call = issued[-1], RecordedDynamoDb.call

    def refuse_one(self: RecordedDynamoDb, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "UpdateItem" and request["Key"]["keyId"]["S"] == busy["id"]:
            raise ServiceUnavailable("DynamoDB: ThrottlingException")
        return call(self, operation, request)

    with monkeypatch.context() as patch:
        patch.setattr(RecordedDynamoDb, "call", refuse_one)
        assert revoke_all(deployment, application_id).status == 503
    assert [key["id"] for key in issued if deployment.accepts(key["key"])] == [busy["id"]]
    assert revoke_all(deployment, application_id).body == {"revoked": 1}


def test_each_write_takes_what_is_left_of_the_requests_time(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee: the writes under way at once have the one deadline of their request, not one each."""
    issued, call = deployment.issue(), RecordedDynamoDb.call
    left: dict[str, float] = {}

    def look(self: RecordedDynamoDb, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        left[operation] = deadline.left()
        return call(self, operation, request)

    with monkeypatch.context() as patch:
        patch.setattr(RecordedDynamoDb, "call", look)
        assert revoke_all(deployment, issued["applicationId"]).status == 200
    assert left["UpdateItem"] < left["BatchGetItem"] < left["Query"] < left["GetItem"] < deadline.DEFAULT


def test_its_time_ends_before_api_gateways(deployment: Deployment) -> None:
    """API Gateway waits 30 seconds for a function; then it would answer in its own words, without `Retry-After`."""
    functions = deployment.template.resources("AWS::Serverless::Function")
    assert functions["RevokeAllApiKeysFunction"]["Timeout"] < 30


def test_an_item_stays_under_a_kilobyte(deployment: Deployment) -> None:
    """One write unit for each key, also of the longest ordinary one."""
    issued = deployment.issue(
        name="x" * 100,
        scopes=[f"resource-{n}:read" for n in range(20)],
        expiresAt="2999-01-01T00:00:00Z",
    )
    revoke_all(deployment, issued["applicationId"], reason="compromised")
    item = deployment.stored(issued["id"])
    assert item
    assert size_of(item) < 1024
