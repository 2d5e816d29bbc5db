"""List an application's keys."""

import json
import uuid
from typing import Any

import pytest
import time_machine

from apikeys.keys import ApiKey
from tests.deployment import Deployment, bad_request


def pages(deployment: Deployment, application_id: str, **query: str) -> list[list[dict[str, Any]]]:
    found, cursor = [], None
    while True:
        asked = query | ({"cursor": cursor} if cursor else {})
        answer = deployment.call("ListApiKeys", deployment.token(), path={"id": application_id}, query=asked)
        assert answer.status == 200, answer
        found.append(answer.body["items"])
        cursor = answer.body["nextCursor"]
        if cursor is None:
            return found


@pytest.fixture(scope="module")
def many(deployment: Deployment) -> tuple[str, list[dict[str, Any]]]:
    """250 keys: every fifth is revoked, every seventh of the others expired."""
    application_id, keys = deployment.application(), []
    with time_machine.travel("2026-11-22T09:00:00Z", tick=False) as clock:
        for number in range(250):
            # Some share a millisecond: the order is still one order.
            clock.shift(number % 3)
            expires = {"expiresAt": "2026-11-22T11:00:00Z"} if number % 7 == 0 and number % 5 else {}
            keys.append(deployment.issue(application_id, name=f"key {number}", **expires))
            if number % 5 == 0:
                path = {"id": application_id, "keyId": keys[-1]["id"]}
                deployment.call("RevokeApiKey", deployment.token(), path=path)
    return application_id, keys


@pytest.mark.parametrize(
    ("limit", "sizes"), [("100", [100, 100, 50]), ("50", [50] * 5), ("99", [99, 99, 52])]
)
def test_250_keys_page_newest_first_each_once(
    deployment: Deployment, clock: time_machine.Traveller, many: Any, limit: str, sizes: list[int]
) -> None:
    application_id, keys = many
    found = pages(deployment, application_id, limit=limit)
    assert [len(page) for page in found] == sizes
    listed = [key for page in found for key in page]
    assert sorted(key["id"] for key in listed) == sorted(key["id"] for key in keys)
    assert [key["createdAt"] for key in listed] == sorted((key["createdAt"] for key in keys), reverse=True)


def test_fifty_are_listed_unless_asked_otherwise(
    deployment: Deployment, clock: time_machine.Traveller, many: Any
) -> None:
    answer = deployment.call("ListApiKeys", deployment.token(), path={"id": many[0]})
    assert len(answer.body["items"]) == 50


@pytest.mark.parametrize(
    "statuses", ["active", "revoked", "expired", "active,expired", "revoked,active,expired"]
)
def test_keys_of_some_statuses(
    deployment: Deployment, clock: time_machine.Traveller, many: Any, statuses: str
) -> None:
    application_id, keys = many
    expected: dict[str, list[str]] = {"revoked": [], "expired": [], "active": []}
    for number, key in enumerate(keys):
        state = "revoked" if number % 5 == 0 else "expired" if number % 7 == 0 else "active"
        expected[state].append(key["id"])
    found = pages(deployment, application_id, limit="20", status=statuses)
    assert all(len(page) == 20 for page in found[:-1])
    listed = [(key["id"], key["status"]) for page in found for key in page]
    assert sorted(listed) == sorted((i, state) for state in statuses.split(",") for i in expected[state])


def test_a_list_never_shows_a_hash_or_a_secret(
    deployment: Deployment, clock: time_machine.Traveller, many: Any
) -> None:
    """Guarantee: after it was issued, no answer holds a key, its secret or its hash."""
    application_id, keys = many
    text = json.dumps(pages(deployment, application_id, limit="100"))
    for issued in keys:
        key = ApiKey.parse(issued["key"])
        assert key
        assert key.secret not in text
        assert key.hash.hex() not in text
    assert "hash" not in text


