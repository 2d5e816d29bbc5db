"""The environment as typed settings; a missing or empty value stops the cold start, loudly."""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "host.docker.internal"})


class SettingsError(RuntimeError):
    """Raised at import if the environment does not configure the function."""


def required(name: str) -> str:
    """Return a setting.

    Args:
        name: of the environment variable.

    Raises:
        SettingsError: if it is missing, empty or blank.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set: the function cannot start without it")
    return value


def is_trusted_url(url: str) -> bool:
    """Tell whether keys may be read from this URL: https, a `data:` URL, or http to this very machine."""
    parts = urlsplit(url)
    return (
        (parts.scheme == "https" and bool(parts.hostname))
        or parts.scheme == "data"
        or (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS)
    )


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Whose tokens are accepted.

    Args:
        issuer: the only accepted `iss`, compared as is.
        audience: what `aud` must contain, or `client_id` must be where `aud` is absent.
        jwks_url: where the issuer's keys are; None to ask the issuer's OpenID discovery document.
        owner_claim: the claim that tells which owner the caller acts for.
    """

    issuer: str
    audience: str
    jwks_url: str | None
    owner_claim: str

    @classmethod
    def from_environment(cls) -> "TokenSettings":
        """Read ISSUER, AUDIENCE, JWKS_URL (may be empty) and OWNER_CLAIM.

        Raises:
            SettingsError: if one is missing, or the keys would come from an untrusted URL.
        """
        settings = cls(
            issuer=required("ISSUER"),
            audience=required("AUDIENCE"),
            jwks_url=os.environ.get("JWKS_URL", "").strip() or None,
            owner_claim=required("OWNER_CLAIM"),
        )
        if not is_trusted_url(settings.jwks_url or settings.issuer):
            raise SettingsError("JWKS_URL, or ISSUER where JWKS_URL is empty, must be an https URL")
        return settings
