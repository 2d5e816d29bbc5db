"""Guarantee: only a token for us, of a subject, and valid now, makes a caller."""

import base64
import json
from typing import Any

import jwt
import pytest
import time_machine

from apikeys.caller import Authenticator
from apikeys.settings import TokenSettings
from local.issuer import AUDIENCE, LocalIssuer
from tests.security.caller.tokens import NOW_SECONDS, accepts, claims, segment, signed

pytestmark = pytest.mark.usefixtures("clock")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": ""},
        {"iss": "https://evil.example"},
        {"iss": 1},
        {"iss": ["ISSUER"]},
        {"iss": "ISSUER/"},
        {"aud": None},
        {"aud": ""},
        {"aud": []},
        {"aud": "other"},
        {"aud": "api-keys "},
        {"aud": ["other", 1]},
        {"aud": {"api-keys": 1}},
        {"aud": "other", "client_id": "api-keys"},
        {"aud": None, "client_id": "other"},
        {"aud": None, "client_id": 1},
        {"exp": None},
        {"exp": NOW_SECONDS - 11},
        {"exp": str(NOW_SECONDS + 60)},
        {"exp": "never"},
        {"exp": True},
        {"exp": [NOW_SECONDS + 60]},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": int("9" * 400)},
        {"exp": 1 << 53},
        {"nbf": -int("9" * 310)},
        {"nbf": float("-inf")},
        {"iat": -(1 << 53)},
        {"nbf": NOW_SECONDS + 11},
        {"nbf": "now"},
        {"nbf": False},
        {"iat": NOW_SECONDS + 11},
        {"iat": "now"},
        {"sub": None},
        {"sub": ""},
        {"sub": 1},
        {"sub": ["alice"]},
        {"sub": {"name": "alice"}},
        {"sub": "a" * 256},
        {"sub": "alice\n"},
        {"sub": "ali\u0000ce"},
        {"sub": "alice\ud800"},
    ],
    ids=str,
)
def test_claims_that_are_wrong_are_401(
    issuer: LocalIssuer, authenticator: Authenticator, changes: dict[str, Any]
) -> None:
    filled = json.loads(json.dumps(changes).replace("ISSUER", issuer.url))
    payload = {name: value for name, value in (claims(issuer) | filled).items() if value is not None}
    body = f"{segment({'alg': 'ES256', 'kid': issuer.kid})}.{segment(payload)}"
    signature = jwt.get_algorithm_by_name("ES256").sign(body.encode(), issuer.private_key)
    assert not accepts(authenticator, f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["other", AUDIENCE]},
        {"aud": None, "client_id": AUDIENCE},
        {"exp": NOW_SECONDS - 9},
        {"exp": NOW_SECONDS + 0.5},
        {"exp": (1 << 53) - 1},
        {"nbf": NOW_SECONDS + 9},
        {"iat": NOW_SECONDS + 9},
        {"sub": "auth0|5f7c8ec7c33c6c004bbafe82"},
        {"sub": "Zo\u00eb"},
        {"sub": "a"},
        {"sub": "a" * 255},
    ],
    ids=str,
)
def test_claims_that_are_right_are_accepted(
    issuer: LocalIssuer, authenticator: Authenticator, changes: dict[str, Any]
) -> None:
    assert accepts(authenticator, signed(issuer, claims(issuer, **changes)))


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"1", b"null", b'"alice"', b"{", b"\xff", b"[" * 10_000, b"1" * 5_000]
)
def test_a_payload_that_is_no_object_is_401(
    issuer: LocalIssuer, authenticator: Authenticator, payload: bytes
) -> None:
    token = jwt.PyJWS().encode(payload, issuer.private_key, "ES256", {"kid": issuer.kid})
    assert not accepts(authenticator, token)


def test_the_owner_is_the_claim_that_the_deployment_names(issuer: LocalIssuer) -> None:
    authenticator = Authenticator(TokenSettings(issuer.url, (AUDIENCE,), None, "org_id"))
    caller = authenticator.authenticate(f"Bearer {signed(issuer, claims(issuer, org_id='acme'))}")
    assert (caller.subject, caller.owner) == ("alice", "acme")
    assert not accepts(authenticator, signed(issuer, claims(issuer)))
    assert not accepts(authenticator, signed(issuer, claims(issuer, org_id=["acme"])))


def test_the_token_is_valid_to_the_second(
    issuer: LocalIssuer, authenticator: Authenticator, clock: time_machine.Traveller
) -> None:
    token = signed(issuer, claims(issuer, exp=NOW_SECONDS + 60))
    clock.shift(69)
    assert accepts(authenticator, token)
    clock.shift(1)
    assert not accepts(authenticator, token)


@pytest.mark.parametrize("name", ["aud", "client_id"])
def test_a_deployment_may_have_several_audiences(issuer: LocalIssuer, name: str) -> None:
    """Guarantee: each is compared whole; neither a part of one nor all of them together is one."""
    authenticator = Authenticator(TokenSettings(issuer.url, ("one", "other"), None, "sub"))
    for audience, accepted in (
        ("one", True),
        ("other", True),
        ("one other", False),
        ("on", False),
        ("", False),
    ):
        changes = {"aud": None} | {name: audience}
        assert accepts(authenticator, signed(issuer, claims(issuer, **changes))) is accepted
