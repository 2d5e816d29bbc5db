"""Revoke a key by its string: each documented outcome, by status."""

import copy
import io
import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine

from apikeys.keys import ApiKey
from apikeys.settings import SettingsError
from local.functions import Context
from local.template import Handler
from tests.deployment import FORBIDDEN, FORM, UNAUTHORIZED, Answer, Deployment, bad_request, sample_event

pytestmark = pytest.mark.usefixtures("clock")
JSON_HEADERS = {"content-type": "application/json", "cache-control": "no-store"}
FUNCTION = "RevokeLeakedApiKeyFunction"


def revoke(deployment: Deployment, key: str, **others: str) -> Answer:
    return deployment.revoke_by_string(urlencode({"token": key} | others))


def with_another_secret(issued: dict[str, Any]) -> str:
    return ApiKey(issued["id"], ApiKey.generate().secret).reveal()


def test_200_and_the_key_is_revoked_by_its_holder(deployment: Deployment) -> None:
    issued = deployment.issue()
    before = deployment.stored(issued["id"])
    assert before
    answer = revoke(deployment, issued["key"])
    assert (answer.status, answer.text, answer.headers) == (200, "{}", JSON_HEADERS)
    assert deployment.stored(issued["id"]) == before | {
        "revokedAt": {"S": "2026-11-22T12:00:00.000Z"},
        "revokedBy": {"S": "holder"},
        "revokedVia": {"S": "holder"},
        "revokedFrom": {"S": "192.0.2.1"},
        "revokedTokenId": {"S": ""},
        "revokedReason": {"S": "compromised"},
    }
    assert not deployment.accepts(issued["key"])


@pytest.mark.parametrize("reason", ["compromised", "leaked", "rotated", "unused", "other"])
def test_200_and_the_reason_is_kept(deployment: Deployment, reason: str) -> None:
    issued = deployment.issue()
    assert revoke(deployment, issued["key"], reason=reason).status == 200
    assert (deployment.stored(issued["id"]) or {})["revokedReason"] == {"S": reason}


@pytest.mark.parametrize(
    "others",
    [
        {"token_type_hint": "access_token"},
        {"token_type_hint": "no_such_hint"},
        {"client_id": "somebody", "anything": ""},
    ],
)
def test_200_whatever_else_the_form_has(deployment: Deployment, others: dict[str, str]) -> None:
    """RFC 7009, section 2.1: a hint is one that may be ignored; RFC 6749, section 3.2: so is what is not known."""
    issued = deployment.issue()
    assert revoke(deployment, issued["key"], **others).status == 200
    assert not deployment.accepts(issued["key"])


@pytest.mark.parametrize("authorization", ["Bearer x", "Bearer a.b.c", "Basic x", "nonsense"])
def test_200_whatever_the_authorization_header(deployment: Deployment, authorization: str) -> None:
    issued = deployment.issue()
    answer = deployment.call(
        "RevokeLeakedApiKey",
        body=f"token={issued['key']}",
        headers=FORM | {"authorization": authorization},
    )
    assert (answer.status, answer.text) == (200, "{}")
    assert not deployment.accepts(issued["key"])


def strings(deployment: Deployment) -> Iterator[tuple[str, str, int]]:
    """Yield what a string is, the string, and how many calls it may cost."""
    good, revoked, expired = (
        deployment.issue(),
        deployment.issue(),
        deployment.issue(expiresAt="2999-01-01T00:00:00Z"),
    )
    assert revoke(deployment, revoked["key"]).status == 200
    yield "unknown", ApiKey.generate().reveal(), 1
    yield "wrong secret", with_another_secret(good), 1
    yield "revoked", revoked["key"], 1
    yield "revoked, wrong secret", with_another_secret(revoked), 1
    yield "good", good["key"], 1
    yield "with an expiry", expired["key"], 1
    yield "cut", good["key"][:-1], 0
    yield "changed", good["key"][:-1] + ("a" if good["key"][-1] != "a" else "b"), 0
    yield "another prefix", ApiKey(good["id"], ApiKey.generate().secret, "live").reveal(), 0
    yield "a token", deployment.token(), 0
    yield "a space behind it", good["key"] + " ", 0


