"""From which address, and with which token, a key was issued, rotated and revoked: kept with it, shown to nobody."""

import copy
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.deployment import FORM, Answer, Deployment, sample_event, size_of

pytestmark = pytest.mark.usefixtures("clock")

ADDRESS = "2001:db8:85a3:8d3:1319:8a2e:370:7348"
JTI = "5f0b4a52-6a1e-4a44-9a3e-0d1b8f6c2a11"
NAMES = ("issuedFrom", "issuedTokenId", "rotatedFrom", "rotatedTokenId", "revokedFrom", "revokedTokenId")


def call(
    deployment: Deployment, function: str, issued: dict[str, Any] | None = None, **others: Any
) -> Answer:
    """Call a function from ADDRESS, with a token whose id is JTI."""
    address, jti = others.pop("address", ADDRESS), others.pop("jti", JTI)
    context = copy.deepcopy(sample_event("revoke_api_key/401")["requestContext"])
    context["http"]["sourceIp"] = address
    if issued:
        others["path"] = {"id": issued["applicationId"], "keyId": issued["id"]}
    return deployment.call(function, deployment.token(jti=jti), requestContext=context, **others)


def kept(deployment: Deployment, issued: dict[str, Any]) -> dict[str, str]:
    """Return what is kept with the key of where from and with which token."""
    stored = deployment.stored(issued["id"]) or {}
    return {name: stored[name]["S"] for name in NAMES if name in stored}


def test_of_an_issue(deployment: Deployment) -> None:
    path = {"id": deployment.application()}
    issued = call(deployment, "IssueApiKey", path=path, body={"name": "A key"}).body
    assert kept(deployment, issued) == {"issuedFrom": ADDRESS, "issuedTokenId": JTI}


@pytest.mark.parametrize(
    ("overlap", "how"), [(60, ("rotatedFrom", "rotatedTokenId")), (0, ("revokedFrom", "revokedTokenId"))]
)
def test_of_a_rotate_with_both_keys(deployment: Deployment, overlap: int, how: tuple[str, str]) -> None:
    old = deployment.issue()
    before = kept(deployment, old)
    new = call(deployment, "RotateApiKey", old, body={"overlapSeconds": overlap}).body
    assert kept(deployment, new) == {"issuedFrom": ADDRESS, "issuedTokenId": JTI}
    assert kept(deployment, old) == before | dict(zip(how, (ADDRESS, JTI), strict=True))


def test_of_a_rotate_with_overlap_also_when_and_by_whom(deployment: Deployment) -> None:
    old = deployment.issue()
    call(deployment, "RotateApiKey", old, body={"overlapSeconds": 60})
    stored = deployment.stored(old["id"]) or {}
    assert (stored["rotatedAt"], stored["rotatedBy"]) == (
        {"S": "2026-11-22T12:00:00.000Z"},
        {"S": "alice"},
    )


@pytest.mark.parametrize("function", ["RevokeApiKey", "RevokeAllApiKeys"])
def test_of_a_revoke(deployment: Deployment, function: str) -> None:
    issued = deployment.issue()
    before = kept(deployment, issued)
    assert call(deployment, function, issued).status == 200
    assert kept(deployment, issued) == before | {"revokedFrom": ADDRESS, "revokedTokenId": JTI}


def test_of_a_revoke_by_string_which_needs_no_token(deployment: Deployment) -> None:
    issued = deployment.issue()
    before = kept(deployment, issued)
    call(deployment, "RevokeLeakedApiKey", body=urlencode({"token": issued["key"]}), headers=FORM)
    assert kept(deployment, issued) == before | {"revokedFrom": ADDRESS, "revokedTokenId": ""}


def test_of_a_report_by_github_its_address(deployment: Deployment) -> None:
    issued = deployment.issue()
    before = kept(deployment, issued)
    deployment.report_by_github({"token": issued["key"], "type": "api_key", "url": "", "source": "content"})
    assert kept(deployment, issued) == before | {"revokedFrom": "192.0.2.1", "revokedTokenId": ""}


def revoke_by_string(deployment: Deployment, issued: dict[str, Any]) -> None:
    deployment.revoke_by_string(urlencode({"token": issued["key"]}))


def revoke_from_nowhere(deployment: Deployment, issued: dict[str, Any]) -> None:
    call(deployment, "RevokeApiKey", issued, address="", jti=None)


def rotate_from_nowhere(deployment: Deployment, issued: dict[str, Any]) -> None:
    call(deployment, "RotateApiKey", issued, address="", jti=None)


@pytest.mark.parametrize("end", [revoke_by_string, revoke_from_nowhere, rotate_from_nowhere])
def test_whoever_fills_in_a_reason_leaves_no_trace_of_a_revoke(
    deployment: Deployment, end: Callable[[Deployment, dict[str, Any]], None]
) -> None:
    """Guarantee: what a tombstone says is of the revoke. Seen to fail where an empty token id is left out of it."""
    issued = deployment.issue()
    end(deployment, issued)
    before = kept(deployment, issued)
    assert before.keys() >= {"revokedFrom", "revokedTokenId"}
    assert call(deployment, "RevokeApiKey", issued, query={"reason": "other"}).status == 200
    assert kept(deployment, issued) == before


@pytest.mark.parametrize("address", ["", "x", "1" * 46, "203.0.113.7\n", "ak_" + "x" * 40, 7, None, ["::1"]])
def test_what_is_no_address_is_not_kept(deployment: Deployment, address: Any) -> None:
    issued = deployment.issue()
    assert call(deployment, "RevokeApiKey", issued, address=address).status == 200
    assert kept(deployment, issued)["revokedFrom"] == ""


@pytest.mark.parametrize("jti", [JTI, "x" * 48, "x" * 5000])
def test_an_ordinary_item_stays_under_a_kilobyte(deployment: Deployment, jti: str) -> None:
    """Guarantee: a revoke is one write unit, whatever ids the issuer gives to its tokens. Of the longest way to end."""
    scopes = [f"resource-{number}:read" for number in range(10)]
    path = {"id": deployment.application()}
    body = {"name": "x" * 100, "scopes": scopes, "expiresAt": "2999-01-01T00:00:00Z"}
    issued = call(deployment, "IssueApiKey", path=path, body=body, jti=jti).body
    call(deployment, "RotateApiKey", issued, body={"overlapSeconds": 60}, jti=jti)
    call(deployment, "RevokeApiKey", issued, query={"reason": "compromised"}, jti=jti)
    stored = deployment.stored(issued["id"]) or {}
    assert stored.keys() >= {"rotatedFrom", *NAMES}
    assert size_of(stored) < 1024


def test_it_is_shown_to_nobody(deployment: Deployment) -> None:
    """What the contract documents is all that is shown; the audit events have the rest."""
    path = {"id": deployment.application()}
    issued = call(deployment, "IssueApiKey", path=path, body={"name": "A key"})
    revoked = call(deployment, "RevokeApiKey", issued.body)
    read = call(deployment, "ReadApiKey", issued.body)
    listed = call(deployment, "ListApiKeys", issued.body)
    for answer in (issued, revoked, read, listed):
        assert ADDRESS not in answer.text
        assert JTI not in answer.text
