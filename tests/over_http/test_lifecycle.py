"""The key's whole life over HTTP: issued, good, revoked, refused; its sibling still good."""

import uuid

from tests.deployment import FORBIDDEN, NOT_FOUND, UNAUTHORIZED
from tests.over_http.application import BOTH, Application, is_active, whoami
from tests.over_http.stack import Stack

ABSENT = str(uuid.uuid4())


def test_a_key_works_until_it_is_revoked_and_its_sibling_goes_on(
    stack: Stack, application: Application
) -> None:
    """Guarantee: from the 200 on it is refused everywhere; no other key of the application is."""
    key, sibling = application.issue(scopes=["weather:read"]), application.issue()
    for api in BOTH:
        assert is_active(stack, key["key"], api=api)
        assert whoami(stack, key["key"], api=api) == {
            "applicationId": application.id,
            "keyId": key["id"],
            "ownerId": "carol",
            "scopes": ["weather:read"],
        }
    application.revoke(key["id"], query="?reason=compromised")
    for api in BOTH:
        assert not is_active(stack, key["key"], api=api)
        assert whoami(stack, key["key"], api=api) is None
        assert is_active(stack, sibling["key"], api=api)
        assert whoami(stack, sibling["key"], api=api)["keyId"] == sibling["id"]


def test_what_is_issued_is_shown_once_and_its_tombstone_stays(stack: Stack, application: Application) -> None:
    key, sibling = application.issue(), application.issue()
    assert key["key"].startswith(key["start"])
    assert (key["status"], key["createdBy"], key["revokedAt"]) == ("active", "carol", None)
    application.revoke(key["id"], query="?reason=compromised")
    path = f"/api/v1/applications/{application.id}/api-keys"
    listing = stack.send("GET", path, application.token)
    found = {item["id"]: item for item in listing.json()["items"]}
    assert listing.json()["nextCursor"] is None
    assert {id_: item["status"] for id_, item in found.items()} == {
        key["id"]: "revoked",
        sibling["id"]: "active",
    }
    assert (found[key["id"]]["revokedBy"], found[key["id"]]["revokedReason"]) == ("carol", "compromised")
    one = stack.send("GET", f"{path}/{key['id']}", application.token, api=1)
    details = {"applicationName": "Weather widget", "ownerId": "carol", "leakedIn": None}
    assert one.json() == found[key["id"]] | details
    for answer in (listing, one):
        assert key["key"] not in answer.text
        assert "hash" not in answer.text


def test_a_rotated_key_is_replaced_at_once(stack: Stack, application: Application) -> None:
    old = application.issue(scopes=["weather:read"])
    path = f"/api/v1/applications/{application.id}/api-keys/{old['id']}/rotate"
    answer = stack.send("POST", path, application.token, json={"overlapSeconds": 0})
    assert answer.status_code == 201
    new = answer.json()
    stack.secrets.add(new["key"])
    assert (new["name"], new["scopes"]) == (old["name"], old["scopes"])
    for api in BOTH:
        assert whoami(stack, old["key"], api=api) is None
        assert whoami(stack, new["key"], api=api)["keyId"] == new["id"]


def test_all_keys_of_an_application_end_with_one_call_and_no_other_does(
    stack: Stack, application: Application
) -> None:
    """Guarantee: after the 200 each of them is refused everywhere; another application's keys are not."""
    keys, other = [application.issue() for _ in range(3)], Application.create(stack).issue()
    path = f"/api/v1/applications/{application.id}/api-keys"
    for expected in (3, 0):
        answer = stack.send("POST", f"{path}/revoke-all?reason=compromised", application.token)
        assert (answer.status_code, answer.json()) == (200, {"revoked": expected})
    for api in BOTH:
        assert [whoami(stack, key["key"], api=api) for key in keys] == [None] * 3
        assert whoami(stack, other["key"], api=api)["keyId"] == other["id"]
    items = stack.send("GET", path, application.token, api=1).json()["items"]
    assert {item["id"] for item in items} == {key["id"] for key in keys}
    assert {(item["status"], item["revokedVia"]) for item in items} == {("revoked", "all")}


def test_another_method_of_revoke_all_revokes_nothing(stack: Stack, application: Application) -> None:
    key = application.issue()
    path = f"/api/v1/applications/{application.id}/api-keys/revoke-all"
    for method, statuses in (("DELETE", {400, 405}), ("GET", {400, 405}), ("PATCH", {405})):
        assert stack.send(method, path, application.token).status_code in statuses
    assert whoami(stack, key["key"], api=0)


def test_the_authorizer_reads_either_header_and_refuses_all_that_is_no_good_key(
    stack: Stack, application: Application
) -> None:
    key = application.issue()["key"]
    other_secret = key[:30] + ("B" if key[30] == "A" else "A") + key[31:]

    def ask(headers: dict[str, str]) -> int:
        return stack.send("GET", "/api/v1/whoami", headers=headers).status_code

    assert ask({"X-API-Key": key}) == 200
    assert ask({"authorization": f"bearer {key}"}) == 200
    for headers in (
        {},
        {"Authorization": "Bearer ak_junk"},
        {"Authorization": f"Bearer {other_secret}"},
        {"Authorization": f"Bearer {application.token}"},
        {"Authorization": f"Basic {key}"},
        {"Authorization": f"Bearer {key}", "X-API-Key": other_secret},
    ):
        assert ask(headers) in (401, 403)


def test_another_owner_sees_and_does_nothing(stack: Stack, application: Application) -> None:
    key, bob = application.issue(), stack.token("bob")
    path = f"/api/v1/applications/{application.id}/api-keys"
    for method, target, body in (
        ("GET", path, None),
        ("POST", path, {"name": "mine"}),
        ("GET", f"{path}/{key['id']}", None),
        ("DELETE", f"{path}/{key['id']}", None),
        ("POST", f"{path}/{key['id']}/rotate", {}),
        ("POST", f"{path}/revoke-all", None),
    ):
        answer = stack.send(method, target, bob, json=body)
        assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
    assert whoami(stack, key["key"], api=0)


def test_each_route_asks_for_a_token(stack: Stack, application: Application) -> None:
    path = f"/api/v1/applications/{application.id}/api-keys"
    for method, target in (
        ("GET", "/api/v1/applications"),
        ("POST", "/api/v1/applications"),
        ("GET", path),
        ("POST", path),
        ("GET", f"{path}/{ABSENT}"),
        ("DELETE", f"{path}/{ABSENT}"),
        ("POST", f"{path}/{ABSENT}/rotate"),
        ("POST", f"{path}/revoke-all"),
        ("POST", "/api/v1/api-keys/introspect"),
    ):
        answer = stack.send(method, target)
        assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


def test_what_does_not_exist_is_a_404(stack: Stack, application: Application) -> None:
    path = f"/api/v1/applications/{application.id}/api-keys"
    for method, target, body in (
        ("GET", f"/api/v1/applications/{ABSENT}/api-keys", None),
        ("POST", f"/api/v1/applications/{ABSENT}/api-keys", {"name": "production"}),
        ("GET", f"{path}/{ABSENT}", None),
        ("POST", f"{path}/{ABSENT}/rotate", {}),
        ("POST", f"/api/v1/applications/{ABSENT}/api-keys/revoke-all", None),
    ):
        answer = stack.send(method, target, application.token, json=body)
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_a_body_that_is_none_is_named_member_by_member(stack: Stack) -> None:
    answer = stack.send("POST", "/api/v1/applications", stack.token(), json={"nam": "x"})
    assert answer.status_code == 400
    assert {detail["field"] for detail in answer.json()["details"]} == {"name", "nam"}
