"""DELETE /api/v1/applications/{id}/api-keys/{keyId}: revoke one API key, now."""

from apikeys import log
from apikeys.caller import Caller
from apikeys.dynamodb import DynamoDb
from apikeys.endpoint import endpoint
from apikeys.metrics import REVOCATIONS
from apikeys.reasons import reason_asked_for
from apikeys.request import JSON, Request
from apikeys.store.api_keys import ApiKeys

keys = ApiKeys(DynamoDb.connect())


@endpoint(scope="api-keys:revoke")
def handler(request: Request, caller: Caller) -> JSON:
    """Set the key to revoked. From the 200 on, no check accepts it; repeating it fills an empty reason at most."""
    application_id, key_id = request.path_uuids("id", "keyId")
    reason = reason_asked_for(request)
    if keys.revoke(key_id, application_id=application_id, caller=caller, reason=reason):
        log.count(REVOCATIONS, Reason=reason or "none")
    return {}
