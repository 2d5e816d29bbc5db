"""Who asks: from the Authorization header to a verified Caller."""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, TypeGuard

import jwt

from apikeys.errors import Unauthorized
from apikeys.issuer import IssuerKeys
from apikeys.keys import FORMAT as KEY_STRING
from apikeys.settings import TokenSettings

# The scheme in any case (RFC 9110, section 11.1), then three base64url segments without padding.
BEARER = re.compile(r"(?i:bearer) +(([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")
BEARER_SCHEME = re.compile(r"(?i:bearer)(?: |$)")
# A token's id as it is kept: what issuers give, and nothing that could be a key string or a token itself.
TOKEN_ID = re.compile(r"[!-~]{1,48}")
THREE_PARTS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
LEEWAY = 10  # seconds that the issuer's clock and ours may differ
LATEST = 1 << 53  # seconds; what is later is no time, and too large a number for some
ADMIN = "api-keys:admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller.

    Args:
        subject: the token's `sub`.
        owner: whom the caller acts for: the value of the owner claim.
        scopes: what the token allows, without the deployment's prefix.
        token_id: of the token, as it may be kept; empty if it has none.
        source: the address that the request came from; empty if that is not known.
    """

    subject: str
    owner: str
    scopes: frozenset[str]
    token_id: str = ""
    source: str = ""

    @property
    def is_admin(self) -> bool:
        """Whether the caller acts for any owner."""
        return ADMIN in self.scopes

    def has(self, scope: str) -> bool:
        """Tell whether the token allows this; an administrator's allows everything."""
        return scope in self.scopes or self.is_admin

    def may_act_for(self, owner: str) -> bool:
        """Tell whether the caller may touch what belongs to this owner."""
        return self.is_admin or owner == self.owner


class Authenticator:
    """Verifies tokens of one issuer.

    Args:
        settings: whose tokens, and for which audience.
    """

    def __init__(self, settings: TokenSettings) -> None:
        self._settings = settings
        self._keys = IssuerKeys(settings.issuer, settings.jwks_url)

    def authenticate(self, authorization: str | None, *, source: str = "") -> Caller:
        """Return the caller whose bearer token this is (RFC 6750, RFC 7519).

        Args:
            authorization: value of the Authorization header, None where there is none.
            source: the address that it came from.

        Raises:
            Unauthorized: if the token is not one of the issuer's, for us, and valid now.
            ServiceUnavailable: if that cannot be told, because the issuer does not give its keys.
        """
        if not authorization:
            raise Unauthorized("no Authorization header", token_was_sent=False)
        bearer = BEARER.fullmatch(authorization)
        if not bearer:
            token_was_sent = BEARER_SCHEME.match(authorization) is not None
            raise Unauthorized(
                "the Authorization header is not one bearer JWT", token_was_sent=token_was_sent
            )
        try:
            return self._verify(bearer[1], _header(bearer[2]), source)
        except jwt.PyJWTError as error:
            # `from None`: what PyJWT says may quote the token. Its type tells enough.
            raise Unauthorized(_in_words(type(error).__name__)) from None

    def _verify(self, token: str, header: dict[str, Any], source: str) -> Caller:
        """Verify the token; its header only tells which key to try, and PyJWT reads it again."""
        if "crit" in header:
            raise Unauthorized("the token demands an extension (RFC 7515, section 4.1.11)")
        key = self._keys.find(header.get("kid"), header.get("alg"))
        claims = jwt.decode(
            token,
            key.public_key,
            algorithms=key.algorithms,
            issuer=self._settings.issuer,
            leeway=LEEWAY,
            # PyJWT has no `client_id` rule, so the audience is ours to check, below.
            options={
                "require": ["iss", "exp", "sub"],
                "verify_aud": False,
                "enforce_minimum_key_length": True,
            },
        )
        for name in ("exp", "nbf", "iat"):
            if name in claims and not _is_time(claims[name]):
                raise Unauthorized(f"{name} is not a time")
        audience = claims["aud"] if "aud" in claims else claims.get("client_id")
        named = audience if isinstance(audience, list) else [audience]
        if not any(one in self._settings.audiences for one in named):
            raise Unauthorized("the token is for another audience")
        return Caller(
            subject=_identifier(claims, "sub"),
            owner=_identifier(claims, self._settings.owner_claim),
            scopes=_scopes(claims, self._settings.scope_prefix),
            token_id=_token_id(claims.get("jti")),
            source=source,
        )


def _header(segment: str) -> dict[str, Any]:
    """Read a token's header, before anything is verified.

    Raises:
        Unauthorized: if it is no JSON object in base64url, or its `kid` is no string.
    """
    try:
        # Decoded by us: left to itself, json takes UTF-16 as well, and RFC 7515, section 4, does not.
        header = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode())
    except (binascii.Error, ValueError, RecursionError):
        raise Unauthorized("the token's header is no JSON") from None
    if not isinstance(header, dict) or not isinstance(header.get("kid", ""), str):
        raise Unauthorized("the token's header is malformed")
    return header


def _in_words(name: str) -> str:
    return re.sub("(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and -LATEST < value < LATEST


def is_identifier(value: Any) -> TypeGuard[str]:
    """Tell whether this can name a subject or an owner: 1 to 255 printable characters."""
    # 255: OpenID Connect Core, section 2. Printable: it is stored, shown and logged.
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()  # noqa: PLR2004 -- above


def _identifier(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not is_identifier(value):
        raise Unauthorized(f"{name} is not an identifier")
    return value


def _token_id(jti: Any) -> str:
    """Return a token's id (RFC 7519, section 4.1.7) as it may be kept: as it is, or the beginning of its SHA-256.

    Hashed is what is long or not ASCII, and what could be a secret: one token or another can still be told by it.
    """
    if not isinstance(jti, str) or not jti:
        return ""
    if TOKEN_ID.fullmatch(jti) and not KEY_STRING.search(jti) and not THREE_PARTS.search(jti):
        return jti
    return "sha256:" + hashlib.sha256(jti.encode(errors="surrogatepass")).hexdigest()[:32]


def _scopes(claims: dict[str, Any], prefix: str) -> frozenset[str]:
    """Collect those of our scopes that the token has, without their prefix.

    They are in `scope` (RFC 8693), `scp` or `permissions`, as a string or as a list of strings. `roles` counts only
    where the token has none of these: Entra puts an application's permissions there, but a user's roles as well.
    """
    present = [claims[name] for name in ("scope", "scp", "permissions") if name in claims]
    found: set[str] = set()
    for value in present or [claims.get("roles")]:
        words = value.split(" ") if isinstance(value, str) else value if isinstance(value, list) else []
        found.update(word for word in words if isinstance(word, str))
    return frozenset(word.removeprefix(prefix) for word in found if word.startswith(prefix))
