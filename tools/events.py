"""Make the sample events anew: their tokens, and GitHub's alert, are signed by keys that exist only while this runs.

What verifies them, the public keys, goes into local/sam-local.json, the environment of `sam local invoke`.
"""

import base64
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from apikeys.records import strings
from local.demo import DOCUMENTED_ID, OTHER, OWNER, SECOND_ID, SHIPPING_ID
from local.github import LocalGithub
from local.issuer import AUDIENCE, SCOPES
from local.template import ROOT

ISSUER = "https://issuer.example.com"
ABSENT_ID = "00000000-0000-4000-8000-000000000000"
REVOKE = "DELETE /api/v1/applications/{id}/api-keys/{keyId}"
DYNAMODB = "http://host.docker.internal:3002"  # where `make run` has it, as a container sees it


def event(route: str, method: str, path: str, token: str | None, **parameters: str) -> dict[str, Any]:
    """Return an HTTP API event, payload format 2.0."""
    headers = {"accept": "*/*", "content-type": "application/json", "host": "api.example.com"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    made = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": route,
            "stage": "$default",
            "time": "22/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795348800000,
        },
        "isBase64Encoded": False,
    }
    return made | ({"pathParameters": parameters} if parameters else {})


def revoke(key_id: str, token: str | None) -> dict[str, Any]:
    """Return the event of a revoke in the demo data's first application."""
    path = f"/api/v1/applications/{DOCUMENTED_ID}/api-keys/{key_id}"
    return event(REVOKE, "DELETE", path, token, id=DOCUMENTED_ID, keyId=key_id)


def unknown(method: str, path: str) -> dict[str, Any]:
    """Return the event of a request that no other route matches."""
    route = f"{'OPTIONS' if method == 'OPTIONS' else 'ANY'} /{{proxy+}}"
    return event(route, method, path, None, proxy=path.removeprefix("/"))


def others(token: Callable[[str], str], github: LocalGithub) -> dict[str, dict[str, Any]]:
    """Return the events of the other functions, by name of their files."""
    applications, keys = "/api/v1/applications", "/api/v1/applications/{id}/api-keys"
    key, rotate, introspect = f"{keys}/{{keyId}}", f"{keys}/{{keyId}}/rotate", "/api/v1/api-keys/introspect"
    revoke_all = f"{keys}/revoke-all"
    first, second = {"id": DOCUMENTED_ID, "keyId": DOCUMENTED_ID}, {"id": DOCUMENTED_ID, "keyId": SECOND_ID}
    alice, bob = token(OWNER), token(OTHER)
    form = {"content-type": "application/x-www-form-urlencoded"}

    def made(
        method: str, path: str, who: str | None, body: str | None = None, **parameters: str
    ) -> dict[str, Any]:
        return event(f"{method} {path}", method, path.format(**parameters), who, **parameters) | (
            {"body": body} if body is not None else {}
        )

    named = json.dumps({"name": "From an event"})
    junk = made("POST", introspect, alice, "token=ak_junk")
    junk["headers"] |= form
    empty = made("POST", introspect, alice, "token=")
    empty["headers"] |= form
    by_string, by_github = "/api/v1/api-keys/revoke", "/api/v1/api-keys/leaked/github"
    leaked = {
        name: made("POST", by_string, None, f"token={text}")
        for name, text in (("200", "ak_junk"), ("400", ""))
    }
    for one in leaked.values():
        one["headers"] |= form
    alert = json.dumps(
        [{"token": "ak_junk", "type": "api_keys", "url": "https://github.com/", "source": "commit"}]
    )
    found, unsigned = made("POST", by_github, None, alert), made("POST", by_github, None, alert)
    found["headers"] |= github.headers(alert.encode())
    behind = made("GET", "/api/v1/whoami", None)
    passed_on = {
        "applicationId": DOCUMENTED_ID,
        "keyId": DOCUMENTED_ID,
        "ownerId": OWNER,
        "scopes": "read write",
    }
    behind["requestContext"]["authorizer"] = {"lambda": passed_on}
    return {
        "create_application/201": made("POST", applications, alice, named),
        "create_application/400": made("POST", applications, alice, "{}"),
        "list_applications/200": made("GET", applications, alice),
        "list_applications/401": made("GET", applications, None),
        "issue_api_key/201": made("POST", keys, alice, named, id=DOCUMENTED_ID),
        "issue_api_key/403": made("POST", keys, bob, named, id=DOCUMENTED_ID),
        "issue_api_key/404": made("POST", keys, alice, named, id=ABSENT_ID),
        "list_api_keys/200": made("GET", keys, alice, id=DOCUMENTED_ID),
        "list_api_keys/403": made("GET", keys, bob, id=DOCUMENTED_ID),
        "revoke_all_api_keys/200": made("POST", revoke_all, bob, id=SHIPPING_ID),
        "revoke_all_api_keys/403": made("POST", revoke_all, bob, id=DOCUMENTED_ID),
        "revoke_all_api_keys/404": made("POST", revoke_all, alice, id=ABSENT_ID),
        "read_api_key/200": made("GET", key, alice, **first),
        "read_api_key/404": made("GET", key, alice, id=DOCUMENTED_ID, keyId=ABSENT_ID),
        "rotate_api_key/201": made("POST", rotate, alice, **second),
        "rotate_api_key/400": made("POST", rotate, alice, '{"overlapSeconds": -1}', **first),
        "rotate_api_key/403": made("POST", rotate, bob, **first),
        "introspect_api_key/200": junk,
        "introspect_api_key/400": empty,
        "revoke_leaked_api_key/200": leaked["200"],
        "revoke_leaked_api_key/400": leaked["400"],
        "revoke_api_keys_found_by_github/200": found,
        "revoke_api_keys_found_by_github/403": unsigned,
        "authorize_request/refused": made("GET", "/api/v1/whoami", "ak_junk") | {"type": "REQUEST"},
        "whoami/200": behind,
        "whoami/401": made("GET", "/api/v1/whoami", None),
        "publish_audit_events/nothing": a_reason_is_filled_in(),
    }


