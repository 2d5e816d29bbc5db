"""POST /api/v1/applications/{id}/api-keys/{keyId}/rotate: a new key for an old one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from apikeys import log
from apikeys.caller import Caller
from apikeys.dynamodb import DynamoDb
from apikeys.endpoint import endpoint
from apikeys.errors import Conflict
from apikeys.keys import ApiKey
from apikeys.metrics import REVOCATIONS
from apikeys.records import timestamp
from apikeys.request import JSON, Request
from apikeys.schemas import Rotation, read
from apikeys.settings import required
from apikeys.store.api_keys import ApiKeys
from apikeys.store.listings import Listings

dynamodb = DynamoDb.connect()
keys, listings = ApiKeys(dynamodb), Listings(dynamodb)
prefix = required("KEY_PREFIX")
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # the last second that can be written down


@endpoint(scope="api-keys:write", status=201)
def handler(request: Request, caller: Caller) -> JSON:
    """Issue a key of the same name, scopes and lifetime; the old one works for the overlap, or not at all."""
    application_id, key_id = request.path_uuids("id", "keyId")
    overlap = timedelta(seconds=read(request, Rotation).overlap_seconds)
    old = keys.read(key_id, application_id=application_id, caller=caller)
    now = timestamp()
    if old.status(now) != "active" or old.replaced_by:
        raise Conflict("the key is rotated" if old.replaced_by else f"the key is {old.status(now)}")
    issued, expires_at = datetime.fromisoformat(now), None
    old_until = timestamp(issued + overlap)
    if old.expires_at:
        lifetime = datetime.fromisoformat(old.expires_at) - datetime.fromisoformat(old.created_at)
        expires_at = timestamp(issued + min(lifetime, LAST - issued))
        old_until = min(old_until, old.expires_at)
    key = ApiKey.generate(prefix=prefix)
    new = replace(
        old,
        key_id=key.key_id,
        start=key.start,
        created_at=now,
        created_by=caller.subject,
        expires_at=expires_at,
        issued_from=caller.source,
        issued_token_id=caller.token_id,
    )
    listings.add_key(new)
    keys.add(new, key)
    if not keys.replace(old, new, old_until=old_until, caller=caller):
        # Nobody has seen its string. Not deleted: a write of it that comes late would bring it back.
        keys.revoke(new.key_id, application_id=application_id, caller=caller, reason="unused", via="rotate")
        raise Conflict("revoked or rotated in the meantime")
    if old_until <= now:
        log.count(REVOCATIONS, Reason="rotated")
    return new.public(now) | {"key": key.reveal()}
