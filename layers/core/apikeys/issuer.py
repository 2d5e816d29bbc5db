"""The issuer's public keys: fetched, remembered, and chosen from."""

import base64
import json
import math
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from threading import Lock
from typing import Any, ClassVar, Self

import jwt

from apikeys import deadline, log
from apikeys.errors import ServiceUnavailable, Unauthorized
from apikeys.fetch import fetch
from apikeys.settings import is_trusted_url
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
MAX_BYTES = 256 * 1024  # of a key set or discovery document
FETCH_FAILURES = (OSError, ValueError, HTTPException, RecursionError)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key of the issuer, and what it may verify."""

    kid: str | None
    algorithms: tuple[str, ...]
    public_key: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, by two clocks: the wall's may be set, and the other may stand still while Lambda is frozen.

    Args:
        wall: `time.time()`.
        monotonic: `time.monotonic()`.
    """

    wall: float = -math.inf
    monotonic: float = -math.inf

    @classmethod
    def now(cls) -> Self:
        """Return this moment."""
        return cls(time.time(), time.monotonic())

    def ago(self) -> float:
        """Return how many seconds ago it was, by the clock that says more."""
        return max(time.time() - self.wall, time.monotonic() - self.monotonic)

    def is_to_come(self) -> bool:
        """Tell whether the wall clock was set back behind it; then nobody knows how long ago it was."""
        return time.time() < self.wall


class IssuerKeys:
    """The issuer's public keys, remembered.

    They are fetched again when they are older than FRESH_FOR, or when a token names a key that is not among
    them, but never more often than every COOLDOWN. While the issuer does not answer, the keys already known
    keep working until they are USABLE_FOR old.

    Args:
        issuer: its identifier; its discovery document tells where the keys are, unless the next does.
        jwks_url: where the keys are.
    """

    FRESH_FOR: ClassVar = 10 * 60
    USABLE_FOR: ClassVar = 6 * 60 * 60
    COOLDOWN: ClassVar = 10
    TIMEOUT: ClassVar = 2.0
    """Seconds for one fetch as a whole: discovery, connecting and reading together."""

    def __init__(self, issuer: str, jwks_url: str | None) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._keys: list[SigningKey] = []
        self._fetched = self._tried = Moment()
        self._lock = Lock()

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
        with self._lock:
            keys = self._known(self.FRESH_FOR) if not self._fetched.is_to_come() else []
            if not _settle(keys, kid, algorithm):
                is_news = self._refresh()
                keys = self._known(self.USABLE_FOR)
                if not is_news and not _settle(keys, kid, algorithm):
                    wait = max(1, math.ceil(self.COOLDOWN - min(self.COOLDOWN, self._tried.ago())))
                    raise ServiceUnavailable("the issuer's keys do not settle it", retry_after=wait)
        found = [key for key in keys if kid in (None, key.kid) and algorithm in key.algorithms]
        if not found:
            raise Unauthorized("the issuer has no such key")
        if len(found) > 1:
            raise Unauthorized("the issuer has several such keys")
        return found[0]

    def _known(self, seconds: float) -> list[SigningKey]:
        return self._keys if self._fetched.ago() < seconds else []

    def _refresh(self) -> bool:
        """Fetch the keys, and tell whether that was done."""
        is_too_soon = self._tried.ago() < self.COOLDOWN and not self._tried.is_to_come()
        if is_too_soon or not deadline.left():
            return False
        self._tried = Moment.now()
        try:
            self._keys = self._fetch(time.monotonic() + min(self.TIMEOUT, deadline.left()))
        except FETCH_FAILURES as failure:
            # What is known stays as it is; find() decides what it is still good for.
            name, reason = type(failure).__name__, str(failure)[:200]
            log.warning("the issuer's keys could not be fetched", exception_name=name, reason=reason)
            return False
        self._fetched = self._tried
        return True

    def _fetch(self, until: float) -> list[SigningKey]:
        jwks = _get(self._jwks_url or self._discover(until), until).get("keys")
        keys = [_signing_key(jwk) for jwk in jwks] if isinstance(jwks, list) else []
        usable = [key for key in keys if key]
        if not usable:
            raise ValueError("the issuer's key set holds no usable key")
        return usable

    def _discover(self, until: float) -> str:
        """Return the issuer's `jwks_uri` (OpenID Connect Discovery 1.0, section 4)."""
        document = _get(self._issuer.removesuffix("/") + "/.well-known/openid-configuration", until)
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


def _get(url: str, until: float) -> dict[str, Any]:
    if not is_trusted_url(url):
        raise ValueError("the issuer's keys are not at an https URL")
    _, is_data, data = url.partition("data:application/json;base64,")
    document = json.loads(base64.b64decode(data) if is_data else fetch(url, until=until, at_most=MAX_BYTES))
    if not isinstance(document, dict):
        raise ValueError("the issuer's answer is no JSON object")  # noqa: TRY004 -- data, not a bug
    return document
