"""Guarantee: a caller may what the token's scopes say, spelled as the deployment spells them."""

from typing import Any

import pytest

from apikeys.caller import Authenticator, Caller
from apikeys.settings import TokenSettings
from local.issuer import AUDIENCE, LocalIssuer
from tests.security.caller.tokens import claims, signed

pytestmark = pytest.mark.usefixtures("clock")


@pytest.mark.parametrize(
    ("granted", "scopes"),
    [
        ({"scope": "a b"}, ["a", "b"]),
        ({"scope": ["a", "b"]}, ["a", "b"]),
        ({"scp": "a"}, ["a"]),
        ({"scp": ["a"]}, ["a"]),
        ({"permissions": ["a", "b"]}, ["a", "b"]),
        ({"scope": "a", "permissions": ["b"]}, ["a", "b"]),
        ({"scope": 1, "scp": {"a": 1}, "permissions": [1, None]}, []),
        ({"scope": "a\tb"}, ["a\tb"]),
        ({"roles": ["a", "b"]}, ["a", "b"]),
        ({"roles": "a"}, ["a"]),
        ({"roles": ["a"], "scp": "b"}, ["b"]),
        ({"roles": ["a"], "scope": ""}, []),
        ({"roles": ["a"], "permissions": []}, []),
        ({"roles": ["a"], "scp": None}, ["a"]),
        ({"roles": {"a": 1}}, []),
    ],
    ids=str,
)
def test_scopes_are_read_from_the_claims_in_use(
    issuer: LocalIssuer, authenticator: Authenticator, granted: dict[str, Any], scopes: list[str]
) -> None:
    caller = authenticator.authenticate(f"Bearer {signed(issuer, claims(issuer, **granted))}")
    assert sorted(caller.scopes - {""}) == scopes


@pytest.mark.parametrize("name", ["api-keys:revoke", "api-keys:admin"])
@pytest.mark.parametrize("claim", ["scope", "scp", "permissions", "roles"])
def test_with_a_prefix_only_a_scope_that_begins_with_it_counts(
    issuer: LocalIssuer, name: str, claim: str
) -> None:
    """Guarantee: a scope of the same name of another API of the issuer allows nothing here.

    Seen to fail with the prefix taken off wherever it is, and without the comparison.
    """
    prefix = "https://api.example/"
    authenticator = Authenticator(TokenSettings(issuer.url, (AUDIENCE,), None, "sub", prefix))
    for scope, counts in {
        prefix + name: True,
        name: False,
        prefix: False,
        "https://other.example/" + name: False,
        "https://api.example" + name: False,
        "HTTPS://API.EXAMPLE/" + name: False,
        prefix + prefix + name: False,
        "x" + prefix + name: False,
        prefix + name + "/": False,
        prefix + name.upper(): False,
    }.items():
        caller = authenticator.authenticate(f"Bearer {signed(issuer, claims(issuer, **{claim: [scope]}))}")
        assert caller.has("api-keys:revoke") is counts, scope
        assert caller.is_admin is (counts and name == "api-keys:admin"), scope


def test_an_administrator_acts_for_any_owner_and_nobody_else_does() -> None:
    admin, alice = (
        Caller("root", "root", frozenset({"api-keys:admin"})),
        Caller("alice", "alice", frozenset()),
    )
    assert admin.may_act_for("alice")
    assert admin.has("api-keys:revoke")
    assert alice.may_act_for("Alice".lower())
    for other in ("bob", "aaron", "Alice", "alice2", "alic", ""):
        assert not alice.may_act_for(other)
    assert not alice.has("api-keys:revoke")
