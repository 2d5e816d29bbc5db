"""POST /api/v1/applications: create an application that keys can be issued for."""

import uuid

from apikeys.caller import Caller
from apikeys.dynamodb import DynamoDb
from apikeys.endpoint import endpoint
from apikeys.records import Application, timestamp
from apikeys.request import JSON, Request
from apikeys.schemas import NewApplication, read
from apikeys.store.applications import Applications
from apikeys.store.listings import Listings

dynamodb = DynamoDb.connect()
applications, listings = Applications(dynamodb), Listings(dynamodb)


@endpoint(scope="api-keys:write", status=201)
def handler(request: Request, caller: Caller) -> JSON:
    """Store the application; the caller becomes its owner."""
    wanted = read(request, NewApplication)
    application = Application(str(uuid.uuid4()), wanted.name, caller.owner, timestamp())
    listings.add_application(application)
    applications.add(application)
    return application.public()
