"""An OpenID issuer for one machine: a fresh key pair, discovery, a key set, tokens for the asking; GitHub beside it."""

import base64
import json
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, unquote

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from local.github import PUBLIC_KEYS, LocalGithub

AUDIENCE = "api-keys"
SCOPES = "api-keys:read api-keys:write api-keys:revoke api-keys:introspect"
ADMIN = "api-keys:admin"
DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/.well-known/jwks.json"
LIFETIME = 8 * 60 * 60  # of a token, in seconds
TOKEN = "/token"  # noqa: S105 -- a path
NO_CHANGES: Mapping[str, Any] = MappingProxyType({})


class LocalIssuer:
    """Serves from a thread. Its private key never leaves this process.

    Args:
        port: to listen on; 0 for any free one.
        host: address to listen on; containers reach the one of Docker's bridge.
        name: what its clients call that host.
    """

    def __init__(self, port: int = 0, *, host: str = "127.0.0.1", name: str = "127.0.0.1") -> None:
        self.rotate()
        self.github = LocalGithub()
        self._server = ThreadingHTTPServer((host, port), self._request_handler())
        self.port = self._server.server_port
        self.url = f"http://{name}:{self.port}"
        self.jwks_url = self.url + JWKS
        self.github_keys_url = self.url + PUBLIC_KEYS
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def rotate(self) -> None:
        """Replace the key pair: tokens minted before are no longer this issuer's."""
        self.private_key = ec.generate_private_key(ec.SECP256R1())
        self.kid = uuid.uuid4().hex

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and give the port back."""
        self._server.shutdown()
        self._server.server_close()

    def token(
        self, subject: str, scope: str | None = SCOPES, *, changes: Mapping[str, Any] = NO_CHANGES
    ) -> str:
        """Mint a token that is valid for LIFETIME seconds.

        Args:
            subject: its `sub`.
            scope: its scopes, separated by spaces; None for no such claim.
            changes: claims to have instead; one that is None is left out.
        """
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + LIFETIME,
        }
        claims |= {"scope": scope} | dict(changes)
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.private_key, algorithm="ES256", headers={"kid": self.kid})

    def key_set(self) -> dict[str, Any]:
        """Return the public key as a JWK set."""
        jwk = ECAlgorithm.to_jwk(self.private_key.public_key(), as_dict=True)
        return {"keys": [jwk | {"kid": self.kid, "use": "sig", "alg": "ES256"}]}

    def get(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a GET request."""
        if request.path == DISCOVERY:
            document = {"issuer": self.url, "jwks_uri": self.jwks_url, "token_endpoint": self.url + TOKEN}
            _answer(request, 200, document)
        elif request.path == JWKS:
            _answer(request, 200, self.key_set())
        elif request.path == PUBLIC_KEYS:
            _answer(request, 200, self.github.public_keys())
        else:
            _answer(request, 404, {"error": "not_found"})

    def post(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a POST request: mint a token for the form's `sub`, or for a client, whatever its secret."""
        form = parse_qs(request.rfile.read(int(request.headers.get("content-length", 0))).decode())
        subject = form.get("sub", [""])[0] or _client(request.headers.get("authorization", ""), form)
        if request.path == TOKEN and subject:
            token = self.token(subject, form.get("scope", [None])[0])
            _answer(request, 200, {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME})
        else:
            _answer(request, 400, {"error": "invalid_request"})

    def _request_handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class RequestHandler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.get(self)

            def do_POST(self) -> None:
                issuer.post(self)

            def log_message(self, *_: Any) -> None:
                """Keep the terminal for the API's own requests."""

        return RequestHandler


def _client(authorization: str, form: Mapping[str, list[str]]) -> str:
    """Return who asks for a token of its own, by either of the usual ways (RFC 6749, section 2.3.1)."""
    if authorization.startswith("Basic "):
        return unquote(base64.b64decode(authorization[6:]).decode().split(":")[0])
    return form.get("client_id", [""])[0]


def _answer(request: BaseHTTPRequestHandler, status: int, document: dict[str, Any]) -> None:
    payload = json.dumps(document).encode()
    request.send_response(status)
    request.send_header("content-type", "application/json")
    request.send_header("content-length", str(len(payload)))
    request.end_headers()
    request.wfile.write(payload)
