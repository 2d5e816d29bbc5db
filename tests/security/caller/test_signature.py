"""Guarantee: only the configured issuer's keys sign, each by the algorithms it is for."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from apikeys.caller import Authenticator
from apikeys.settings import TokenSettings
from local.issuer import AUDIENCE, JWKS, LocalIssuer
from tests.faulty_issuer import FaultyIssuer
from tests.security.caller.tokens import accepts, claims, segment

pytestmark = pytest.mark.usefixtures("clock")


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


def test_a_signature_by_another_key_is_401(issuer: LocalIssuer, authenticator: Authenticator) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert not accepts(authenticator, jwt.encode(claims(issuer), stranger, "ES256", {"kid": issuer.kid}))


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
    authenticator = Authenticator(TokenSettings(issuer.url, (AUDIENCE,), keys, "sub"))
    assert accepts(authenticator, jwt.encode(claims(issuer), private_key, algorithm, {"kid": "k"}))


def test_a_short_rsa_key_is_refused(issuer: LocalIssuer) -> None:
    """Guarantee: RSA keys of less than 2048 bits verify nothing (RFC 7518, section 3.3)."""
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 -- weak on purpose
    jwk = json.loads(jwt.get_algorithm_by_name("RS256").to_jwk(weak.public_key())) | {"kid": "k"}
    keys = "data:application/json;base64," + base64.b64encode(json.dumps({"keys": [jwk]}).encode()).decode()
    authenticator = Authenticator(TokenSettings(issuer.url, (AUDIENCE,), keys, "sub"))
    body = f"{segment({'alg': 'RS256', 'kid': 'k'})}.{segment(claims(issuer))}"
    signature = jwt.get_algorithm_by_name("RS256").sign(body.encode(), weak)
    assert not accepts(authenticator, f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")
