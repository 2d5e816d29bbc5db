"""Rotate a key."""

import io
import json
from typing import Any

import pytest
import time_machine

from apikeys.dynamodb import ConditionFailed, DynamoDb
from tests.deployment import Answer, Deployment, RecordedDynamoDb, bad_request

pytestmark = pytest.mark.usefixtures("clock")
CONFLICT = {
    "error": "Conflict",
    "message": "The API key is no longer active, or has been rotated already",
    "code": 409,
}


def rotate(deployment: Deployment, key: dict[str, Any], body: Any = None) -> Answer:
    path = {"id": key["applicationId"], "keyId": key["id"]}
    return deployment.call("RotateApiKey", deployment.token("alice"), path=path, body=body)


def read(deployment: Deployment, key: dict[str, Any]) -> Any:
    path = {"id": key["applicationId"], "keyId": key["id"]}
    return deployment.call("ReadApiKey", deployment.token("alice"), path=path).body


@pytest.mark.parametrize("body", [None, {}, {"overlapSeconds": 0}])
def test_201_without_overlap_the_new_key_works_and_the_old_one_does_not(
    deployment: Deployment, body: Any
) -> None:
    old = deployment.issue(name="ci", scopes=["read"])
    answer = rotate(deployment, old, body)
    new = answer.body
    assert answer.status == 201
    assert (new["name"], new["scopes"], new["applicationId"]) == ("ci", ["read"], old["applicationId"])
    assert new["id"] != old["id"]
    assert deployment.accepts(new["key"])
    assert not deployment.accepts(old["key"])
    assert (read(deployment, old)["status"], read(deployment, old)["revokedReason"]) == ("revoked", "rotated")


