"""The issuer's public keys, and which of them can have signed a token."""

from dataclasses import dataclass
from typing import Any

import jwt

from apikeys.errors import Unauthorized
from apikeys.published_keys import PublishedKeys, read_document
from apikeys.weak import is_weak

# Which algorithms a key of a type and curve may verify (RFC 7518, section 3.1; RFC 8037). Asymmetric ones
# only: the token does not choose, it must agree.
ALGORITHMS: dict[str, tuple[str, ...]] = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC P-256": ("ES256",),
    "EC P-384": ("ES384",),
    "EC P-521": ("ES512",),
    "OKP Ed25519": ("EdDSA",),
}
ALLOWED = tuple(name for family in ALGORITHMS.values() for name in family)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key of the issuer, and what it may verify."""

    kid: str | None
    algorithms: tuple[str, ...]
    public_key: Any


class IssuerKeys(PublishedKeys[SigningKey]):
    """The issuer's public keys, remembered.

    Args:
        issuer: its identifier; its discovery document tells where the keys are, unless the next does.
        jwks_url: where the keys are.
    """

    def __init__(self, issuer: str, jwks_url: str | None) -> None:
        super().__init__("the issuer", publisher="issuer")
        self._issuer = issuer
        self._jwks_url = jwks_url

    def find(self, kid: str | None, algorithm: Any) -> SigningKey:
        """Return the one key that can have signed a token.

        Args:
            kid: the token header's key id, None where it has none.
            algorithm: the token header's `alg`.

        Raises:
            Unauthorized: if the issuer has no such key, or more than one.
            ServiceUnavailable: if the keys known do not settle it, and the issuer does not answer or was asked too
                short a time ago: the key may be a new one.
        """
        if algorithm not in ALLOWED:
            raise Unauthorized("no algorithm of ours")
        keys = self.keys_that(lambda known: _settle(known, kid, algorithm))
        found = [key for key in keys if kid in (None, key.kid) and algorithm in key.algorithms]
        if not found:
            raise Unauthorized("the issuer has no such key")
        if len(found) > 1:
            raise Unauthorized("the issuer has several such keys")
        return found[0]

    def _fetch(self, until: float) -> list[SigningKey]:
        jwks = read_document(self._jwks_url or self._discover(until), until).get("keys")
        keys = [_signing_key(jwk) for jwk in jwks] if isinstance(jwks, list) else []
        usable = [key for key in keys if key]
        if not usable:
            raise ValueError("the issuer's key set holds no usable key")
        return usable

    def _discover(self, until: float) -> str:
        """Return the issuer's `jwks_uri` (OpenID Connect Discovery 1.0, section 4)."""
        document = read_document(self._issuer.removesuffix("/") + "/.well-known/openid-configuration", until)
        if document.get("issuer") != self._issuer:
            raise ValueError("the discovery document is another issuer's")
        return str(document.get("jwks_uri"))


def _settle(keys: list[SigningKey], kid: str | None, algorithm: str) -> bool:
    """Tell whether these keys decide about a token, one way or the other."""
    return any(key.kid == kid if kid is not None else algorithm in key.algorithms for key in keys)


def _signing_key(jwk: Any) -> SigningKey | None:
    """Return the key if it is a public one, meant for signatures (RFC 7517, section 4), and not weak; else None."""
    if not isinstance(jwk, dict) or "d" in jwk:  # a published private key vouches for nobody
        return None
    key_ops = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(key_ops, list) or "verify" not in key_ops:
        return None
    family = ALGORITHMS.get(" ".join(str(jwk[member]) for member in ("kty", "crv") if member in jwk), ())
    algorithms = tuple(name for name in family if jwk.get("alg", name) == name)
    if not algorithms or not isinstance(jwk.get("kid"), str | None):
        return None
    try:
        public_key = jwt.PyJWK(jwk, algorithms[0]).key
    except jwt.PyJWTError:
        return None
    return None if is_weak(public_key) else SigningKey(jwk.get("kid"), algorithms, public_key)