def a_reason_is_filled_in() -> dict[str, Any]:
    """Return an event of the table's stream, with a change that is no audit event."""
    old = {
        "keyId": SECOND_ID,
        "applicationId": DOCUMENTED_ID,
        "ownerId": OWNER,
        "createdAt": "2026-11-01T09:00:00.000Z",
        "revokedAt": "2026-11-22T12:00:00.000Z",
    }
    images = {"OldImage": strings(old), "NewImage": strings(old | {"revokedReason": "leaked"})}
    change = {"Keys": strings({"keyId": SECOND_ID}), "SequenceNumber": "111", "SizeBytes": 300, **images}
    record = {
        "eventID": "c4ca4238a0b923820dcc509a6f75849b",
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": change | {"StreamViewType": "NEW_AND_OLD_IMAGES"},
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/api-keys/stream/2026-11-22T12:00:00.000",
    }
    return {"Records": [record]}


def as_url(document: dict[str, Any]) -> str:
    """Return a `data:` URL of a JSON document."""
    return f"data:application/json;base64,{base64.b64encode(json.dumps(document).encode()).decode()}"


def main() -> None:
    """Write events/ and local/sam-local.json."""
    github = LocalGithub()
    private_key, kid = ec.generate_private_key(ec.SECP256R1()), f"sample-events-{uuid.uuid4().hex[:8]}"

    def token(subject: str) -> str:
        issued, expires = datetime(2026, 1, 1, tzinfo=UTC), datetime(2126, 1, 1, tzinfo=UTC)
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "scope": SCOPES,
            "iat": issued,
            "exp": expires,
        }
        return jwt.encode(claims, private_key, algorithm="ES256", headers={"kid": kid})

    events = {
        "revoke_api_key/200": revoke(DOCUMENTED_ID, token(OWNER)),
        "revoke_api_key/400": revoke("42", token(OWNER)),
        "revoke_api_key/401": revoke(DOCUMENTED_ID, None),
        "revoke_api_key/403": revoke(DOCUMENTED_ID, token(OTHER)),
        "revoke_api_key/404": revoke(ABSENT_ID, token(OWNER)),
        **others(token, github),
        "serve_reference/200": event("GET /openapi.json", "GET", "/openapi.json", None),
        "serve_reference/404": event("GET /assets/{name}", "GET", "/assets/x.js", None, name="x.js"),
        "refuse_unknown_route/204": unknown("OPTIONS", revoke(DOCUMENTED_ID, None)["rawPath"]),
        "refuse_unknown_route/404": unknown("GET", "/no/such/route"),
        "refuse_unknown_route/405": unknown("PATCH", revoke(DOCUMENTED_ID, None)["rawPath"]),
    }
    for name, content in events.items():
        path = ROOT / "events" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n")
    public = ECAlgorithm.to_jwk(private_key.public_key(), as_dict=True) | {
        "kid": kid,
        "use": "sig",
        "alg": "ES256",
    }
    variables = {
        "ISSUER": ISSUER,
        "AUDIENCE": AUDIENCE,
        "JWKS_URL": as_url({"keys": [public]}),
        "GITHUB_KEYS_URL": as_url(github.public_keys()),
        "SCOPE_PREFIX": "",
        "AWS_ENDPOINT_URL_DYNAMODB": DYNAMODB,
    }
    (ROOT / "local" / "sam-local.json").write_text(json.dumps({"Parameters": variables}, indent=2) + "\n")


if __name__ == "__main__":
    main()