def test_the_answer_is_the_same_byte_for_byte_whatever_the_string_was_after_one_call_or_none(
    deployment: Deployment,
) -> None:
    """Guarantee: no oracle, neither in bytes and headers nor in the number of calls; junk costs none."""
    seen = set()
    for what, key, calls in strings(deployment):
        deployment.calls.clear()
        answer = revoke(deployment, key)
        assert (answer.status, answer.text, answer.headers) == (200, "{}", JSON_HEADERS), what
        assert deployment.calls == [("dynamodb:UpdateItem", "ApiKeysTable")] * calls, what
        seen.add(what)
    assert {"unknown", "wrong secret", "revoked", "good", "cut"} <= seen


def test_nothing_but_the_right_secret_changes_anything(deployment: Deployment) -> None:
    """Guarantee: neither a forged string nor one of a key that is revoked changes an item, or makes one."""
    good, revoked = deployment.issue(), deployment.issue()
    path = {"id": revoked["applicationId"], "keyId": revoked["id"]}
    assert deployment.call("RevokeApiKey", deployment.token(), path=path).status == 200
    before = deployment.everything()
    for key in (
        ApiKey.generate().reveal(),
        ApiKey.generate(key_id=str(uuid.uuid4())).reveal(),
        with_another_secret(good),
        with_another_secret(revoked),
        revoked["key"],
    ):
        assert revoke(deployment, key, reason="other").status == 200
    assert deployment.everything() == before, "the tombstone's empty reason stays empty, too"
    assert deployment.accepts(good["key"])


def test_the_proof_is_in_the_condition_and_the_secret_is_not_in_the_call(deployment: Deployment) -> None:
    issued = deployment.issue()
    deployment.requests.clear()
    revoke(deployment, issued["key"])
    [(operation, request)] = deployment.requests
    assert operation == "UpdateItem"
    assert request["ConditionExpression"] == "#hash = :hash AND attribute_not_exists(revokedAt)"
    assert issued["key"][25:68] not in json.dumps(request)


@pytest.mark.parametrize(
    "form", ["", "token=", "toke=x", "token=a&token=b", '{"token": "x"}', "token=&token=x"]
)
def test_400_unless_there_is_exactly_one_token(deployment: Deployment, form: str) -> None:
    before = deployment.everything()
    answer = deployment.revoke_by_string(form)
    assert (answer.status, answer.body) == (400, bad_request(token="must be given exactly once"))
    assert deployment.everything() == before


@pytest.mark.parametrize("reason", ["", "Leaked", "stolen", "compromised,other", "x" * 5000])
def test_400_for_an_unknown_reason_and_nothing_is_revoked(deployment: Deployment, reason: str) -> None:
    issued = deployment.issue()
    message = "must be one of compromised, leaked, rotated, unused, other"
    answer = revoke(deployment, issued["key"], reason=reason)
    assert (answer.status, answer.body) == (400, bad_request(reason=message))
    assert deployment.accepts(issued["key"])


def test_400_for_two_reasons(deployment: Deployment) -> None:
    issued = deployment.issue()
    answer = deployment.revoke_by_string(f"token={issued['key']}&reason=other&reason=other")
    assert (answer.status, answer.body) == (400, bad_request(reason="must be given once at most"))
    assert deployment.accepts(issued["key"])


def test_413_for_a_form_larger_than_any_use(deployment: Deployment) -> None:
    assert deployment.revoke_by_string("token=" + "x" * 16 * 1024).status == 413


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", "multipart/form-data"])
def test_415_for_another_content_type(deployment: Deployment, content_type: str) -> None:
    issued = deployment.issue()
    answer = deployment.call(
        "RevokeLeakedApiKey", body=f"token={issued['key']}", headers={"content-type": content_type}
    )
    assert (answer.status, answer.headers["accept"]) == (415, FORM["content-type"])
    assert deployment.accepts(issued["key"])


