"""What becomes of a token, by its status, and who decides."""

from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from apikeys.caller import Authenticator
from apikeys.errors import ServiceUnavailable, Unauthorized
from apikeys.settings import TokenSettings
from local.issuer import AUDIENCE
from tests.faulty_issuer import FaultyIssuer


def authenticator_of(issuer: FaultyIssuer) -> Authenticator:
    return Authenticator(TokenSettings(issuer.url, (AUDIENCE,), issuer.jwks_url, "sub"))


def another_jwk() -> dict[str, Any]:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return dict(jwt.get_algorithm_by_name("ES256").to_jwk(public, as_dict=True)) | {"kid": "another"}


def outcome(authenticator: Authenticator, token: str) -> int:
    try:
        authenticator.authenticate(f"Bearer {token}")
    except (Unauthorized, ServiceUnavailable) as error:
        return error.status
    return 200
