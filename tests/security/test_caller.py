"""Guarantee: only a token that the configured issuer signed, for us, and valid now, makes a caller."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apikeys.caller import Authenticator, Caller
from apikeys.errors import ServiceUnavailable, Unauthorized
from apikeys.settings import TokenSettings
from local.issuer import AUDIENCE, JWKS, LocalIssuer
from tests.deployment import NOW, UNAUTHORIZED, Deployment, sample_event
from tests.faulty_issuer import FaultyIssuer

pytestmark = pytest.mark.usefixtures("clock")
KEY_ID = "123e4567-e89b-12d3-a456-426614174000"
NOW_SECONDS = int(NOW.timestamp())


@pytest.fixture(scope="module")
def issuer() -> Any:
    issuer = LocalIssuer()
    issuer.start()
    yield issuer
    issuer.stop()


@pytest.fixture
def authenticator(issuer: LocalIssuer) -> Authenticator:
    return Authenticator(TokenSettings(issuer.url, AUDIENCE, None, "sub"))


def accepts(authenticator: Authenticator, token: str) -> bool:
    try:
        authenticator.authenticate(f"Bearer {token}")
    except Unauthorized:
        return False
    return True


def segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def claims(issuer: LocalIssuer, **changes: Any) -> dict[str, Any]:
    claims = {"iss": issuer.url, "aud": AUDIENCE, "sub": "alice", "exp": NOW_SECONDS + 60}
    return {name: value for name, value in (claims | changes).items() if value is not None}


def signed(issuer: LocalIssuer, payload: dict[str, Any], **header: Any) -> str:
    return jwt.encode(payload, issuer.private_key, "ES256", {"kid": issuer.kid} | header)


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


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "", "HS256", "RS256", "ES384", "ES256K", None, 1, []]
)
def test_an_algorithm_that_the_key_is_not_for_is_401(
    issuer: LocalIssuer, authenticator: Authenticator, algorithm: Any
) -> None:
    token = f"{segment({'alg': algorithm, 'kid': issuer.kid})}.{segment(claims(issuer))}."
    for signature in ("", "AAAA", issuer.token("alice").rsplit(".", 1)[1]):
        assert not accepts(authenticator, token + signature)


def test_hmac_with_the_public_key_is_401(issuer: LocalIssuer, authenticator: Authenticator) -> None:
    """Guarantee: a public key cannot be turned into a shared secret (RFC 8725, section 2.1)."""
    public = issuer.private_key.public_key()
    signing_input = f"{segment({'alg': 'HS256', 'kid': issuer.kid})}.{segment(claims(issuer))}"
    for secret in (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(issuer.key_set()["keys"][0]).encode(),
    ):
        mac = hmac.new(secret, signing_input.encode(), hashlib.sha256).digest()
        assert not accepts(
            authenticator, f"{signing_input}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        )


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "unknown"},
        {"kid": ""},
        {"kid": 1},
        {"kid": None},
        {"kid": ["a"]},
        {"kid": "../../dev/null"},
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": True},
    ],
)
def test_a_header_that_asks_for_something_else_is_401(
    issuer: LocalIssuer, authenticator: Authenticator, header: dict[str, Any]
) -> None:
    body = f"{segment({'alg': 'ES256', 'kid': issuer.kid} | header)}.{segment(claims(issuer))}"
    signature = jwt.get_algorithm_by_name("ES256").sign(body.encode(), issuer.private_key)
    assert not accepts(authenticator, f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")


def test_a_key_that_the_token_brings_along_is_ignored(
    issuer: LocalIssuer, authenticator: Authenticator
) -> None:
    """Guarantee: `jwk`, `jku` and `x5u` in a header are never followed (RFC 8725, section 3.10)."""
    stranger = FaultyIssuer()
    stranger.start()
    header = {"kid": issuer.kid, "jwk": stranger.key_set()["keys"][0], "jku": stranger.url + JWKS}
    token = jwt.encode(claims(issuer), stranger.private_key, "ES256", header)
    assert not accepts(authenticator, token)
    assert stranger.fetched == []
    stranger.stop()


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
        {"nbf": NOW_SECONDS + 9},
        {"iat": NOW_SECONDS + 9},
        {"sub": "auth0|5f7c8ec7c33c6c004bbafe82"},
        {"sub": "Zo\u00eb"},
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


def test_a_signature_by_another_key_is_401(issuer: LocalIssuer, authenticator: Authenticator) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert not accepts(authenticator, jwt.encode(claims(issuer), stranger, "ES256", {"kid": issuer.kid}))


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


@pytest.mark.parametrize(
    ("private_key", "algorithm"),
    [
        *(
            (rsa.generate_private_key(65537, 2048), name)
            for name in ("RS256", "RS384", "RS512", "PS256", "PS512")
        ),
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ec.generate_private_key(ec.SECP521R1()), "ES512"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
)
def test_every_asymmetric_algorithm_of_the_list_works(
    issuer: LocalIssuer, private_key: Any, algorithm: str
) -> None:
    jwk = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(private_key.public_key())) | {"kid": "k"}
    keys = "data:application/json;base64," + base64.b64encode(json.dumps({"keys": [jwk]}).encode()).decode()
    authenticator = Authenticator(TokenSettings(issuer.url, AUDIENCE, keys, "sub"))
    assert accepts(authenticator, jwt.encode(claims(issuer), private_key, algorithm, {"kid": "k"}))


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
    authenticator = Authenticator(TokenSettings(issuer.url, AUDIENCE, None, "sub", prefix))
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


def test_the_owner_is_the_claim_that_the_deployment_names(issuer: LocalIssuer) -> None:
    authenticator = Authenticator(TokenSettings(issuer.url, AUDIENCE, None, "org_id"))
    caller = authenticator.authenticate(f"Bearer {signed(issuer, claims(issuer, org_id='acme'))}")
    assert (caller.subject, caller.owner) == ("alice", "acme")
    assert not accepts(authenticator, signed(issuer, claims(issuer)))
    assert not accepts(authenticator, signed(issuer, claims(issuer, org_id=["acme"])))


def test_a_short_rsa_key_is_refused(issuer: LocalIssuer) -> None:
    """Guarantee: RSA keys of less than 2048 bits verify nothing (RFC 7518, section 3.3)."""
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 -- weak on purpose
    jwk = json.loads(jwt.get_algorithm_by_name("RS256").to_jwk(weak.public_key())) | {"kid": "k"}
    keys = "data:application/json;base64," + base64.b64encode(json.dumps({"keys": [jwk]}).encode()).decode()
    authenticator = Authenticator(TokenSettings(issuer.url, AUDIENCE, keys, "sub"))
    body = f"{segment({'alg': 'RS256', 'kid': 'k'})}.{segment(claims(issuer))}"
    signature = jwt.get_algorithm_by_name("RS256").sign(body.encode(), weak)
    assert not accepts(authenticator, f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")


def test_an_administrator_acts_for_any_owner_and_nobody_else_does() -> None:
    admin, alice = (
        Caller("root", "root", frozenset({"api-keys:admin"})),
        Caller("alice", "alice", frozenset()),
    )
    assert admin.may_act_for("alice")
    assert admin.has("api-keys:revoke")
    assert alice.may_act_for("alice")
    assert not alice.may_act_for("bob")
    assert not alice.has("api-keys:revoke")


def test_the_token_is_valid_to_the_second(
    issuer: LocalIssuer, authenticator: Authenticator, clock: time_machine.Traveller
) -> None:
    token = signed(issuer, claims(issuer, exp=NOW_SECONDS + 60))
    clock.shift(69)
    assert accepts(authenticator, token)
    clock.shift(1)
    assert not accepts(authenticator, token)
