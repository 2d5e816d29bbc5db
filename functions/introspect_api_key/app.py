"""POST /api/v1/api-keys/introspect: is this key good? For whoever is not behind API Gateway (RFC 7662)."""

from datetime import datetime

from apikeys import log
from apikeys.caller import Caller
from apikeys.check import Checker
from apikeys.endpoint import endpoint
from apikeys.request import JSON, Request

checker = Checker.connect()


@endpoint(scope="api-keys:introspect")
def handler(request: Request, _: Caller) -> JSON:
    """Return the standard members for a good key; for any other, that it is not active and nothing else."""
    key = checker.check(request.form("token")["token"], source=request.source)
    if not key:
        return {"active": False}
    log.add(key_id=key.key_id, application_id=key.application_id)
    good = {
        "active": True,
        "jti": key.key_id,
        "client_id": key.application_id,
        "sub": key.owner_id,
        "scope": " ".join(key.scopes),
        "token_type": "Bearer",
        "iat": _seconds(key.created_at),
    }
    return good | ({"exp": _seconds(key.expires_at)} if key.expires_at else {})


def _seconds(timestamp: str) -> int:
    return int(datetime.fromisoformat(timestamp).timestamp())
