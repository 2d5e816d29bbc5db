"""A key is revoked by its string, by its holder and by GitHub, over HTTP."""

import json

import pytest
import requests

from apikeys.keys import ApiKey
from tests.deployment import FORBIDDEN, bad_request
from tests.over_http.application import BOTH, Application, is_active, whoami
from tests.over_http.stack import Stack

BY_STRING, BY_GITHUB = "/api/v1/api-keys/revoke", "/api/v1/api-keys/leaked/github"


def revoke(stack: Stack, *, api: int = 0, **form: str) -> requests.Response:
    return stack.send("POST", BY_STRING, data=form, api=api)


def report(stack: Stack, *found: dict[str, str], api: int = 0, spoil: bytes = b"") -> requests.Response:
    body = json.dumps(found).encode()
    return stack.send(
        "POST", BY_GITHUB, data=body + spoil, headers=stack.issuer.github.headers(body), api=api
    )


@pytest.mark.parametrize("api", BOTH)
def test_200_and_the_key_is_refused_everywhere_and_its_sibling_is_not(
    stack: Stack, application: Application, api: int
) -> None:
    """Guarantee: who has the string may end it, and from the 200 on no check accepts it."""
    key, sibling = application.issue(), application.issue()
    answer = revoke(stack, token=key["key"], api=api)
    assert (answer.status_code, answer.text) == (200, "{}")
    for other in BOTH:
        assert whoami(stack, key["key"], api=other) is None
        assert not is_active(stack, key["key"], api=other)
        assert is_active(stack, sibling["key"], api=other)
    tombstone = stack.stored(key["id"]) or {}
    assert (tombstone["revokedBy"], tombstone["revokedVia"]) == ({"S": "holder"}, {"S": "holder"})
    assert tombstone["revokedReason"] == {"S": "compromised"}


def test_200_byte_for_byte_whatever_the_string_was(stack: Stack, application: Application) -> None:
    """Guarantee: no oracle."""
    key = application.issue()
    wrong = ApiKey(key["id"], ApiKey.generate().secret).reveal()
    answers = [
        revoke(stack, token=token)
        for token in (
            "junk",
            ApiKey.generate().reveal(),
            wrong,
            key["key"],
            key["key"],
            "ak_" + "\u00e9" * 71,
        )
    ]
    varying = {"date", "apigw-requestid"}
    seen = {
        (
            one.status_code,
            one.content,
            *sorted((k, v) for k, v in one.headers.items() if k.lower() not in varying),
        )
        for one in answers
    }
    assert len(seen) == 1
    assert answers[0].content == b"{}"


def test_400_names_what_is_wrong_and_415_another_content_type(stack: Stack, application: Application) -> None:
    key = application.issue()["key"]
    missing = revoke(stack, toke=key)
    assert (missing.status_code, missing.json()) == (400, bad_request(token="must be given exactly once"))
    reason = revoke(stack, token=key, reason="stolen")
    assert [one["field"] for one in reason.json()["details"]] == ["reason"]
    assert stack.send("POST", BY_STRING, json={"token": key}).status_code == 415
    assert is_active(stack, key, api=0)


@pytest.mark.parametrize("api", BOTH)
def test_what_github_found_is_revoked_and_github_told_what_it_was(
    stack: Stack, application: Application, api: int
) -> None:
    key, url = application.issue(), "https://github.com/octocat/hello/blob/main/\u00e9.txt"
    found = [{"token": token, "type": "api_keys", "url": url} for token in (key["key"], "ak_junk")]
    answer = report(stack, *found, api=api)
    assert answer.status_code == 200
    assert [(one["token_raw"], one["label"]) for one in answer.json()] == [
        (key["key"], "true_positive"),
        ("ak_junk", "false_positive"),
    ]
    assert whoami(stack, key["key"], api=api) is None
    path = stack.key_path(application.id, key["id"])
    shown = stack.send("GET", path, application.token).json()
    assert (shown["revokedBy"], shown["revokedReason"]) == ("github", "leaked")
    assert shown["leakedIn"] == "https://github.com/octocat/hello/blob/main/%C3%A9.txt"


def test_403_for_an_alert_with_a_changed_byte(stack: Stack, application: Application) -> None:
    """Guarantee: the signature is over the bytes as they were sent, whatever a gateway does with them."""
    key = application.issue()["key"]
    answer = report(stack, {"token": key, "type": "api_keys"}, spoil=b" ")
    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
    assert is_active(stack, key, api=0)


def test_an_administrator_finds_out_what_a_revoke_would_hit(stack: Stack, application: Application) -> None:
    admin, key = stack.token("on-call", "api-keys:admin"), application.issue()
    listed = stack.send("GET", "/api/v1/applications?owner=carol&limit=100", admin).json()["items"]
    assert application.id in {one["id"] for one in listed}
    shown = stack.send("GET", stack.key_path(application.id, key["id"]), admin).json()
    assert (shown["applicationName"], shown["ownerId"]) == ("Weather widget", "carol")
    other = stack.send("GET", "/api/v1/applications?owner=carol", stack.token("bob"))
    assert (other.status_code, other.json()) == (403, FORBIDDEN)
