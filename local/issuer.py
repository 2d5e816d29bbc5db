"""An OpenID issuer for one machine: a fresh key pair, discovery, a key set, tokens for the asking."""

import json
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

AUDIENCE = "api-keys"
SCOPES = "api-keys:read api-keys:write api-keys:revoke api-keys:introspect"
DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/.well-known/jwks.json"
TOKEN = "/token"  # noqa: S105 -- a path


class LocalIssuer:
    """Serves on 127.0.0.1, from a thread. Its private key never leaves this process.

    Args:
        port: to listen on; 0 for any free one.
    """

    def __init__(self, port: int = 0) -> None:
        self._private_key = ec.generate_private_key(ec.SECP256R1())
        self.kid = uuid.uuid4().hex
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._request_handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.jwks_url = self.url + JWKS
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and give the port back."""
        self._server.shutdown()
        self._server.server_close()

    def token(self, subject: str, scope: str | None = SCOPES, *, expires_in: int = 8 * 60 * 60) -> str:
        """Mint a token.

        Args:
            subject: its `sub`.
            scope: its scopes, separated by spaces; None for no such claim.
            expires_in: seconds from now.
        """
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + expires_in,
        }
        if scope is not None:
            claims["scope"] = scope
        return jwt.encode(claims, self._private_key, algorithm="ES256", headers={"kid": self.kid})

    def key_set(self) -> dict[str, Any]:
        """Return the public key as a JWK set."""
        jwk = ECAlgorithm.to_jwk(self._private_key.public_key(), as_dict=True)
        return {"keys": [jwk | {"kid": self.kid, "use": "sig", "alg": "ES256"}]}

    def _request_handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == DISCOVERY:
                    document = {
                        "issuer": issuer.url,
                        "jwks_uri": issuer.jwks_url,
                        "token_endpoint": issuer.url + TOKEN,
                    }
                    self._answer(200, document)
                elif self.path == JWKS:
                    self._answer(200, issuer.key_set())
                else:
                    self._answer(404, {"error": "not_found"})

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
                if self.path == TOKEN and "sub" in form:
                    token = issuer.token(form["sub"][0], form.get("scope", [None])[0])
                    self._answer(200, {"access_token": token, "token_type": "Bearer"})
                else:
                    self._answer(400, {"error": "invalid_request"})

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                payload = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: Any) -> None:
                """Keep the terminal for the API's own requests."""

        return Handler
