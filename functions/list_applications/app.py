"""GET /api/v1/applications: the caller's applications, newest first."""

from apikeys.caller import Caller
from apikeys.dynamodb import DynamoDb
from apikeys.endpoint import endpoint
from apikeys.pages import page, page_asked_for
from apikeys.records import Application
from apikeys.request import JSON, Request
from apikeys.store.applications import Applications

applications = Applications(DynamoDb.connect())


@endpoint(scope="api-keys:read")
def handler(request: Request, caller: Caller) -> JSON:
    """Return a page of them."""
    limit, after = page_asked_for(request)
    found, following = applications.list_of(caller.owner, limit=limit, after=after)
    return page(found, Application.public, following)
