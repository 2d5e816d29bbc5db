"""POST /api/v1/api-keys/introspect: is this key good? For whoever is not behind API Gateway (RFC 7662)."""

from datetime import datetime
from urllib.parse import parse_qs

from apikeys.caller import Caller
from apikeys.check import Checker
from apikeys.endpoint import endpoint
from apikeys.errors import BadRequest, Violation
from apikeys.request import JSON, Request

checker = Checker.connect()


@endpoint(scope="api-keys:introspect")
def handler(request: Request, _: Caller) -> JSON:
    """Return the standard members for a good key; for any other, that it is not active and nothing else."""
    form = parse_qs(request.body("application/x-www-form-urlencoded"), keep_blank_values=True)
    tokens = form.get("token", [])
    if len(tokens) != 1 or not tokens[0]:
        raise BadRequest([Violation("token", "must be given exactly once")])
    key = checker.check(tokens[0], source=request.source)
    if not key:
        return {"active": False}
    good = {
        "active": True,
        "client_id": key.application_id,
        "sub": key.owner_id,
        "scope": " ".join(key.scopes),
        "token_type": "Bearer",
        "iat": _seconds(key.created_at),
    }
    return good | ({"exp": _seconds(key.expires_at)} if key.expires_at else {})


def _seconds(timestamp: str) -> int:
    return int(datetime.fromisoformat(timestamp).timestamp())
