"""Guarantee: of a key set, only public keys that are for signatures, and told apart, verify."""

import json
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from apikeys.caller import Authenticator
from apikeys.settings import TokenSettings
from local.issuer import AUDIENCE
from tests.faulty_issuer import FaultyIssuer
from tests.security.issuer_keys.outcomes import another_jwk, authenticator_of, outcome


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"keys": 1}',
        b'{"keys": []}',
        b'{"keys": [1, null, "x", {}]}',
        b'{"keys": [{"kty": ["EC"], "crv": {}}]}',
        b'{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}',
        b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}]}',
        b"\xff\xfe",
        b"[" * 100_000,
        b" " * 300_000 + b"{}",
    ],
    ids=lambda document: str(document[:40]),
)
def test_a_key_set_that_is_none_is_503(
    issuer: FaultyIssuer, authenticator: Authenticator, document: bytes
) -> None:
    issuer.served = document
    assert outcome(authenticator, issuer.token("alice")) == 503


@pytest.mark.parametrize(("size", "status"), [(256 * 1024, 200), (256 * 1024 + 1, 503)])
def test_a_key_set_may_have_256_kib_and_no_byte_more(
    issuer: FaultyIssuer, authenticator: Authenticator, size: int, status: int
) -> None:
    issuer.served = json.dumps(issuer.key_set()).encode().ljust(size)
    assert outcome(authenticator, issuer.token("alice")) == status


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"use": "tls"},
        {"use": ""},
        {"use": None},
        {"key_ops": ["encrypt"]},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"alg": "ES384"},
        {"alg": "RSA-OAEP"},
        {"alg": ["ES256"]},
        {"crv": "secp256k1"},
        {"crv": None},
        {"kty": "oct"},
        {"kid": 1},
    ],
    ids=str,
)
def test_a_key_that_is_not_for_verifying_signatures_verifies_none(
    issuer: FaultyIssuer, authenticator: Authenticator, change: dict[str, Any]
) -> None:
    good = another_jwk()
    [jwk] = issuer.key_set()["keys"]
    issuer.served = json.dumps({"keys": [good, jwk | change]}).encode()
    assert outcome(authenticator, issuer.token("alice")) == 401


def test_a_published_private_key_vouches_for_nobody(
    issuer: FaultyIssuer, authenticator: Authenticator
) -> None:
    """Guarantee: a key that everybody can sign with verifies nothing."""
    private = dict(jwt.get_algorithm_by_name("ES256").to_jwk(issuer.private_key, as_dict=True))
    assert "d" in private
    issuer.served = json.dumps({"keys": [another_jwk(), private | {"kid": issuer.kid}]}).encode()
    assert outcome(authenticator, issuer.token("alice")) == 401


def test_a_key_set_with_two_keys_of_one_id_is_ambiguous_and_refused(
    issuer: FaultyIssuer, authenticator: Authenticator
) -> None:
    """Guarantee: who may sign is never decided by the order of a list."""
    [jwk], other = issuer.key_set()["keys"], another_jwk()
    for keys in ([jwk, other | {"kid": jwk["kid"]}], [other | {"kid": jwk["kid"]}, jwk]):
        issuer.served = json.dumps({"keys": keys}).encode()
        fresh = authenticator_of(issuer)
        assert outcome(fresh, issuer.token("alice")) == 401


def test_one_id_for_two_types_of_key_is_not_ambiguous(
    issuer: FaultyIssuer, authenticator: Authenticator
) -> None:
    """RFC 7517, section 4.5, allows it: the algorithm tells them apart."""
    [jwk] = issuer.key_set()["keys"]
    public = rsa.generate_private_key(65537, 2048).public_key()
    other = json.loads(jwt.get_algorithm_by_name("RS256").to_jwk(public)) | {"kid": jwk["kid"]}
    issuer.served = json.dumps({"keys": [other, jwk]}).encode()
    assert outcome(authenticator, issuer.token("alice")) == 200


def test_a_token_without_a_key_id_needs_a_key_set_with_one_candidate(
    issuer: FaultyIssuer, clock: time_machine.Traveller
) -> None:
    claims = jwt.decode(issuer.token("alice"), options={"verify_signature": False})
    token = jwt.encode(claims, issuer.private_key, "ES256")
    [jwk], other = issuer.key_set()["keys"], another_jwk()
    for keys, expected in (([jwk], 200), ([jwk, other], 401)):
        issuer.served = json.dumps({"keys": keys}).encode()
        assert (
            outcome(Authenticator(TokenSettings(issuer.url, (AUDIENCE,), issuer.jwks_url, "sub")), token)
            == expected
        )


def test_a_key_of_a_curve_is_for_the_algorithm_of_that_curve_only(
    issuer: FaultyIssuer, authenticator: Authenticator
) -> None:
    private_key = ec.generate_private_key(ec.SECP384R1())
    jwk = json.loads(jwt.get_algorithm_by_name("ES384").to_jwk(private_key.public_key())) | {"kid": "k"}
    issuer.served = json.dumps({"keys": [jwk]}).encode()
    claims = jwt.decode(issuer.token("alice"), options={"verify_signature": False})
    assert outcome(authenticator, jwt.encode(claims, private_key, "ES384", {"kid": "k"})) == 200
    assert outcome(authenticator, jwt.encode(claims, issuer.private_key, "ES256", {"kid": "k"})) == 401
