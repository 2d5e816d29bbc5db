"""POST /api/v1/applications/{id}/api-keys/revoke-all: revoke every API key of an application, now."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

from apikeys import log
from apikeys.caller import Caller
from apikeys.dynamodb import DynamoDb
from apikeys.endpoint import endpoint
from apikeys.errors import ServiceUnavailable
from apikeys.metrics import REVOCATIONS
from apikeys.reasons import reason_asked_for
from apikeys.request import JSON, Request
from apikeys.store.api_keys import ApiKeys
from apikeys.store.applications import Applications
from apikeys.store.listings import Listings, keys_of

dynamodb = DynamoDb.connect()
applications, keys, listings = Applications(dynamodb), ApiKeys(dynamodb), Listings(dynamodb)
AT_ONCE = 8  # writes under way; each has a connection


@endpoint(scope="api-keys:revoke")
def handler(request: Request, caller: Caller) -> JSON:
    """Revoke all that are listed. From the 200 on, no check accepts one; repeating it goes on where it ended."""
    [application_id] = request.path_uuids("id")
    reason = reason_asked_for(request)
    application = applications.read(application_id, caller=caller)
    revoke = partial(
        keys.revoke,
        application_id=application.id,
        caller=caller,
        reason=reason,
        via="all",
        call=secrets.token_hex(8),
    )
    revoked, failure = 0, None
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for ids in listings.batches(keys_of(application.id)):
            found = keys.find(ids, application_id=application.id).values()
            active = [record.key_id for record in found if not record.revoked_at]
            # Each in a copy of this context, which has the request's deadline.
            for answer in [threads.submit(copy_context().run, revoke, key_id) for key_id in active]:
                try:
                    revoked += answer.result()
                except ServiceUnavailable as unavailable:
                    failure = unavailable  # of one key, on which the others do not wait
            log.add(revoked=revoked)
    if revoked:
        log.count(REVOCATIONS, revoked, Reason=reason or "none")
    if failure:
        raise failure
    return {"revoked": revoked}
