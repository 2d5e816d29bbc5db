"""GET /api/v1/applications/{id}/api-keys: an application's keys, newest first."""

from functools import partial

from apikeys.caller import Caller
from apikeys.dynamodb import DynamoDb
from apikeys.endpoint import endpoint
from apikeys.pages import page, page_asked_for, statuses_asked_for
from apikeys.records import timestamp
from apikeys.request import JSON, Request
from apikeys.store.api_keys import ApiKeys
from apikeys.store.applications import Applications
from apikeys.store.listings import Listings, keys_of

dynamodb = DynamoDb.connect()
applications, keys, listings = Applications(dynamodb), ApiKeys(dynamodb), Listings(dynamodb)


@endpoint(scope="api-keys:read")
def handler(request: Request, caller: Caller) -> JSON:
    """Return a page of them, of all statuses unless some are asked for."""
    [application_id] = request.path_uuids("id")
    limit, after = page_asked_for(request)
    statuses = statuses_asked_for(request)
    application = applications.read(application_id, caller=caller)
    now = timestamp()
    found, following = listings.page(
        keys_of(application.id),
        partial(keys.find, application_id=application.id),
        limit=limit,
        after=after,
        wanted=None if statuses is None else lambda key: key.status(now) in statuses,
    )
    return page(found, lambda key: key.public(now), following)
