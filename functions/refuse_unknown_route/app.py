"""$default: what no route matches is a 404, or a 405 where the path exists under another method; preflights, a 204."""

import os
import re

from apikeys.endpoint import public_endpoint
from apikeys.errors import MethodNotAllowed, NotFound
from apikeys.request import JSON, Request

# The routes of template.yaml; a test keeps the two equal.
REFERENCE = {
    "/": ("GET", "HEAD"),
    "/openapi.json": ("GET", "HEAD"),
    "/assets/{name}": ("GET", "HEAD"),
}
API = {
    "/api/v1/applications": ("GET", "POST"),
    "/api/v1/applications/{id}/api-keys": ("GET", "POST"),
    "/api/v1/applications/{id}/api-keys/revoke-all": ("POST",),  # before what would match it as well
    "/api/v1/applications/{id}/api-keys/{keyId}": ("DELETE", "GET"),
    "/api/v1/applications/{id}/api-keys/{keyId}/rotate": ("POST",),
    "/api/v1/api-keys/introspect": ("POST",),
    "/api/v1/whoami": ("GET",),
}
BY_STRING = {"/api/v1/api-keys/revoke": ("POST",)}
BY_GITHUB = {"/api/v1/api-keys/leaked/github": ("POST",)}
ROUTES = (
    API
    | (REFERENCE if os.environ.get("REFERENCE_PAGE") == "true" else {})
    | (BY_STRING if os.environ.get("REVOKE_BY_STRING") in ("on", "authorized") else {})
    | (BY_GITHUB if os.environ.get("GITHUB_ALERTS") == "true" else {})
)
PATTERNS = {re.compile(re.sub(r"\{\w+\}", "[^/]+", path)): methods for path, methods in ROUTES.items()}


@public_endpoint
def handler(request: Request) -> JSON | None:
    """Say what is wrong with the request line. A preflight is answered; the gateway says who may go on."""
    if request.method == "OPTIONS":
        return None
    path = "/" if request.route == "$default" else f"/{request.path_parameter('proxy')}"
    for pattern, methods in PATTERNS.items():
        if pattern.fullmatch(path):
            raise MethodNotAllowed(methods)
    raise NotFound("no such route")
