"""POST /api/v1/applications/{id}/api-keys: issue a key; its string is in this answer and nowhere else."""

from apikeys.caller import Caller
from apikeys.dynamodb import DynamoDb
from apikeys.endpoint import endpoint
from apikeys.keys import ApiKey
from apikeys.records import KeyRecord, timestamp
from apikeys.request import JSON, Request
from apikeys.schemas import NewApiKey, read
from apikeys.settings import required
from apikeys.store.api_keys import ApiKeys
from apikeys.store.applications import Applications
from apikeys.store.listings import Listings

dynamodb = DynamoDb.connect()
applications, keys, listings = Applications(dynamodb), ApiKeys(dynamodb), Listings(dynamodb)
prefix = required("KEY_PREFIX")


@endpoint(scope="api-keys:write", status=201)
def handler(request: Request, caller: Caller) -> JSON:
    """Store what is known of the key, and return that with the key string."""
    [application_id] = request.path_uuids("id")
    wanted = read(request, NewApiKey)
    application = applications.read(application_id, caller=caller)
    key = ApiKey.generate(prefix=prefix)
    record = KeyRecord(
        key_id=key.key_id,
        application_id=application.id,
        owner_id=application.owner_id,
        name=wanted.name,
        start=key.start,
        scopes=tuple(dict.fromkeys(wanted.scopes)),
        created_at=timestamp(),
        created_by=caller.subject,
        expires_at=wanted.expires_at,
        issued_from=caller.source,
        issued_token_id=caller.token_id,
    )
    listings.add_key(record)
    keys.add(record, key)
    return record.public(record.created_at) | {"key": key.reveal()}
