"""Issue a key, and read it back."""

import re
import uuid
from typing import Any

import pytest
import time_machine

from apikeys.keys import ApiKey
from tests.deployment import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, Deployment, bad_request, size_of

# As the README documents it.
FORMAT = re.compile(r"ak_[0-9A-Za-z]{22}[0-9A-Za-z]{43}[0-9A-Za-z]{6}")
TOMORROW = "2026-11-23T12:00:00.000Z"


def test_201_the_key_is_shown_this_once(deployment: Deployment, clock: time_machine.Traveller) -> None:
    application_id = deployment.application()
    issued = deployment.issue(application_id, name="ci", scopes=["read", "write", "read"], expiresAt=TOMORROW)
    key = ApiKey.parse(issued["key"])
    assert key
    assert FORMAT.fullmatch(issued["key"])
    assert issued == {
        "id": key.key_id,
        "applicationId": application_id,
        "name": "ci",
        "start": issued["key"][:9],
        "scopes": ["read", "write"],
        "status": "active",
        "createdAt": "2026-11-22T12:00:00.000Z",
        "createdBy": "alice",
        "expiresAt": TOMORROW,
        "revokedAt": None,
        "revokedBy": None,
        "revokedVia": None,
        "revokedReason": None,
        "key": issued["key"],
    }
    path = {"id": application_id, "keyId": key.key_id}
    read = deployment.call("ReadApiKey", deployment.token(), path=path)
    shown = {name: value for name, value in issued.items() if name != "key"}
    # What a revoke would hit: for on-call, which has nothing but ids.
    details = {"applicationName": "An application", "ownerId": "alice", "leakedIn": None}
    assert (read.status, read.body) == (200, shown | details)


def test_only_the_hash_of_the_secret_is_stored(deployment: Deployment) -> None:
    """Guarantee: a leaked table reveals no key. Seen to fail with the secret in place of its hash."""
    issued = deployment.issue()
    key = ApiKey.parse(issued["key"])
    assert key
    stored = deployment.stored(key.key_id)
    assert stored
    assert stored["hash"] == {"B": key.hash}
    assert key.secret not in str(stored)
    assert issued["key"] not in str(stored)


def test_an_item_stays_under_a_kilobyte(deployment: Deployment, clock: time_machine.Traveller) -> None:
    """One write unit a revoke, one read unit (of 4 KB) a check."""
    issued = deployment.issue(
        name="x" * 100, scopes=[f"resource-{n}:read" for n in range(20)], expiresAt=TOMORROW
    )
    path = {"id": issued["applicationId"], "keyId": issued["id"]}
    deployment.call("RevokeApiKey", deployment.token(), path=path, query={"reason": "compromised"})
    item = deployment.stored(issued["id"])
    assert item
    assert size_of(item) < 1024


def test_an_administrator_issues_for_the_owner(deployment: Deployment) -> None:
    path = {"id": deployment.application("alice")}
    admin = deployment.token("root", "api-keys:admin")
    issued = deployment.call("IssueApiKey", admin, path=path, body={"name": "x"}).body
    stored = deployment.stored(issued["id"])
    assert stored
    assert (stored["ownerId"], stored["createdBy"]) == ({"S": "alice"}, {"S": "root"})


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["name"]),
        ({"name": "x", "scopes": "read"}, ["scopes"]),
        ({"name": "x", "scopes": ["read", "Write", ""]}, ["scopes[1]", "scopes[2]"]),
        ({"name": "x", "scopes": ["a b"]}, ["scopes[0]"]),
        ({"name": "x", "scopes": ["a\n"]}, ["scopes[0]"]),
        ({"name": "x", "scopes": ["a" * 65]}, ["scopes[0]"]),
        ({"name": "x", "scopes": [1, None]}, ["scopes[0]", "scopes[1]"]),
        ({"name": "x", "scopes": ["a"] * 21}, ["scopes"]),
        ({"name": "x", "expiresAt": "tomorrow"}, ["expiresAt"]),
        ({"name": "x", "expiresAt": 1900000000}, ["expiresAt"]),
        ({"name": "x", "expiresAt": "1900000000"}, ["expiresAt"]),
        ({"name": "x", "expiresAt": "2030-01-01"}, ["expiresAt"]),
        ({"name": "x", "expiresAt": "2030-01-01T00:00:00"}, ["expiresAt"]),
        ({"name": "x", "expiresAt": "2030-02-30T00:00:00Z"}, ["expiresAt"]),
        ({"name": "x", "expiresAt": "2030-01-01T25:00:00Z"}, ["expiresAt"]),
        ({"name": "x", "expiresAt": "9999-12-31T23:59:59-01:00"}, ["expiresAt"]),
        ({"name": "x", "expiresAt": "0001-01-01T00:00:00+01:00"}, ["expiresAt"]),
        ({"name": "x", "expiresAt": "2026-11-22T12:00:00Z"}, ["expiresAt"]),
        ({"name": "x", "expires_at": "2030-01-01T00:00:00Z"}, ["expires_at"]),
        ({"scopes": ["!"], "expiresAt": "x", "prefix": "y"}, ["name", "scopes[0]", "expiresAt", "prefix"]),
    ],
    ids=str,
)
def test_400_names_each_violation_by_its_json_path(
    deployment: Deployment, clock: time_machine.Traveller, body: Any, fields: list[str]
) -> None:
    before = deployment.everything()
    answer = deployment.call("IssueApiKey", deployment.token(), path={"id": str(uuid.uuid4())}, body=body)
    assert answer.status == 400
    assert [detail["field"] for detail in answer.body["details"]] == fields
    assert deployment.everything() == before


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z"),
        ("2030-01-01t01:00:00.1239+01:00", "2030-01-01T00:00:00.123Z"),
        ("2026-11-22T12:00:00.001z", "2026-11-22T12:00:00.001Z"),
    ],
)
def test_an_expiry_is_kept_in_utc(
    deployment: Deployment, clock: time_machine.Traveller, given: str, stored: str
) -> None:
    assert deployment.issue(expiresAt=given)["expiresAt"] == stored


