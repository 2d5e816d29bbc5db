"""What was lost comes back from tables restored to a point in time, and no revoked key with it."""

import json
from typing import Any

import pytest

from tests.deployment import Deployment
from tests.snapshot import KEYS, everything, snapshot
from tools.endings import of_events, of_table
from tools.restore import Pair, restore


def lose(deployment: Deployment, issued: dict[str, Any]) -> None:
    """Take a key, its application and their entries in the lists out of the stack's tables."""
    deployment.dynamodb.delete_item(TableName="ApiKeysTable", Key={"keyId": {"S": issued["id"]}})
    deployment.dynamodb.delete_item(TableName="ApplicationsTable", Key={"id": {"S": issued["applicationId"]}})
    for item in everything(deployment, "ListingsTable"):
        if item["position"]["S"].endswith((issued["id"], issued["applicationId"])):
            deployment.dynamodb.delete_item(TableName="ListingsTable", Key=item)


def pairs(names: dict[str, str]) -> list[Pair]:
    order = ("ListingsTable", "ApplicationsTable", "ApiKeysTable")
    return [Pair(table, names[table], KEYS[table]) for table in order]


def revoke(deployment: Deployment, issued: dict[str, Any]) -> None:
    assert deployment.revoke(issued["applicationId"], issued["id"], deployment.token()).status == 200


def event(issued: dict[str, Any]) -> str:
    detail = {
        "keyId": issued["id"],
        "occurredAt": "2026-11-26T12:00:00.000Z",
        "by": "alice",
        "reason": "unused",
    }
    return json.dumps({"detail-type": "ApiKeyRevoked", "detail": detail})


def test_a_lost_key_comes_back_with_its_application_and_into_their_lists(deployment: Deployment) -> None:
    issued = deployment.issue()
    names = snapshot(deployment, issued["applicationId"])
    lose(deployment, issued)
    assert not deployment.accepts(issued["key"])
    assert restore(deployment.dynamodb, pairs(names), {}) == 0
    assert deployment.accepts(issued["key"])
    listed = deployment.call("ListApiKeys", deployment.token(), path={"id": issued["applicationId"]})
    assert [one["id"] for one in listed.body["items"]] == [issued["id"]]


def test_a_key_revoked_since_stays_revoked_where_its_tombstone_survives(deployment: Deployment) -> None:
    """Guarantee: the restored table has it active, and it is not restored from there."""
    issued = deployment.issue()
    names = snapshot(deployment, issued["applicationId"])
    revoke(deployment, issued)
    tombstone = deployment.stored(issued["id"])
    for _ in range(2):
        assert restore(deployment.dynamodb, pairs(names), {}) == 0
        assert not deployment.accepts(issued["key"])
        assert deployment.stored(issued["id"]) == tombstone


@pytest.mark.parametrize("known_by", ["an event", "another table"])
def test_a_key_revoked_since_comes_back_revoked_where_its_tombstone_is_lost_too(
    deployment: Deployment, known_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee: it is never active again, not for a moment: it is written as revoked, and not revoked afterwards."""
    monkeypatch.setattr("tools.restore.apply", lambda *_: (0, 0))
    issued = deployment.issue()
    names = snapshot(deployment, issued["applicationId"])
    revoke(deployment, issued)
    old = deployment.stored(issued["id"])
    assert old
    revoked = of_events([event(issued), "", '{"detail-type": "ApiKeyIssued", "detail": {}}'])
    if known_by == "another table":
        revoked = of_table([old])
    lose(deployment, issued)
    for _ in range(2):
        assert restore(deployment.dynamodb, pairs(names), revoked) == 0
        assert not deployment.accepts(issued["key"])
    assert (deployment.stored(issued["id"]) or {})["revokedAt"] == revoked[issued["id"]]["revokedAt"]


def test_what_was_brought_back_active_by_somebody_is_revoked(deployment: Deployment) -> None:
    issued = deployment.issue()
    names = snapshot(deployment, issued["applicationId"])
    revoked = of_events([event(issued)])
    assert deployment.accepts(issued["key"])
    assert restore(deployment.dynamodb, pairs(names), revoked) == 0
    assert not deployment.accepts(issued["key"])


def test_a_key_issued_since_stays(deployment: Deployment) -> None:
    application = deployment.application()
    names = snapshot(deployment, application)
    issued = deployment.issue(application)
    assert restore(deployment.dynamodb, pairs(names), {}) == 0
    assert deployment.accepts(issued["key"])