def test_a_revoked_key_is_never_listed_as_active(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    """Guarantee: the list reads each key's state from the table of keys; a listing has nothing but ids."""
    issued = deployment.issue()
    application_id, path = issued["applicationId"], {"id": issued["applicationId"], "keyId": issued["id"]}
    deployment.call("RevokeApiKey", deployment.token(), path=path)
    assert pages(deployment, application_id, status="active") == [[]]
    [[listed]] = pages(deployment, application_id)
    assert listed["status"] == "revoked"
    entries = deployment.dynamodb.scan(TableName="ListingsTable")["Items"]
    assert all(set(item) == {"list", "position"} for item in entries)


def test_all_that_is_read_is_read_strongly_consistently(deployment: Deployment) -> None:
    """Guarantee: a key is in the first list after its 201. Nothing is read that may lag."""
    issued = deployment.issue()
    path = {"id": issued["applicationId"], "keyId": issued["id"]}
    for function in ("ListApiKeys", "ListApplications", "ReadApiKey"):
        deployment.requests.clear()
        assert deployment.call(function, deployment.token(), path=path).status == 200
        for operation, request in deployment.requests:
            [read] = request["RequestItems"].values() if operation == "BatchGetItem" else [request]
            assert read["ConsistentRead"] is True


def test_a_page_is_one_query_and_one_batch_read(deployment: Deployment, many: Any) -> None:
    deployment.calls.clear()
    deployment.requests.clear()
    deployment.call("ListApiKeys", deployment.token(), path={"id": many[0]}, query={"limit": "99"})
    assert deployment.calls == [
        ("dynamodb:GetItem", "ApplicationsTable"),
        ("dynamodb:Query", "ListingsTable"),
        ("dynamodb:BatchGetItem", "ApiKeysTable"),
    ]
    [query] = [request for operation, request in deployment.requests if operation == "Query"]
    assert query["Limit"] == 100, "one more tells whether there is more"


def test_a_page_makes_a_bounded_number_of_calls_though_nothing_is_found(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee: however many keys do not have the status, a request ends; the next one goes on from there."""
    monkeypatch.setattr("apikeys.store.listings.PAIRS", 2)
    monkeypatch.setattr("apikeys.store.listings.MOST_IN_A_BATCH", 5)
    application_id = deployment.application()
    oldest = deployment.issue(application_id)
    for _ in range(20):
        path = {"id": application_id, "keyId": deployment.issue(application_id)["id"]}
        deployment.call("RevokeApiKey", deployment.token(), path=path)
    deployment.calls.clear()
    found = pages(deployment, application_id, limit="1", status="active")
    assert [[key["id"] for key in page] for page in found] == [[], [], [oldest["id"]]]
    assert len(deployment.calls) == (1 + 2 * 2) + (1 + 2 * 2) + (1 + 2)


def test_an_entry_without_its_key_is_skipped(deployment: Deployment) -> None:
    """It is what an issue leaves that was stopped between its two writes."""
    application_id = deployment.application()
    first = deployment.issue(application_id)
    for number in range(3):
        position = f"2099-01-01T00:00:00.00{number}Z {uuid.uuid4()}"
        entry = {"list": {"S": f"keys of {application_id}"}, "position": {"S": position}}
        deployment.dynamodb.put_item(TableName="ListingsTable", Item=entry)
    for limit in ("1", "2", "100"):
        found = pages(deployment, application_id, limit=limit)
        assert [key["id"] for page in found for key in page] == [first["id"]]


def test_an_entry_that_names_another_applications_key_shows_nothing_of_it(deployment: Deployment) -> None:
    """Guarantee: what is listed is held against whose list it is, whoever wrote the entry.

    Seen to fail with applications compared by their order, either way.
    """
    application_id = deployment.application()
    for other in (0, 2**128 - 1):
        foreign = deployment.put_key(application_id=str(uuid.UUID(int=other)))
        position = f"{foreign['createdAt']} {foreign['keyId']}"
        entry = {"list": {"S": f"keys of {application_id}"}, "position": {"S": position}}
        deployment.dynamodb.put_item(TableName="ListingsTable", Item=entry)
    assert pages(deployment, application_id) == [[]]


def test_a_cursor_of_one_application_reads_nothing_of_another(deployment: Deployment) -> None:
    """Guarantee: a cursor is a position, never a permission."""
    foreign = deployment.application("bob")
    for _ in range(3):
        deployment.issue(foreign, owner="bob")
    bob = deployment.token("bob")
    cursor = deployment.call("ListApiKeys", bob, path={"id": foreign}, query={"limit": "1"}).body[
        "nextCursor"
    ]
    own = deployment.issue()["applicationId"]
    answer = deployment.call("ListApiKeys", deployment.token(), path={"id": own}, query={"cursor": cursor})
    assert answer.status == 200
    assert all(item["applicationId"] == own for item in answer.body["items"])


@pytest.mark.parametrize("status", ["x", "Active", "active,", "active, revoked", "," * 100])
def test_400_for_another_status(deployment: Deployment, status: str) -> None:
    answer = deployment.call(
        "ListApiKeys", deployment.token(), path={"id": str(uuid.uuid4())}, query={"status": status}
    )
    message = "must be one or more of active, revoked, expired"
    assert (answer.status, answer.body) == (400, bad_request(status=message))