def test_201_with_overlap_both_work_until_it_ends(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    old = deployment.issue()
    new = rotate(deployment, old, {"overlapSeconds": 60}).body
    clock.shift(59)
    assert deployment.accepts(old["key"])
    assert deployment.accepts(new["key"])
    clock.shift(1)
    assert not deployment.accepts(old["key"])
    assert deployment.accepts(new["key"])
    assert read(deployment, old)["status"] == "expired"


def test_the_old_key_never_outlives_its_own_expiry(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    old = deployment.issue(expiresAt="2026-11-22T12:00:30Z")
    new = rotate(deployment, old, {"overlapSeconds": 60}).body
    assert read(deployment, old)["expiresAt"] == "2026-11-22T12:00:30.000Z"
    clock.shift(30)
    assert not deployment.accepts(old["key"])
    assert not deployment.accepts(new["key"])


def test_the_new_key_lives_as_long_as_the_old_one_was_to(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    old = deployment.issue(expiresAt="2026-11-22T12:01:00Z")
    clock.shift(30)
    assert rotate(deployment, old).body["expiresAt"] == "2026-11-22T12:01:30.000Z"


def test_201_the_expiry_of_a_key_that_expires_at_the_end_of_time_is_capped_there(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    old = deployment.issue(expiresAt="9999-12-31T23:59:59Z")
    clock.shift(60)
    answer = rotate(deployment, old)
    assert (answer.status, answer.body["expiresAt"]) == (201, "9999-12-31T23:59:59.000Z")


def test_409_for_a_key_that_is_rotated_already_also_while_it_still_works(
    deployment: Deployment, log: io.StringIO
) -> None:
    """Guarantee: a repeated rotate makes no second new key."""
    old = deployment.issue()
    assert rotate(deployment, old, {"overlapSeconds": 60}).status == 201
    before = deployment.everything()
    answer = rotate(deployment, old, {"overlapSeconds": 600})
    assert (answer.status, answer.body) == (409, CONFLICT)
    assert deployment.everything() == before
    assert json.loads(log.getvalue().splitlines()[-1])["reason"] == "the key is rotated"


def test_409_for_a_revoked_key(deployment: Deployment) -> None:
    """Guarantee: a rotate brings no revoked key back."""
    old = deployment.issue()
    path = {"id": old["applicationId"], "keyId": old["id"]}
    deployment.call("RevokeApiKey", deployment.token(), path=path)
    before = deployment.everything()
    answer = rotate(deployment, old, {"overlapSeconds": 60})
    assert (answer.status, answer.body) == (409, CONFLICT)
    assert deployment.everything() == before


def test_409_for_an_expired_key(deployment: Deployment, clock: time_machine.Traveller) -> None:
    old = deployment.issue(expiresAt="2026-11-22T12:00:30Z")
    clock.shift(30)
    assert rotate(deployment, old, {"overlapSeconds": 60}).status == 409


@pytest.mark.parametrize("overlap", [0, 60])
def test_409_if_the_old_key_is_revoked_meanwhile_and_the_new_one_stays_dead_whatever_comes_late(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, overlap: int
) -> None:
    """Guarantee: what was taken back is not brought back by a write of it that was under way.

    Where the new key is deleted instead of revoked, it is.
    """
    old, call = deployment.issue(), RecordedDynamoDb.call
    deployment.requests.clear()

    def be_overtaken(self: RecordedDynamoDb, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "UpdateItem" and "replacedBy" in request["UpdateExpression"]:
            assert deployment.revoke(old["applicationId"], old["id"], deployment.token()).status == 200
        return call(self, operation, request)

    with monkeypatch.context() as patch:
        patch.setattr(RecordedDynamoDb, "call", be_overtaken)
        answer = rotate(deployment, old, {"overlapSeconds": overlap})
    assert (answer.status, answer.body) == (409, CONFLICT)
    puts = [request for operation, request in deployment.requests if operation == "PutItem"]
    [late] = [request for request in puts if request["TableName"] == "ApiKeysTable"]
    with pytest.raises(ConditionFailed):
        DynamoDb(deployment.dynamodb.meta.endpoint_url).call("PutItem", late)
    new = deployment.stored(late["Item"]["keyId"]["S"])
    assert new
    assert (new["revokedVia"], new["revokedReason"]) == ({"S": "rotate"}, {"S": "unused"})
    assert (deployment.stored(old["id"]) or {})["revokedVia"] == {"S": "api"}


def test_a_rotated_key_can_be_revoked_in_its_overlap(deployment: Deployment) -> None:
    old = deployment.issue()
    new = rotate(deployment, old, {"overlapSeconds": 600}).body
    path = {"id": old["applicationId"], "keyId": old["id"]}
    assert deployment.call("RevokeApiKey", deployment.token(), path=path).status == 200
    assert not deployment.accepts(old["key"])
    assert deployment.accepts(new["key"])


@pytest.mark.parametrize(
    ("overlap", "message"),
    [
        (-1, "Input should be greater than or equal to 0"),
        (604801, "Input should be less than or equal to 604800"),
        ("60", "Input should be a valid integer"),
        (1.5, "Input should be a valid integer, got a number with a fractional part"),
        (True, "Input should be a valid integer"),
        (None, "Input should be a valid integer"),
    ],
)
def test_400_for_another_overlap(deployment: Deployment, overlap: Any, message: str) -> None:
    old = deployment.issue()
    answer = rotate(deployment, old, {"overlapSeconds": overlap})
    assert answer.status == 400
    assert [detail["field"] for detail in answer.body["details"]] == ["overlapSeconds"]
    assert deployment.accepts(old["key"])
    assert (
        bad_request(overlapSeconds=message)["details"][0]["message"][:30]
        == answer.body["details"][0]["message"][:30]
    )


def test_seven_days_are_the_longest_overlap(deployment: Deployment, clock: time_machine.Traveller) -> None:
    old = deployment.issue()
    assert rotate(deployment, old, {"overlapSeconds": 604800}).status == 201
    clock.shift(604799)
    assert deployment.accepts(old["key"])
