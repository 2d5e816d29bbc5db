"""Every published way to get past a JWT check, over HTTP: SAM's gateway, the real function, an issuer's real keys.

A row a trick, by the section or the advisory that tells of it. Each is answered with the documented 401, and the good
token that it was made from, with a 404: the key does not exist, and that is told to verified callers only.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from local.functions import FunctionsServer
from local.issuer import AUDIENCE
from local.run import gateway
from tests.deployment import NOT_FOUND, UNAUTHORIZED, Deployment
from tests.running import free_ports

KEY_ID = "123e4567-e89b-12d3-a456-426614174000"
PATH = f"/api/v1/applications/{KEY_ID}/api-keys/{KEY_ID}"
ORDER = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)  # of P-256's group
OTHER_CURVE = ec.generate_private_key(ec.SECP384R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Forger:
    """What is known to whoever holds a good token, and, for what only the issuer could do wrong, its private key."""

    issuer: Any
    good: str

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": "ES256", "typ": "JWT", "kid": self.issuer.kid}

    @property
    def claims(self) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(self.good, options={"verify_signature": False})
        return claims

    def unsigned(self, header: Any = None, payload: Any = None) -> str:
        """Return header and payload; bytes as they are."""
        parts = [self.header if header is None else header, self.claims if payload is None else payload]
        octets = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in parts]
        return ".".join(map(encoded, octets))

    def signed(self, header: Any = None, payload: Any = None, *, key: Any = None) -> str:
        """Return a token with a signature by ES256, the issuer's unless a key is given."""
        text = self.unsigned(header, payload)
        return f"{text}.{encoded(self.signature(text, key))}"

    def signature(self, text: str, key: Any = None) -> bytes:
        octets: bytes = jwt.get_algorithm_by_name("ES256").sign(text.encode(), key or self.issuer.private_key)
        return octets

    def with_header(self, **changes: Any) -> str:
        return self.signed(self.header | changes)

    def with_claims(self, **changes: Any) -> str:
        return self.signed(payload={k: v for k, v in (self.claims | changes).items() if v is not None})

    def hmac(self, secret: bytes, algorithm: str = "HS256") -> str:
        text = self.unsigned(self.header | {"alg": algorithm})
        return f"{text}.{encoded(hmac.new(secret, text.encode(), getattr(hashlib, 'sha' + algorithm[2:])).digest())}"

    def public(self, encoding: Encoding, form: PublicFormat) -> bytes:
        octets: bytes = self.issuer.private_key.public_key().public_bytes(encoding, form)
        return octets

    def jwk(self) -> bytes:
        return json.dumps(self.issuer.key_set()["keys"][0]).encode()

    def numbers(self, r: int, s: int) -> str:
        return f"{self.unsigned()}.{encoded(r.to_bytes(32) + s.to_bytes(32))}"


def der_signature(forger: Forger) -> str:
    text = forger.unsigned()
    return f"{text}.{encoded(forger.issuer.private_key.sign(text.encode(), ec.ECDSA(SHA256())))}"


def split_signature(forger: Forger, *, change: Callable[[int, int], tuple[int, int]]) -> str:
    text = forger.unsigned()
    r, s = utils.decode_dss_signature(forger.issuer.private_key.sign(text.encode(), ec.ECDSA(SHA256())))
    r, s = change(r, s)
    return f"{text}.{encoded(r.to_bytes(33).lstrip(bytes(1)) + s.to_bytes(33).lstrip(bytes(1)))}"


def by_a_stranger(**header: Any) -> Callable[[Forger], str]:
    return lambda f: f.signed(f.header | header, key=STRANGER)


def stranger_jwk() -> dict[str, Any]:
    return dict(jwt.get_algorithm_by_name("ES256").to_jwk(STRANGER.public_key(), as_dict=True))


PEM, DER, SSH = Encoding.PEM, Encoding.DER, Encoding.OpenSSH
SPKI = PublicFormat.SubjectPublicKeyInfo

