"""Guarantee: one well-formed `Authorization: Bearer <JWT>`, in one spelling, and nothing else, makes a caller."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apikeys.caller import Authenticator, Caller
from apikeys.errors import ServiceUnavailable, Unauthorized
from local.issuer import LocalIssuer
from tests.deployment import UNAUTHORIZED, Deployment, sample_event
from tests.security.caller.tokens import accepts, claims, signed

pytestmark = pytest.mark.usefixtures("clock")


KEY_ID = "123e4567-e89b-12d3-a456-426614174000"


def test_a_token_of_the_issuer_for_us_makes_a_caller(
    issuer: LocalIssuer, authenticator: Authenticator
) -> None:
    caller = authenticator.authenticate(f"Bearer {issuer.token('alice', 'api-keys:read api-keys:revoke')}")
    assert caller == Caller("alice", "alice", frozenset({"api-keys:read", "api-keys:revoke"}))


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer  "])
def test_the_scheme_is_case_insensitive(
    issuer: LocalIssuer, authenticator: Authenticator, scheme: str
) -> None:
    assert authenticator.authenticate(scheme + issuer.token("alice")).subject == "alice"


@pytest.mark.parametrize(
    "spell",
    [
        lambda t: "",
        lambda t: t,
        lambda t: "Bearer",
        lambda t: "Bearer ",
        lambda t: f"Basic {t}",
        lambda t: f"Token {t}",
        lambda t: f"BearerX {t}",
        lambda t: f"Bearer\t{t}",
        lambda t: f" Bearer {t}",
        lambda t: f"Bearer {t} ",
        lambda t: f"Bearer {t}\n",
        lambda t: f'Bearer "{t}"',
        lambda t: f"Bearer {t},Bearer {t}",  # two Authorization headers, as API Gateway joins them
        lambda t: f"Bearer {t}, Bearer {t}",
        lambda t: f"Bearer Bearer {t}",
        lambda t: f"Bearer {t}=",
        lambda t: f"Bearer {t}==",
        lambda t: f"Bearer {t}.",
        lambda t: f"Bearer .{t}",
        lambda t: f"Bearer {t.rsplit('.', 1)[0]}",
        lambda t: f"Bearer {t.rsplit('.', 1)[0]}.",
        lambda t: f"Bearer {t}.{t}",
        lambda t: "Bearer " + t.replace(".", "=."),
        lambda t: "Bearer " + t.replace(".", ".\u00e9", 1),
        lambda t: "Bearer " + t[:20] + "\u0661" + t[20:],
        lambda t: "Bearer " + t[:-4] + "****",
        lambda t: "Bearer a.b.c",
        lambda t: "Bearer ...",
    ],
)
def test_a_malformed_header_is_401(
    issuer: LocalIssuer, authenticator: Authenticator, spell: Callable[[str], str]
) -> None:
    with pytest.raises(Unauthorized):
        authenticator.authenticate(spell(issuer.token("alice")))


@pytest.mark.parametrize("length", range(12))
def test_the_token_s_own_header_may_have_any_length(
    issuer: LocalIssuer, authenticator: Authenticator, length: int
) -> None:
    """Base64url leaves out the padding, of which each length needs another (RFC 7515, section 2)."""
    assert accepts(authenticator, signed(issuer, claims(issuer), of="x" * length))


@pytest.mark.parametrize(
    "header", [b"", b"[]", b"1", b"null", b'"ES256"', b"{", b"\xff", b"[" * 10_000, b"1" * 5_000]
)
def test_a_token_whose_own_header_is_no_object_is_401(
    issuer: LocalIssuer, authenticator: Authenticator, header: bytes
) -> None:
    _, payload, signature = issuer.token("alice").split(".")
    segment = base64.urlsafe_b64encode(header).rstrip(b"=").decode()
    assert not accepts(authenticator, f"{segment}.{payload}.{signature}")


@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        (None, 'Bearer realm="api-keys"'),
        ("", 'Bearer realm="api-keys"'),
        ("Basic dXNlcjpwdw==", 'Bearer realm="api-keys"'),
        ("Bearerish x", 'Bearer realm="api-keys"'),
        ("Bearer", 'Bearer realm="api-keys", error="invalid_token"'),
        ("bearer junk", 'Bearer realm="api-keys", error="invalid_token"'),
        ("Bearer a.b.c", 'Bearer realm="api-keys", error="invalid_token"'),
    ],
)
def test_the_challenge_names_an_error_only_where_a_bearer_token_was_sent(
    deployment: Deployment, authorization: str | None, challenge: str
) -> None:
    """RFC 6750, section 3.1."""
    answer = deployment.revoke(KEY_ID, KEY_ID, None, authorization=authorization)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, challenge)


def test_two_authorization_headers_that_differ_in_case_are_401(deployment: Deployment) -> None:
    event, token = sample_event("revoke_api_key/401"), deployment.token()
    event["headers"] |= {"authorization": f"Bearer {token}", "Authorization": f"Bearer {token}"}
    answer = deployment.invoke("RevokeApiKeyFunction", event)
    assert (answer.status, answer.body) == (401, UNAUTHORIZED)


def test_each_token_has_one_spelling(issuer: LocalIssuer, authenticator: Authenticator) -> None:
    """The last character of a 64-byte signature carries four bits that decode to nothing."""
    token = issuer.token("alice")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = [c for c in alphabet if accepts(authenticator, token[:-1] + c)]
    assert accepted == [token[-1]]


@given(data=st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_token_changed_in_any_one_character_makes_no_caller(
    issuer: LocalIssuer, authenticator: Authenticator, data: st.DataObject
) -> None:
    token = issuer.token("alice")
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != token[at]))
    # 503 where it is the key's id that changed: the issuer may have such a key since it was asked last.
    with pytest.raises((Unauthorized, ServiceUnavailable)):
        authenticator.authenticate(f"Bearer {token[:at]}{other}{token[at + 1 :]}")


@given(header=st.text(max_size=200))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_text_whatever_makes_a_caller(authenticator: Authenticator, header: str) -> None:
    with pytest.raises(Unauthorized):
        authenticator.authenticate(header)