def test_the_log_tells_who_did_what_to_which_key_and_no_string(
    deployment: Deployment, log: io.StringIO
) -> None:
    """Guarantee: whatever the string was, no secret of it is logged."""
    issued = deployment.issue()
    log.truncate(log.seek(0))
    given = [issued["key"], issued["key"], with_another_secret(issued), "ak_junk"]
    for key in given:
        revoke(deployment, key)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["outcome"] for line in lines] == [
        "revoked",
        "was revoked before",
        "no such key, or another secret",
        "not a key string",
    ]
    assert {(line["via"], line["source"], line["status"]) for line in lines} == {("holder", "192.0.2.1", 200)}
    assert [line["key_id"] for line in lines[:3]] == [issued["id"]] * 3
    assert all(key[25:68] not in log.getvalue() for key in given[:3])


def test_presenting_a_revoked_key_to_be_revoked_does_not_set_off_the_tripwire(
    deployment: Deployment, log: io.StringIO
) -> None:
    issued = deployment.issue()
    for _ in range(2):
        revoke(deployment, issued["key"])
    assert "RevokedKeyUsed" not in log.getvalue()
    assert not deployment.accepts(issued["key"])
    assert "RevokedKeyUsed" in log.getvalue(), "using it does"


@pytest.fixture
def for_the_authorized(deployment: Deployment) -> Handler:
    """The function of a deployment that asks for a JWT besides."""
    function = deployment.template.functions()[FUNCTION]
    function.environment["REVOKE_BY_STRING"] = "authorized"
    return function.load()


@pytest.mark.parametrize(
    ("scope", "status", "body"),
    [
        ("api-keys:revoke", 200, {}),
        ("api-keys:admin", 200, {}),
        ("api-keys:read api-keys:write", 403, FORBIDDEN),
        (None, 401, UNAUTHORIZED),
    ],
)
def test_where_the_deployment_asks_for_it_a_jwt_with_the_scope_is_needed_besides(
    deployment: Deployment, for_the_authorized: Handler, scope: str | None, status: int, body: Any
) -> None:
    """Guarantee: then the string alone revokes nothing. Whose key it is does not matter: who has it may end it."""
    issued = deployment.issue(owner="alice")
    event = copy.deepcopy(sample_event("revoke_leaked_api_key/200")) | {"body": f"token={issued['key']}"}
    if scope:
        event["headers"]["authorization"] = f"Bearer {deployment.token('on-call', scope)}"
    answer = for_the_authorized(event, Context(FUNCTION))
    assert (answer["statusCode"], json.loads(answer["body"])) == (status, body)
    stored = deployment.stored(issued["id"]) or {}
    revoked = {"revokedBy": {"S": "on-call"}, "revokedVia": {"S": "holder"}} if status == 200 else {}
    assert {name: stored[name] for name in ("revokedBy", "revokedVia") if name in stored} == revoked
    assert deployment.accepts(issued["key"]) is (status != 200)


@pytest.mark.parametrize("mode", ["off", "", "true", "ON"])
def test_in_another_mode_the_function_does_not_start(deployment: Deployment, mode: str) -> None:
    function = deployment.template.functions()[FUNCTION]
    function.environment["REVOKE_BY_STRING"] = mode
    with pytest.raises(SettingsError):
        function.load()


def test_only_what_is_not_revoked_can_be_revoked_late(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    """Guarantee: the first tombstone stays, whoever comes later and by whichever way."""
    issued = deployment.issue()
    revoke(deployment, issued["key"], reason="other")
    first = deployment.stored(issued["id"])
    clock.shift(60)
    path = {"id": issued["applicationId"], "keyId": issued["id"]}
    revoke(deployment, issued["key"])
    deployment.call("RevokeApiKey", deployment.token(), path=path, query={"reason": "unused"})
    deployment.report_by_github({"token": issued["key"], "type": "t", "url": "https://github.com/"})
    assert deployment.stored(issued["id"]) == first
