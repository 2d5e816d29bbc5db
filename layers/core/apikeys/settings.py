"""The environment as typed settings; a missing or empty value stops the cold start, loudly."""

import os
import re
from dataclasses import dataclass

# Spelled out: a parser finds a host in `http://evil.example\@127.0.0.1/`, and so do clients, but not all the same one.
PATH = r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
TRUSTED_URL = re.compile(
    rf"https://[A-Za-z0-9.-]+(?::[0-9]{{1,5}})?{PATH}"
    # This very machine, and what Lambda's containers call it under `sam local`.
    rf"|http://(?:127\.0\.0\.1|host\.docker\.internal):[0-9]{{1,5}}{PATH}"
    r"|data:application/json;base64,[A-Za-z0-9+/]+={0,2}"
)
# What may stand in a scope (RFC 6749, section 3.3).
SCOPE_PREFIX = re.compile(r"[!#-\[\]-~]*")


class SettingsError(RuntimeError):
    """Raised at import if the environment does not configure the function."""


def required(name: str) -> str:
    """Return a setting.

    Args:
        name: of the environment variable.

    Raises:
        SettingsError: if it is missing, empty or blank.
    """
    value = optional(name)
    if not value:
        raise SettingsError(f"{name} is not set: the function cannot start without it")
    return value


def optional(name: str, default: str = "") -> str:
    """Return a setting that may be missing, empty or blank.

    Args:
        name: of the environment variable.
        default: what it is then.
    """
    return os.environ.get(name, "").strip() or default


def is_trusted_url(url: str) -> bool:
    """Tell whether keys may be read from this URL: https, a `data:` URL, or http to this very machine."""
    return TRUSTED_URL.fullmatch(url) is not None


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Whose tokens are accepted.

    Args:
        issuer: the only accepted `iss`, compared as is.
        audiences: of which `aud` must contain one, or `client_id` must be one where `aud` is absent.
        jwks_url: where the issuer's keys are; None to ask the issuer's OpenID discovery document.
        owner_claim: the claim that tells which owner the caller acts for.
        scope_prefix: what stands before the names of our scopes in a token.
    """

    issuer: str
    audiences: tuple[str, ...]
    jwks_url: str | None
    owner_claim: str
    scope_prefix: str = ""

    @classmethod
    def from_environment(cls) -> "TokenSettings":
        """Read ISSUER, AUDIENCE (by spaces), JWKS_URL (may be empty), OWNER_CLAIM, SCOPE_PREFIX (may be empty).

        Raises:
            SettingsError: if one is missing or malformed, or the keys would come from an untrusted URL.
        """
        settings = cls(
            issuer=required("ISSUER"),
            audiences=tuple(required("AUDIENCE").split()),
            jwks_url=optional("JWKS_URL") or None,
            owner_claim=required("OWNER_CLAIM"),
            scope_prefix=optional("SCOPE_PREFIX"),
        )
        if not is_trusted_url(settings.jwks_url or settings.issuer):
            raise SettingsError("JWKS_URL, or ISSUER where JWKS_URL is empty, must be an https URL")
        if not SCOPE_PREFIX.fullmatch(settings.scope_prefix):
            raise SettingsError("SCOPE_PREFIX must have only characters that a scope may have")
        return settings