# Where it is told of, and how it is done.
TRICKS: dict[str, Callable[[Forger], str]] = {
    # The algorithm is not the token's to choose.
    "RFC 8725, 2.1: alg none": lambda f: f.unsigned(f.header | {"alg": "none"}) + ".",
    "RFC 8725, 2.1: alg nOnE": lambda f: f.unsigned(f.header | {"alg": "nOnE"}) + ".",
    "RFC 8725, 2.1: alg none, and a signature": lambda f: f.unsigned(f.header | {"alg": "none"}) + ".AAAA",
    "RFC 8725, 2.1: HS256 with the public key in PEM (CVE-2015-9235)": lambda f: f.hmac(f.public(PEM, SPKI)),
    "RFC 8725, 2.1: HS256 with the public key in DER": lambda f: f.hmac(f.public(DER, SPKI)),
    "CVE-2017-11424 (PyJWT): HS256 with the point": lambda f: f.hmac(
        f.public(Encoding.X962, PublicFormat.UncompressedPoint)
    ),
    "CVE-2022-29217 (PyJWT): HS256 with the public key of OpenSSH": lambda f: f.hmac(
        f.public(SSH, PublicFormat.OpenSSH)
    ),
    "GHSA-xgmm-8j9v-c9wx (PyJWT): HS256 with the JWK": lambda f: f.hmac(f.jwk()),
    "RFC 8725, 3.1: HS384": lambda f: f.hmac(f.public(PEM, SPKI), "HS384"),
    "RFC 8725, 3.1: HS512": lambda f: f.hmac(f.public(PEM, SPKI), "HS512"),
    "GHSA-2gx3-rcp4-g85q and others (PyJWT): an empty secret": lambda f: f.hmac(b""),
    "RFC 8725, 3.1: RS256 for an EC key": lambda f: f.with_header(alg="RS256"),
    "RFC 8725, 3.1: ES384 for a key of P-256": lambda f: f.with_header(alg="ES384"),
    "GHSA-jq35-7prp-9v3f (PyJWT): another allowed algorithm in the header": lambda f: f.with_header(
        alg="EdDSA"
    ),
    "RFC 8725, 3.2: ES256K": lambda f: f.with_header(alg="ES256K"),
    "RFC 7515, 4.1.1: no alg": lambda f: f.signed({"kid": f.issuer.kid}),
    "RFC 7515, 4.1.1: alg in another case": lambda f: f.with_header(alg="es256"),
    "RFC 7515, 4.1.1: alg of another type": lambda f: f.with_header(alg=["ES256"]),
    "RFC 7515, 4.1.1: alg null": lambda f: f.with_header(alg=None),
    "RFC 7515, 4: alg twice, the last of them none": lambda f: f.signed(
        b'{"alg":"ES256","kid":"%s","alg":"none"}' % f.issuer.kid.encode()
    ),
    # A signature is not optional, and nothing like one will do.
    "RFC 8725, 3.3: no signature (CVE-2020-28042)": lambda f: f.unsigned() + ".",
    "RFC 8725, 3.3: two parts": lambda f: f.unsigned(),
    "RFC 8725, 3.3: half a signature": lambda f: f.good[:-43],
    "RFC 8725, 3.3: a signature of another token": lambda f: (
        f.unsigned(payload=f.claims | {"sub": "root"}) + "." + f.good.rsplit(".", 1)[1]
    ),
    "CVE-2022-21449: r and s are 0": lambda f: f.numbers(0, 0),
    "CVE-2022-21449: r is 0": lambda f: f.numbers(0, 1),
    "CVE-2022-21449: s is 0": lambda f: f.numbers(1, 0),
    "CVE-2022-21449: r and s are the order": lambda f: f.numbers(ORDER, ORDER),
    "RFC 7518, 3.4: r + n for r": lambda f: split_signature(f, change=lambda r, s: (r + ORDER, s)),
    "RFC 7518, 3.4: a signature in DER": der_signature,
    "RFC 7518, 3.4: a signature of 65 bytes": lambda f: f.good + "AA",
    "RFC 8725, 3.3: a stranger's signature": by_a_stranger(),
    # The header vouches for nobody.
    "RFC 8725, 3.10 and CVE-2018-0114: the key in the header": by_a_stranger(jwk=stranger_jwk()),
    "RFC 8725, 3.10: jku": by_a_stranger(jku="https://evil.example/jwks.json"),
    "RFC 8725, 3.10: x5u": by_a_stranger(x5u="https://evil.example/cert.pem"),
    "RFC 8725, 3.10: x5c": by_a_stranger(x5c=["MIIB"]),
    "RFC 8725, 3.10: a kid that is a path": by_a_stranger(kid="../../../../dev/null"),
    "RFC 8725, 3.10: a kid that is SQL": by_a_stranger(kid="' UNION SELECT 'x"),
    "RFC 8725, 3.10: a kid that is a URL": by_a_stranger(kid="https://evil.example/key"),
    "RFC 8725, 3.10: a kid that is long": by_a_stranger(kid="k" * 4000),
    "RFC 8725, 3.10: a kid with a NUL": by_a_stranger(kid="\0"),
    "RFC 7515, 4.1.4: a kid that is a number": lambda f: f.with_header(kid=1),
    "RFC 7515, 4.1.4: a kid that is null": lambda f: f.with_header(kid=None),
    "RFC 7515, 4.1.4: a kid that is a list": lambda f: f.with_header(kid=[f.issuer.kid]),
    "RFC 7515, 4.1.4: a kid that is an object": lambda f: f.with_header(kid={f.issuer.kid: 1}),
    "RFC 7515, 4.1.4: a kid that is true": lambda f: f.with_header(kid=True),
    "RFC 7515, 4.1.4: an empty kid": lambda f: f.with_header(kid=""),
    "RFC 7515, 4.1.11 and CVE-2026-32597 (PyJWT): crit": lambda f: f.with_header(crit=["exp"], exp=1),
    "RFC 7515, 4.1.11: crit with what nobody knows": lambda f: f.with_header(
        crit=["x-mfa"], **{"x-mfa": True}
    ),
    "RFC 7515, 4.1.11: an empty crit": lambda f: f.with_header(crit=[]),
    "RFC 7797 and GHSA-w7vc-732c-9m39 (PyJWT): b64 false": lambda f: f.with_header(crit=["b64"], b64=False),
    # What is no compact JWS.
    "RFC 7516 and CVE-2024-33664: five parts, as a JWE, zipped": lambda f: (
        encoded(json.dumps({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}).encode()) + "..AAAA.AAAA.AAAA"
    ),
    "CVE-2023-52428: a JWE that asks for a million hashes": lambda f: (
        encoded(json.dumps({"alg": "PBES2-HS256+A128KW", "p2c": 10**9, "p2s": "AA"}).encode())
        + ".AA.AA.AA.AA"
    ),
    "CVE-2023-52428: a JWS that does": lambda f: f.with_header(alg="PBES2-HS256+A128KW", p2c=10**9, p2s="AA"),
    "RFC 7515, 7.2: the JSON serialization": lambda f: json.dumps(
        dict(zip(("protected", "payload", "signature"), f.good.split("."), strict=True))
    ),
    "RFC 7519, 7.2: a JWT in a JWT": lambda f: f.signed(f.header | {"cty": "JWT"}, f.good.encode()),
    "RFC 7515, 2: with padding": lambda f: f.good + "==",
    "RFC 7515, 2: the other Base64 alphabet": lambda f: f.good.replace("-", "+").replace("_", "/") + "+",
    "RFC 7515, 2: a line break": lambda f: f.good[:50] + "\t" + f.good[50:],
    "GHSA-hxm8-2xgr-2p9m (PyJWT): bits that decode to nothing": lambda f: (
        f.good[:-1] + chr(ord(f.good[-1]) + 1)
    ),
    "RFC 7515, 3.1: four parts": lambda f: f.good + ".AAAA",
    "RFC 7515, 5.2: a header that is no JSON": lambda f: f.signed(b"{"),
    "RFC 7515, 5.2: a header that is no object": lambda f: f.signed([f.header]),
    "RFC 7515, 5.2: a header that is no UTF-8": lambda f: f.signed(b'{"alg":"\xff"}'),
    "RFC 8725, 3.7: a header in UTF-16": lambda f: f.signed(json.dumps(f.header).encode("utf-16")),
    "RFC 7515, 5.2: a header nested deeply": lambda f: f.signed(b'{"a":' * 1200 + b"1" + b"}" * 1200),
    # What the issuer signed is for somebody else, or not now.
    "RFC 8725, 3.8: no iss": lambda f: f.with_claims(iss=None),
    "CVE-2024-53861 (PyJWT): a part of iss": lambda f: f.with_claims(iss=f.issuer.url[:-1]),
    "RFC 8725, 3.8: more than iss": lambda f: f.with_claims(iss=f.issuer.url + "/"),
    "RFC 7519, 4.1.1: a list of iss": lambda f: f.with_claims(iss=[f.issuer.url]),
    "RFC 8725, 3.8: no sub": lambda f: f.with_claims(sub=None),
    "RFC 7519, 4.1.2: a sub that is a number": lambda f: f.with_claims(sub=1),
    "RFC 8725, 3.9: no aud": lambda f: f.with_claims(aud=None),
    "RFC 8725, 3.9: another aud": lambda f: f.with_claims(aud="other"),
    "RFC 8725, 3.9: a part of aud": lambda f: f.with_claims(aud=AUDIENCE[:-1]),
    "RFC 8725, 3.12: an ID token, for the client": lambda f: f.with_claims(aud="client", nonce="x"),
    "RFC 7519, 4.1.3: an aud that is an object": lambda f: f.with_claims(aud={AUDIENCE: 1}),
    "RFC 7519, 4.1.4: no exp": lambda f: f.with_claims(exp=None),
    "RFC 7519, 4.1.4: over": lambda f: f.with_claims(exp=f.claims["iat"] - 60),
    "RFC 7519, 2: an exp that is text": lambda f: f.with_claims(exp=str(f.claims["exp"])),
    "RFC 7519, 2: an exp that is no number": lambda f: f.with_claims(exp=float("nan")),
    "RFC 7519, 2: an exp without end": lambda f: f.with_claims(exp=float("inf")),
    "RFC 7519, 4.1.5: not yet": lambda f: f.with_claims(nbf=f.claims["iat"] + 3600),
    "RFC 7519, 4.1.6: issued in the future": lambda f: f.with_claims(iat=f.claims["iat"] + 3600),
    "RFC 7519, 7.2: a payload that is a list": lambda f: f.signed(payload=[f.claims]),
    "RFC 7519, 7.2: a payload that is no JSON": lambda f: f.signed(payload=b"sub=alice"),
    "RFC 7519, 7.2: no payload": lambda f: f.signed(payload=b""),
}