@pytest.mark.parametrize("function", ["IssueApiKey", "ListApiKeys"])
def test_401_400_404_403(deployment: Deployment, function: str) -> None:
    own, body = {"id": deployment.application("alice")}, {"name": "x"}
    bob = deployment.token("bob")
    for token, path, status, expected in (
        (None, own, 401, UNAUTHORIZED),
        (deployment.token(scope=""), own, 403, FORBIDDEN),
        (bob, {"id": "42"}, 400, bad_request("id")),
        (bob, {"id": str(uuid.uuid4())}, 404, NOT_FOUND),
        (bob, own, 403, FORBIDDEN),
    ):
        before = deployment.everything()
        answer = deployment.call(function, token, path=path, body=body)
        assert (answer.status, answer.body) == (status, expected)
        assert deployment.everything() == before


@pytest.mark.parametrize("function", ["ReadApiKey", "RotateApiKey"])
def test_one_key_is_found_in_its_application_and_by_its_owner_only(
    deployment: Deployment, function: str
) -> None:
    issued = deployment.issue(owner="alice")
    own, elsewhere = issued["applicationId"], deployment.application("alice")
    alice, bob = deployment.token("alice"), deployment.token("bob")
    for token, path, status, expected in (
        (None, (own, issued["id"]), 401, UNAUTHORIZED),
        (deployment.token(scope=""), (own, issued["id"]), 403, FORBIDDEN),
        (alice, ("42", "42"), 400, bad_request("id", "keyId")),
        (alice, (own, str(uuid.uuid4())), 404, NOT_FOUND),
        (alice, (elsewhere, issued["id"]), 404, NOT_FOUND),
        (bob, (elsewhere, issued["id"]), 404, NOT_FOUND),
        (bob, (own, issued["id"]), 403, FORBIDDEN),
    ):
        before = deployment.everything()
        answer = deployment.call(function, token, path=dict(zip(("id", "keyId"), path, strict=True)))
        assert (answer.status, answer.body) == (status, expected)
        assert deployment.everything() == before


def test_the_tombstone_says_when_by_whom_and_why(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    issued = deployment.issue(owner="alice")
    path = {"id": issued["applicationId"], "keyId": issued["id"]}
    admin = deployment.token("on-call", "api-keys:admin")
    assert deployment.call("RevokeApiKey", admin, path=path, query={"reason": "compromised"}).body == {}
    tombstone = deployment.call("ReadApiKey", deployment.token(), path=path).body
    assert (tombstone["status"], tombstone["revokedAt"]) == ("revoked", "2026-11-22T12:00:00.000Z")
    assert (tombstone["revokedBy"], tombstone["revokedReason"]) == ("on-call", "compromised")


@pytest.mark.parametrize("reason", ["compromised", "leaked", "rotated", "unused", "other"])
def test_a_revoke_keeps_its_reason(deployment: Deployment, reason: str) -> None:
    issued = deployment.issue()
    path = {"id": issued["applicationId"], "keyId": issued["id"]}
    assert (
        deployment.call("RevokeApiKey", deployment.token(), path=path, query={"reason": reason}).status == 200
    )
    assert deployment.call("ReadApiKey", deployment.token(), path=path).body["revokedReason"] == reason


@pytest.mark.parametrize("reason", ["", "stolen", "Compromised", "compromised,other", " other", "x" * 5000])
def test_a_revoke_for_another_reason_is_400_and_changes_nothing(deployment: Deployment, reason: str) -> None:
    issued = deployment.issue()
    path = {"id": issued["applicationId"], "keyId": issued["id"]}
    answer = deployment.call("RevokeApiKey", deployment.token(), path=path, query={"reason": reason})
    message = "must be one of compromised, leaked, rotated, unused, other"
    assert (answer.status, answer.body) == (400, bad_request(reason=message))
    assert deployment.accepts(issued["key"])
