"""DELETE /api/v1/applications/{id}/api-keys/{keyId}: revoke one API key, now."""

from apikeys.caller import Caller
from apikeys.endpoint import JSON, Request, endpoint
from apikeys.store import Store

store = Store.connect()


@endpoint(scope="api-keys:revoke")
def handler(request: Request, caller: Caller) -> JSON:
    """Set the key to revoked. From the 200 on, no check accepts it; repeating it changes nothing."""
    application_id, key_id = request.path_uuids("id", "keyId")
    store.revoke(key_id, application_id=application_id, caller=caller)
    return {}
