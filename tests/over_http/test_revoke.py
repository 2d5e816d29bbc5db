"""The documented DELETE, over HTTP."""

import base64
import json
import time
import uuid

import pytest

from apikeys.issuer import IssuerKeys
from tests.deployment import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, bad_request
from tests.over_http.application import BOTH, Application, is_active
from tests.over_http.stack import Stack

METHOD_NOT_ALLOWED = {
    "error": "Method Not Allowed",
    "message": "The requested resource does not support this method",
    "code": 405,
}


def test_200_and_the_key_is_revoked(stack: Stack) -> None:
    key = stack.put_key()
    answer = stack.revoke(key.application_id, key.key_id, stack.token())
    assert (answer.status_code, answer.text) == (200, "{}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    stored = stack.stored(key.key_id)
    assert stored
    assert stored["revokedBy"] == {"S": "alice"}


def test_200_again_and_the_first_revocation_stays(stack: Stack) -> None:
    key = stack.put_key()
    assert stack.revoke(key.application_id, key.key_id, stack.token()).status_code == 200
    first = stack.stored(key.key_id)
    admin = stack.token("admin", "api-keys:admin")
    answer = stack.revoke(key.application_id, key.key_id, admin, api=1)
    assert (answer.status_code, answer.text) == (200, "{}")
    assert stack.stored(key.key_id) == first


def test_200_for_ids_in_upper_case(stack: Stack) -> None:
    key = stack.put_key()
    answer = stack.revoke(key.application_id.upper(), key.key_id.upper(), stack.token())
    assert answer.status_code == 200
    assert "revokedAt" in (stack.stored(key.key_id) or {})


def test_400_names_what_is_no_uuid(stack: Stack) -> None:
    good = str(uuid.uuid4())
    for application_id, key_id, fields in (
        ("42", good, ["id"]),
        (good, "42", ["keyId"]),
        (f"%7B{good}%7D", "%00", ["id", "keyId"]),
        (good, good + "%0A", ["keyId"]),
    ):
        answer = stack.revoke(application_id, key_id, stack.token())
        assert (answer.status_code, answer.json()) == (400, bad_request(*fields))


def test_401_for_whatever_is_no_good_token(stack: Stack) -> None:
    key, good = stack.put_key(), stack.token()
    header, claims, signature = good.split(".")
    unsigned = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    for token in (
        None,
        "not-a-token",
        f"{header}.{claims}.{signature[::-1]}",
        f"{unsigned}.{claims}.{signature}",
        stack.token(exp=int(time.time()) - 3600),
        stack.token(iss="https://elsewhere.example.com"),
        stack.token(aud="another"),
        stack.token(sub=None),
    ):
        answer = stack.revoke(key.application_id, key.key_id, token)
        assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
        assert answer.headers["www-authenticate"].startswith('Bearer realm="api-keys"')
    assert "revokedAt" not in (stack.stored(key.key_id) or {})


def test_403_without_the_scope_and_for_another_owners_key(stack: Stack) -> None:
    key = stack.put_key("alice")
    for token in (stack.token(scope=None), stack.token(scope="api-keys:read"), stack.token("bob")):
        answer = stack.revoke(key.application_id, key.key_id, token)
        assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
    assert "revokedAt" not in (stack.stored(key.key_id) or {})


def test_404s_are_identical_for_no_key_and_for_another_applications(stack: Stack) -> None:
    key, absent = stack.put_key(), str(uuid.uuid4())
    elsewhere = stack.revoke(str(uuid.uuid4()), key.key_id, stack.token())
    nowhere = stack.revoke(str(uuid.uuid4()), absent, stack.token())
    for answer in (elsewhere, nowhere):
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    assert elsewhere.content == nowhere.content
    assert stack.stored(absent) is None, "a revoke must never make an item"
    assert "revokedAt" not in (stack.stored(key.key_id) or {})


@pytest.mark.parametrize("api", BOTH)
@pytest.mark.parametrize("ending", ["", "/"])
def test_without_a_key_id_nothing_is_revoked(
    stack: Stack, application: Application, ending: str, api: int
) -> None:
    """Guarantee: the documented DELETE, its key id left empty, ends no key, and surely not all of an application."""
    keys = [application.issue() for _ in range(2)]
    path = f"/api/v1/applications/{application.id}/api-keys{ending}"
    answer = stack.send("DELETE", path, application.token, api=api)
    assert answer.status_code in (404, 405)
    assert answer.json()["code"] == answer.status_code
    for key in keys:
        assert "revokedAt" not in (stack.stored(key["id"]) or {"revokedAt": "gone"})
        assert is_active(stack, key["key"], api=api)


@pytest.mark.parametrize("api", BOTH)
def test_what_no_route_matches_is_a_404_or_a_405_in_the_documented_shape(stack: Stack, api: int) -> None:
    unknown = stack.send("GET", "/no/such/route", api=api)
    assert (unknown.status_code, unknown.json()) == (404, NOT_FOUND)
    other_method = stack.send("PATCH", stack.key_path(str(uuid.uuid4()), str(uuid.uuid4())), api=api)
    assert (other_method.status_code, other_method.json()) == (405, METHOD_NOT_ALLOWED)
    assert "DELETE" in other_method.headers["allow"].split(", ")


def test_a_key_of_the_issuer_that_the_container_has_not_seen_is_fetched(stack: Stack) -> None:
    """The issuer rotates its key: new tokens are accepted and old ones no longer, without a restart."""
    old = stack.token()
    key = stack.put_key()
    assert stack.revoke(key.application_id, key.key_id, old).status_code == 200
    stack.issuer.rotate()
    # No container may ask the issuer more often than that, so until then a new key may be unknown.
    time.sleep(IssuerKeys.COOLDOWN)
    assert stack.revoke(key.application_id, key.key_id, stack.token()).status_code == 200
    # 503 for as long as the issuer may not be asked again, 401 from then on.
    assert stack.revoke(key.application_id, key.key_id, old).status_code in (503, 401)
