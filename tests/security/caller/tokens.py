"""Tokens of a local issuer, right ones and others."""

import base64
import json
from typing import Any

import jwt

from apikeys.caller import Authenticator
from apikeys.errors import Unauthorized
from local.issuer import AUDIENCE, LocalIssuer
from tests.deployment import NOW

NOW_SECONDS = int(NOW.timestamp())


def accepts(authenticator: Authenticator, token: str) -> bool:
    try:
        authenticator.authenticate(f"Bearer {token}")
    except Unauthorized:
        return False
    return True


def segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def claims(issuer: LocalIssuer, **changes: Any) -> dict[str, Any]:
    claims = {"iss": issuer.url, "aud": AUDIENCE, "sub": "alice", "exp": NOW_SECONDS + 60}
    return {name: value for name, value in (claims | changes).items() if value is not None}


def signed(issuer: LocalIssuer, payload: dict[str, Any], **header: Any) -> str:
    return jwt.encode(payload, issuer.private_key, "ES256", {"kid": issuer.kid} | header)
