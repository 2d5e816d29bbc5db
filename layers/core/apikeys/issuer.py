"""The issuer's public keys: fetched, remembered, and chosen from."""

import json
import math
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from threading import Lock
from typing import Any

import jwt

from apikeys.errors import ServiceUnavailable, Unauthorized
from apikeys.log import logger
from apikeys.settings import is_trusted_url

# Which algorithms a key of a type and curve may verify (RFC 7518, section 3.1; RFC 8037). Asymmetric ones
# only: the token does not choose, it must agree.
ALGORITHMS: dict[str, tuple[str, ...]] = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC P-256": ("ES256",),
    "EC P-384": ("ES384",),
    "EC P-521": ("ES512",),
    "OKP Ed25519": ("EdDSA",),
}
MAX_BYTES = 256 * 1024  # of a key set or discovery document; what is longer is cut and so no JSON
FETCH_FAILURES = (OSError, ValueError, HTTPException, RecursionError)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key of the issuer, and what it may verify."""

    kid: str | None
    algorithms: tuple[str, ...]
    public_key: Any = field(repr=False)


class IssuerKeys:
    """The issuer's public keys, remembered.

    They are fetched again when they are older than FRESH_FOR, or when a token names a key that is not among
    them, but never more often than every COOLDOWN. While the issuer does not answer, the keys already known
    keep working until they are USABLE_FOR old. By the wall clock: a
    frozen Lambda's monotonic one may stand still.

    Args:
        issuer: its identifier; its discovery document tells where the keys are, unless the next does.
        jwks_url: where the keys are.
    """

    FRESH_FOR = 10 * 60
    USABLE_FOR = 6 * 60 * 60
    COOLDOWN = 10
    TIMEOUT = 2
    """Seconds for one fetch as a whole: discovery, connecting and reading together."""

    def __init__(self, issuer: str, jwks_url: str | None) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._keys: list[SigningKey] = []
        self._fetched_at = self._tried_at = -math.inf
        self._lock = Lock()

    def find(self, kid: Any, algorithm: Any) -> SigningKey:
        """Return the one key that can have signed a token.

        Args:
            kid: the token header's key id, None where it has none.
            algorithm: the token header's `alg`.

        Raises:
            Unauthorized: if the issuer has no such key, or more than one.
            ServiceUnavailable: if the issuer does not answer, and the keys known do not settle it.
        """
        with self._lock:
            now = time.time()
            found = self._matching(kid, algorithm) if now < self._fetched_at + self.FRESH_FOR else []
            if not found:
                self._refresh(now)
                found = self._matching(kid, algorithm) if now < self._fetched_at + self.USABLE_FOR else []
            if not found and self._fetched_at < self._tried_at:
                wait = math.ceil(max(1, self._tried_at + self.COOLDOWN - now))
                raise ServiceUnavailable("the issuer does not give its keys", retry_after=wait)
        if not found:
            raise Unauthorized("the issuer has no such key")
        if len(found) > 1:
            raise Unauthorized("the issuer has several such keys")
        return found[0]

    def _matching(self, kid: Any, algorithm: Any) -> list[SigningKey]:
        return [key for key in self._keys if kid in (None, key.kid) and algorithm in key.algorithms]

    def _refresh(self, now: float) -> None:
        if now < self._tried_at + self.COOLDOWN:
            return
        self._tried_at = now
        # A thread of its own: a socket time-out alone would let a dribbling server hold us for ever.
        worker = ThreadPoolExecutor(max_workers=1)
        try:
            self._keys = worker.submit(self._fetch).result(timeout=self.TIMEOUT)
            self._fetched_at = now
        except FETCH_FAILURES as failure:
            # What is known stays as it is; find() decides what it is still good for.
            logger.warning("the issuer's keys could not be fetched", failure=type(failure).__name__)
        finally:
            worker.shutdown(wait=False, cancel_futures=True)

    def _fetch(self) -> list[SigningKey]:
        jwks = _get(self._jwks_url or self._discover()).get("keys")
        keys = [_signing_key(jwk) for jwk in jwks] if isinstance(jwks, list) else []
        usable = [key for key in keys if key]
        if not usable:
            raise ValueError("the issuer's key set holds no usable key")
        return usable

    def _discover(self) -> str:
        """Return the issuer's `jwks_uri` (OpenID Connect Discovery 1.0, section 4)."""
        document = _get(self._issuer.removesuffix("/") + "/.well-known/openid-configuration")
        if document.get("issuer") != self._issuer:
            raise ValueError("the discovery document is another issuer's")
        return str(document.get("jwks_uri"))


def _signing_key(jwk: Any) -> SigningKey | None:
    """Return the key if it is a public one that is meant for signatures (RFC 7517, section 4), else None."""
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
        return SigningKey(jwk.get("kid"), algorithms, jwt.PyJWK(jwk, algorithms[0]).key)
    except jwt.PyJWTError:
        return None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Refuse: keys come from the URL that was configured, not from where it points."""


_opener = urllib.request.build_opener(_NoRedirects)


def _get(url: str) -> dict[str, Any]:
    if not is_trusted_url(url):
        raise ValueError("the issuer's keys are not at an https URL")
    with _opener.open(url, timeout=IssuerKeys.TIMEOUT) as response:
        document = json.loads(response.read(MAX_BYTES + 1)[:MAX_BYTES])
    if not isinstance(document, dict):
        raise ValueError("the issuer's answer is no JSON object")  # noqa: TRY004 -- data, not a bug
    return document
