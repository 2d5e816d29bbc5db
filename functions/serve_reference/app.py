"""GET /, /openapi.json and /assets/{name}: the API reference, to read and to try."""

import re
from pathlib import Path

from apikeys.asset import Asset
from apikeys.endpoint import public_endpoint
from apikeys.errors import NotFound
from apikeys.request import Request
from apikeys.settings import SettingsError, optional

NAMED = {"/": "index.html", "/openapi.json": "openapi.json"}
HASHED = re.compile(r"\w+\.[0-9a-f]{16}\.\w+", re.ASCII)
TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
servers = optional("REFERENCE_SERVERS").split()
# The page handles bearer tokens: it runs our own code only, and speaks to the API and whom it was told of.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    f"connect-src {' '.join(["'self'", *servers])}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "vary": "accept-encoding",
}
files = {
    path.name.removesuffix(".gz"): path.read_bytes() for path in Path(__file__).parent.glob("bundle/*.gz")
}
if "index.html" not in files:
    raise SettingsError("the reference page was not built; `make build` and `make run` build it")


@public_endpoint
def handler(request: Request) -> Asset:
    """Hand out a file of the bundle: named by its content, and so for ever, or looked at anew each time."""
    # By the route, not the path: a stage or a custom domain's base path may stand before that.
    name, cache = NAMED.get(request.route.rpartition(" ")[2]), "no-cache"
    if not name:
        name, cache = request.path_parameter("name") or "", "public, max-age=31536000, immutable"
        if not HASHED.fullmatch(name) or name not in files:
            raise NotFound("no such asset")
    return Asset(files[name], TYPES[name.split(".")[-1]], HEADERS | {"cache-control": cache})
