"""DELETE /api/v1/applications/{id}/api-keys/{keyId}: revoke one API key, now."""

from apikeys.caller import Caller
from apikeys.dynamodb import DynamoDb
from apikeys.endpoint import endpoint
from apikeys.errors import BadRequest, Violation
from apikeys.request import JSON, Request
from apikeys.store.api_keys import ApiKeys

REASONS = ("compromised", "rotated", "unused", "other")
keys = ApiKeys(DynamoDb.connect())


@endpoint(scope="api-keys:revoke")
def handler(request: Request, caller: Caller) -> JSON:
    """Set the key to revoked. From the 200 on, no check accepts it; repeating it changes nothing."""
    application_id, key_id = request.path_uuids("id", "keyId")
    reason = request.query("reason")
    if reason not in (None, *REASONS):
        raise BadRequest([Violation("reason", f"must be one of {', '.join(REASONS)}")])
    keys.revoke(key_id, application_id=application_id, caller=caller, reason=reason)
    return {}
