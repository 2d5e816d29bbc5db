"""GET /api/v1/whoami: tells the holder of a key which application and key it is. Behind the authorizer."""

from apikeys.endpoint import public_endpoint
from apikeys.request import JSON, Request


@public_endpoint
def handler(request: Request) -> JSON:
    """Return what the authorizer passed on."""
    key = request.authorized
    return {
        "applicationId": key["applicationId"],
        "keyId": key["keyId"],
        "ownerId": key["ownerId"],
        "scopes": key["scopes"].split(),
    }