@pytest.fixture(scope="module")
def api() -> Iterator[tuple[str, Deployment]]:
    """A deployment of its own behind SAM's gateway."""
    with Deployment.up() as deployment:
        functions = FunctionsServer(deployment.handlers, lambda *_: None)
        functions.start()
        port = free_ports()
        parameters = {"Issuer": deployment.issuer.url, "Audience": AUDIENCE}
        with gateway(port, functions.url, parameters=parameters):
            yield f"http://127.0.0.1:{port}", deployment
        functions.stop()


@pytest.fixture
def forger(api: tuple[str, Deployment]) -> Forger:
    _, deployment = api
    return Forger(deployment.issuer, deployment.token("alice", "api-keys:revoke"))


def answer_to(api: tuple[str, Deployment], token: str) -> tuple[int, Any]:
    url, _ = api
    answer = requests.delete(url + PATH, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    return answer.status_code, answer.json()


def test_the_token_that_the_tricks_are_made_from_is_good(api: tuple[str, Deployment], forger: Forger) -> None:
    assert answer_to(api, forger.good) == (404, NOT_FOUND)
    assert answer_to(api, forger.signed()) == (404, NOT_FOUND)


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_makes_a_caller(api: tuple[str, Deployment], forger: Forger, trick: str) -> None:
    """Guarantee: the documented 401, whatever is presented.

    A key that the issuer does not have is a 503 while the issuer was asked for it a moment ago, and no caller either.
    Seen to fail with an audience that is not looked at.
    """
    status, body = answer_to(api, TRICKS[trick](forger))
    if status != 503:
        assert (status, body) == (401, UNAUTHORIZED)
    else:
        assert "kid" in trick
    assert answer_to(api, forger.good)[0] == 404
