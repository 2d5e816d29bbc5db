"""GET /api/v1/applications: the caller's applications, newest first; for administrators, any owner's."""

from functools import partial

from apikeys.caller import Caller
from apikeys.dynamodb import DynamoDb
from apikeys.endpoint import endpoint
from apikeys.errors import Forbidden
from apikeys.pages import owner_asked_for, page, page_asked_for
from apikeys.records import Application
from apikeys.request import JSON, Request
from apikeys.store.applications import Applications
from apikeys.store.listings import Listings, applications_of

dynamodb = DynamoDb.connect()
applications, listings = Applications(dynamodb), Listings(dynamodb)


@endpoint(scope="api-keys:read")
def handler(request: Request, caller: Caller) -> JSON:
    """Return a page of them."""
    limit, after = page_asked_for(request)
    owner = owner_asked_for(request) or caller.owner
    if not caller.may_act_for(owner):
        raise Forbidden("applications of another owner")
    find = partial(applications.find, owner=owner)
    found, following = listings.page(applications_of(owner), find, limit=limit, after=after)
    return page(found, Application.public, following)
