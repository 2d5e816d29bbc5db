"""GitHub's alerts about secrets that it found: whether one is GitHub's, by the signature over its bytes.

https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from apikeys import log
from apikeys.errors import BadRequest, Forbidden, Violation
from apikeys.published_keys import PublishedKeys, read_document
from apikeys.request import Request
from apikeys.settings import SettingsError, is_trusted_url, required

IDENTIFIER, SIGNATURE = "github-public-key-identifier", "github-public-key-signature"
MAX_BODY = 1024 * 1024  # bytes
MAX_WHERE = 192  # bytes that are kept of where a key was found, so that its item stays small
URL_CHARACTERS = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Found:
    """A string that GitHub found and takes for a key. Its `repr` shows neither it nor where it was found.

    Args:
        token: the string.
        type: what GitHub calls such strings.
        where: URL, or else the kind of place, in at most MAX_WHERE bytes; empty if GitHub says neither.
    """

    token: str = field(repr=False)
    type: str
    where: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class GithubKey:
    """One of GitHub's public keys."""

    identifier: str
    public_key: ec.EllipticCurvePublicKey


class GithubKeys(PublishedKeys[GithubKey]):
    """GitHub's public keys for secret scanning, remembered.

    Args:
        url: where they are published.

    Raises:
        SettingsError: if keys may not be read from this URL.
    """

    def __init__(self, url: str) -> None:
        super().__init__("GitHub", publisher="github")
        if not is_trusted_url(url):
            raise SettingsError("GITHUB_KEYS_URL must be an https URL")
        self._url = url

    def verify(self, body: bytes, *, identifier: str | None, signature: str | None) -> None:
        """Return if GitHub signed this body.

        Args:
            body: as it was received, to the byte.
            identifier: of the key; None where none was sent.
            signature: ECDSA with P-256 and SHA-256, DER in Base64; None where none was sent.

        Raises:
            Forbidden: if it is not signed, or not by GitHub.
            ServiceUnavailable: if that cannot be told, because GitHub does not give its keys.
        """
        if not identifier or not signature:
            raise Forbidden("not signed")
        try:
            signed = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            raise Forbidden("the signature is no Base64") from None
        known = self.keys_that(lambda keys: any(key.identifier == identifier for key in keys))
        found = [key for key in known if key.identifier == identifier]
        if len(found) != 1:
            raise Forbidden("GitHub has no such key, or several")
        try:
            found[0].public_key.verify(signed, body, ec.ECDSA(SHA256()))
        except InvalidSignature:
            raise Forbidden("the signature is not GitHub's") from None

    def _fetch(self, until: float) -> list[GithubKey]:
        published = read_document(self._url, until).get("public_keys")
        keys = [_key(one) for one in published] if isinstance(published, list) else []
        usable = [key for key in keys if key]
        if not usable:
            raise ValueError("there is no usable key")
        return usable


class GithubAlerts:
    """Reads GitHub's alerts.

    Args:
        keys: that GitHub signs with.
    """

    def __init__(self, keys: GithubKeys) -> None:
        self._keys = keys

    @classmethod
    def connect(cls) -> "GithubAlerts":
        """Return the reader of this deployment.

        Raises:
            SettingsError: if GITHUB_KEYS_URL is missing, or no URL that keys may be read from.
        """
        return cls(GithubKeys(required("GITHUB_KEYS_URL")))

    def read(self, request: Request) -> list[Found]:
        """Return what GitHub found, once nobody else can have said so.

        Raises:
            Forbidden: if the body is not signed by GitHub.
            BadRequest: if it is no list of what was found; names each member at fault.
            UnsupportedMediaType: if it is no JSON.
            ContentTooLarge: if it has more than MAX_BODY bytes.
            ServiceUnavailable: if GitHub does not give its keys.
        """
        body = request.octets("application/json", at_most=MAX_BODY)
        self._keys.verify(body, identifier=request.header(IDENTIFIER), signature=request.header(SIGNATURE))
        try:
            listed = json.loads(body)
        except (ValueError, RecursionError):
            raise BadRequest([Violation("body", "must be JSON")]) from None
        if not isinstance(listed, list):
            raise BadRequest([Violation("body", "must be a list")])
        violations = [
            Violation(f"[{number}].{name}", "must be a string")
            for number, one in enumerate(listed)
            for name in ("token", "type")
            if not isinstance(one, dict) or not isinstance(one.get(name), str)
        ]
        if violations:
            raise BadRequest(violations)
        return [Found(one["token"], one["type"], _where(one)) for one in listed]


def _key(published: Any) -> GithubKey | None:
    """Return the key if it is one on the curve that GitHub signs with, else None."""
    if not isinstance(published, dict):
        return None
    identifier, pem = published.get("key_identifier"), published.get("key")
    if not isinstance(identifier, str) or not isinstance(pem, str):
        return None
    try:
        public_key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or not isinstance(
        public_key.curve, ec.SECP256R1
    ):
        return None
    return GithubKey(identifier, public_key)


def _where(found: dict[str, Any]) -> str:
    """Return where it was found, in printable ASCII; the place may be named after the key, which is not kept."""
    told = [found[name] for name in ("url", "source") if isinstance(found.get(name), str) and found[name]]
    return quote(log.redacted(told[0], log.LONGER), safe=URL_CHARACTERS)[:MAX_WHERE] if told else ""
