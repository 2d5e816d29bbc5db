"""Guarantee: a key with which anybody can sign vouches for nobody, whoever has published it."""

import base64
import json
import math
from contextlib import suppress
from typing import Any

import jwt
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from apikeys.issuer import _signing_key
from apikeys.weak import MARKERS, is_weak
from tests.faulty_issuer import FaultyIssuer
from tests.security.issuer_keys.outcomes import authenticator_of, outcome
from tests.security.issuer_keys.weak import jwk_of, random_prime, small_points, weak_rsa


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def with_another(issuer: FaultyIssuer, jwk: dict[str, Any]) -> None:
    """Publish a key beside the issuer's good one."""
    issuer.served = json.dumps({"keys": [*issuer.key_set()["keys"], jwk]}).encode()


@pytest.mark.parametrize("kind", ["ROCA", "close primes", "exponent 3", "1024 bits"])
def test_a_token_by_a_weak_rsa_key_is_401(issuer: FaultyIssuer, kind: str) -> None:
    """Seen to fail without `is_weak` in issuer.py (all but 1024 bits, which PyJWT refuses too).

    CVE-2017-15361, CVE-2022-26320, FIPS 186-5, section 5.1, RFC 7518, section 3.3.
    """
    key = weak_rsa(kind)
    with_another(issuer, jwk_of(key, "RS256"))
    claims = jwt.decode(issuer.token("alice"), options={"verify_signature": False})
    text = f"{encoded(b'{"alg":"RS256","kid":"weak"}')}.{encoded(json.dumps(claims).encode())}"
    token = f"{text}.{encoded(key.sign(text.encode(), padding.PKCS1v15(), SHA256()))}"
    authenticator = authenticator_of(issuer)
    assert outcome(authenticator, token) == 401
    assert outcome(authenticator, issuer.token("alice")) == 200


@pytest.mark.parametrize("point", small_points().values(), ids=small_points())
def test_a_token_that_a_point_of_small_order_verifies_is_401(issuer: FaultyIssuer, point: bytes) -> None:
    """With such a key, one signature in eight of nothing at all is a good one; here one that is, is found.

    Seen to fail without `is_weak` in issuer.py. RFC 8032, section 8.4; "Taming the many EdDSAs", 2020.
    """
    with_another(issuer, {"kty": "OKP", "crv": "Ed25519", "x": encoded(point), "kid": "weak"})
    claims = jwt.decode(issuer.token("alice"), options={"verify_signature": False})
    authenticator = authenticator_of(issuer)
    public = ed25519.Ed25519PublicKey.from_public_bytes(point)
    identity = (1).to_bytes(32, "little")
    forged, token = identity + bytes(32), ""
    for number in range(64):
        payload = json.dumps(claims | {"jti": str(number)}).encode()
        text = f"{encoded(b'{"alg":"EdDSA","kid":"weak"}')}.{encoded(payload)}"
        token = f"{text}.{encoded(forged)}"
        with suppress(InvalidSignature):
            public.verify(forged, text.encode())
            break
    assert outcome(authenticator, token) == 401


def test_a_point_that_is_not_on_its_curve_verifies_nothing(issuer: FaultyIssuer) -> None:
    """RFC 8725, section 3.4. Seen to fail with a point that is on it."""
    [good] = issuer.key_set()["keys"]
    with_another(issuer, good | {"kid": "weak", "x": encoded(bytes(31) + b"\1")})
    claims = jwt.decode(issuer.token("alice"), options={"verify_signature": False})
    token = jwt.encode(claims, issuer.private_key, "ES256", {"kid": "weak"})
    assert outcome(authenticator_of(issuer), token) == 401


def test_keys_that_are_made_at_random_are_not_weak() -> None:
    """No good key is taken for a weak one: seen to fail with a single marker instead of all."""
    keys: list[Any] = [rsa.generate_private_key(65537, 2048).public_key() for _ in range(10)]
    keys += [ed25519.Ed25519PrivateKey.generate().public_key() for _ in range(50)]
    keys.append(ec.generate_private_key(ec.SECP256R1()).public_key())
    assert [is_weak(key) for key in keys] == [False] * len(keys)


def of_modulus(modulus: int, exponent: int = 65537) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def test_an_exponent_is_65537_at_least_and_odd() -> None:
    """FIPS 186-5, section 5.1. Seen to fail with a limit of half as much."""
    modulus = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
    assert is_weak(of_modulus(modulus, 65535))
    assert not is_weak(of_modulus(modulus, 65537))
    jwk = dict(jwt.get_algorithm_by_name("RS256").to_jwk(of_modulus(modulus), as_dict=True))
    assert _signing_key(jwk)
    assert _signing_key(jwk | {"e": encoded((65538).to_bytes(3))}) is None


@pytest.mark.parametrize(("steps", "weak"), [(1, True), (100, True), (101, False)])
def test_primes_are_close_if_fermats_method_finds_them_in_a_hundred_steps(steps: int, weak: bool) -> None:
    """CVE-2022-26320. Seen to fail with 99 steps, and with 101."""
    middle = (1 << 1024) - 1024
    apart = math.isqrt(2 * middle * (steps - 1)) + 1  # from the middle, so far that it takes that many steps
    apart += 1 - apart % 2  # odd, so that the modulus is
    assert is_weak(of_modulus(middle**2 - apart**2)) is weak


def test_a_square_is_weak() -> None:
    """No primes are closer to each other than one to itself. Seen to fail with a search that begins behind the root."""
    assert is_weak(of_modulus(random_prime() ** 2))


def test_a_modulus_is_of_rocas_form_only_if_every_marker_says_so() -> None:
    """Seen to fail without the marker 11. CVE-2017-15361."""
    others = math.prod(p for p in MARKERS if p != 11)
    ones = [1 + others * k for k in range(1 << 1900, (1 << 1900) + 22) if (1 + others * k) % 2]
    for modulus in ones:
        # Powers of 65537, which is -1 modulo 11, are 1 and 10.
        assert is_weak(of_modulus(modulus)) is (modulus % 11 in (1, 10)), modulus % 11


@pytest.mark.parametrize("kid", [1, 1.5, True, ["k"], {"k": 1}])
def test_a_key_whose_id_is_no_text_is_no_key(kid: Any) -> None:
    """RFC 7517, section 4.5. Seen to fail without the look at its type, and with `str()` around it."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    jwk = dict(jwt.get_algorithm_by_name("ES256").to_jwk(public, as_dict=True))
    assert _signing_key(jwk | {"kid": "k"})
    assert _signing_key(jwk | {"kid": kid}) is None
