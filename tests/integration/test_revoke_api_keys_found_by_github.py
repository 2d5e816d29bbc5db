"""Revoke the keys that GitHub found: each documented outcome, by status."""

import io
import json
from typing import Any

import pytest

from apikeys.errors import ServiceUnavailable
from apikeys.github import MAX_BODY, MAX_WHERE
from apikeys.keys import ApiKey
from apikeys.store.api_keys import ApiKeys
from tests.deployment import FORBIDDEN, Deployment, bad_request, size_of

pytestmark = pytest.mark.usefixtures("clock")
URL = "https://github.com/octocat/hello/blob/12345600b9cbe38a219f39a9941c9319b600c002/foo.txt"


def found(token: str, **members: Any) -> dict[str, Any]:
    return {"token": token, "type": "api_keys", "url": URL, "source": "content"} | members


def test_200_and_each_real_key_is_revoked_and_github_told_which_were_real(deployment: Deployment) -> None:
    first, second, revoked = (deployment.issue() for _ in range(3))
    deployment.revoke_by_string(f"token={revoked['key']}")
    tombstone = deployment.stored(revoked["id"])
    wrong = ApiKey(first["id"], ApiKey.generate().secret).reveal()
    listed = [
        first["key"],
        ApiKey.generate().reveal(),
        wrong,
        second["key"],
        "junk",
        revoked["key"],
        first["key"],
    ]

    answer = deployment.report_by_github(*map(found, listed))

    real = {first["key"], second["key"], revoked["key"]}
    assert answer.status == 200
    assert answer.body == [
        {
            "token_raw": token,
            "token_type": "api_keys",
            "label": "true_positive" if token in real else "false_positive",
        }
        for token in listed
    ]
    for issued in (first, second):
        assert not deployment.accepts(issued["key"])
        stored = deployment.stored(issued["id"]) or {}
        assert (stored["revokedBy"], stored["revokedVia"]) == ({"S": "github"}, {"S": "github"})
        assert (stored["revokedReason"], stored["leakedIn"]) == ({"S": "leaked"}, {"S": URL})
    assert deployment.stored(revoked["id"]) == tombstone


def test_200_where_it_was_found_is_shown_when_the_key_is_read(deployment: Deployment) -> None:
    issued = deployment.issue()
    deployment.report_by_github(found(issued["key"]))
    path = {"id": issued["applicationId"], "keyId": issued["id"]}
    body = deployment.call("ReadApiKey", deployment.token(), path=path).body
    assert (body["status"], body["revokedReason"], body["leakedIn"]) == ("revoked", "leaked", URL)


def test_200_a_string_costs_one_call_however_often_it_was_found_and_junk_none(deployment: Deployment) -> None:
    key = deployment.issue()["key"]
    deployment.calls.clear()
    deployment.report_by_github(found(key), found("junk"), found(key, source="commit"))
    assert deployment.calls == [("dynamodb:UpdateItem", "ApiKeysTable")]


def test_200_for_nothing_found(deployment: Deployment) -> None:
    answer = deployment.report_by_github()
    assert (answer.status, answer.body) == (200, [])


@pytest.mark.parametrize(
    "url", [URL + "?" + "x" * 5000, "https://github.com/" + "\u00e9" * 5000, "\n\x00" * 9]
)
def test_where_it_was_found_is_kept_in_few_bytes_of_plain_text(deployment: Deployment, url: str) -> None:
    """Guarantee: an ordinary key's item stays under 1 KB, so that a revoke is one write unit."""
    issued = deployment.issue(name="\U0001f511" * 100, scopes=["forecasts:read", "forecasts:write"])
    deployment.report_by_github(found(issued["key"], url=url))
    stored = deployment.stored(issued["id"]) or {}
    where = stored["leakedIn"]["S"]
    assert 0 < len(where.encode()) <= MAX_WHERE
    assert where.isprintable()
    assert size_of(stored) < 1024


def test_a_place_that_is_named_after_the_key_does_not_bring_its_string_into_the_table(
    deployment: Deployment,
) -> None:
    """Guarantee: no secret in a stored item."""
    issued = deployment.issue()
    deployment.report_by_github(found(issued["key"], url=f"https://github.com/octocat/{issued['key']}.txt"))
    stored = deployment.stored(issued["id"]) or {}
    assert stored["leakedIn"] == {"S": "https://github.com/octocat/[redacted].txt"}


def test_400_names_what_is_malformed_and_nothing_is_revoked(deployment: Deployment) -> None:
    issued = deployment.issue()
    answer = deployment.report_by_github(found(issued["key"]), {"token": 1, "type": "api_keys"})
    assert answer.status == 400
    assert answer.body == bad_request(**{"[1].token": "must be a string"})
    assert deployment.accepts(issued["key"])


@pytest.mark.parametrize("header", ["github-public-key-identifier", "github-public-key-signature"])
def test_403_for_what_github_did_not_sign_and_nothing_is_revoked(deployment: Deployment, header: str) -> None:
    """Guarantee: nobody but GitHub is believed, not even with the right string."""
    issued = deployment.issue()
    body = json.dumps([found(issued["key"])])
    signed = deployment.issuer.github.headers(body.encode())
    for headers, sent in (
        ({}, body),
        (signed | {header: "x"}, body),
        (signed | {header: ""}, body),
        (signed, body + " "),
    ):
        answer = deployment.call("RevokeApiKeysFoundByGithub", body=sent, headers=headers)
        # An identifier that is not known may be a new one, for as long as GitHub may not be asked again.
        assert answer.status in ((403, 503) if headers.get("github-public-key-identifier") == "x" else (403,))
        assert answer.status != 403 or answer.body == FORBIDDEN
    assert deployment.accepts(issued["key"])


def test_413_from_more_than_a_mebibyte_on(deployment: Deployment) -> None:
    for size, status in ((MAX_BODY, 200), (MAX_BODY + 1, 413)):
        body = "[" + " " * (size - 2) + "]"
        headers = deployment.issuer.github.headers(body.encode())
        assert deployment.call("RevokeApiKeysFoundByGithub", body=body, headers=headers).status == status


def test_503_if_one_key_cannot_be_settled_and_the_repetition_settles_all(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee: GitHub is not told that it is done while a key may still be good."""
    issued = [deployment.issue() for _ in range(3)]
    alert = [found(one["key"]) for one in issued]
    real = ApiKeys.revoke_presented

    def failing(keys: ApiKeys, key: ApiKey, **others: Any) -> Any:
        if key.key_id == issued[1]["id"]:
            raise ServiceUnavailable("DynamoDB: busy")
        return real(keys, key, **others)

    with monkeypatch.context() as patch:
        patch.setattr(ApiKeys, "revoke_presented", failing)
        answer = deployment.report_by_github(*alert)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    answer = deployment.report_by_github(*alert)
    assert [one["label"] for one in answer.body] == ["true_positive"] * 3
    assert not any(deployment.accepts(one["key"]) for one in issued)


def test_the_log_tells_which_keys_were_found_and_no_string(deployment: Deployment, log: io.StringIO) -> None:
    """Guarantee: no secret of a string that GitHub found is logged."""
    issued, forged = deployment.issue(), ApiKey.generate()
    log.truncate(log.seek(0))
    deployment.report_by_github(found(issued["key"]), found(forged.reveal()))
    *lines, _ = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["key_id"], line["outcome"]) for line in lines] == [
        (issued["id"], "revoked"),
        (forged.key_id, "no such key, or another secret"),
    ]
    assert issued["key"][25:68] not in log.getvalue()
    assert forged.secret not in log.getvalue()
    assert "RevokedKeyUsed" not in log.getvalue()
