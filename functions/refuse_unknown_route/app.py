"""$default: what no route matches is a 404, or a 405 where the path exists under another method."""

import re

from apikeys.endpoint import public_endpoint
from apikeys.errors import MethodNotAllowed, NotFound
from apikeys.request import JSON, Request

# The routes of template.yaml; a test keeps the two equal.
ROUTES = {
    "/": ("GET",),
    "/openapi.json": ("GET",),
    "/assets/{name}": ("GET",),
    "/api/v1/applications": ("GET", "POST"),
    "/api/v1/applications/{id}/api-keys": ("GET", "POST"),
    "/api/v1/applications/{id}/api-keys/{keyId}": ("DELETE", "GET"),
    "/api/v1/applications/{id}/api-keys/{keyId}/rotate": ("POST",),
    "/api/v1/api-keys/introspect": ("POST",),
    "/api/v1/whoami": ("GET",),
}
PATTERNS = {re.compile(re.sub(r"\{\w+\}", "[^/]+", path)): methods for path, methods in ROUTES.items()}


@public_endpoint
def handler(request: Request) -> JSON:
    """Say what is wrong with the request line; this function never succeeds."""
    for pattern, methods in PATTERNS.items():
        if pattern.fullmatch(request.path):
            raise MethodNotAllowed(methods)
    raise NotFound("no such route")
