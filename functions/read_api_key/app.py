"""GET /api/v1/applications/{id}/api-keys/{keyId}: one key, also when it is revoked, and whose it is."""

from apikeys.caller import Caller
from apikeys.dynamodb import DynamoDb
from apikeys.endpoint import endpoint
from apikeys.records import timestamp
from apikeys.request import JSON, Request
from apikeys.store.api_keys import ApiKeys
from apikeys.store.applications import Applications

dynamodb = DynamoDb.connect()
applications, keys = Applications(dynamodb), ApiKeys(dynamodb)


@endpoint(scope="api-keys:read")
def handler(request: Request, caller: Caller) -> JSON:
    """Return what is known of it; of a revoked one when, by whom and why."""
    application_id, key_id = request.path_uuids("id", "keyId")
    key = keys.read(key_id, application_id=application_id, caller=caller)
    return key.details(applications.read(application_id, caller=caller), timestamp())
