"""What no route matches is answered in the documented shape; preflights, so that browsers may go on."""

import io
import json
from typing import Any

import pytest

from local.functions import Context
from local.template import Template
from tests.deployment import NOT_FOUND, Deployment, sample_event

FUNCTION = "RefuseUnknownRouteFunction"
KEY_PATH = (
    "api/v1/applications/123e4567-e89b-12d3-a456-426614174000/api-keys/123e4567-e89b-12d3-a456-426614174000"
)
# What API Gateway puts before a path: nothing, a named stage, a custom domain's base path.
BEFORE = ("", "/prod", "/keys/v2")


def unknown(method: str, path: str, before: str = "") -> dict[str, Any]:
    """Return the event of a request that no route matches: at the root it is $default's."""
    event = sample_event("refuse_unknown_route/404") | {"rawPath": f"{before}/{path}"}
    event["requestContext"]["http"] |= {"method": method, "path": f"{before}/{path}"}
    if not path:
        del event["pathParameters"]
        return event | {"routeKey": "$default"}
    return event | {"pathParameters": {"proxy": path}}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize(
    "path",
    ["api/v1", "api/v2" + KEY_PATH[6:], KEY_PATH + "/", KEY_PATH + "/x", "/", "\n", "prod/" + KEY_PATH],
)
def test_404_for_a_path_that_does_not_exist(deployment: Deployment, path: str, before: str) -> None:
    answer = deployment.invoke(FUNCTION, unknown("DELETE", path, before))
    assert (answer.status, answer.body) == (404, NOT_FOUND)
    assert "allow" not in answer.headers


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize(
    ("path", "allow"),
    [
        (KEY_PATH, "DELETE, GET"),
        ("api/v1/applications/1/api-keys/2", "DELETE, GET"),
        ("api/v1/applications/1/api-keys/revoke-all", "POST"),
        ("api/v1/whoami", "GET"),
        ("", "GET, HEAD"),
        ("assets/page.css", "GET, HEAD"),
    ],
)
def test_405_names_the_methods_of_a_path_that_exists(
    deployment: Deployment, path: str, allow: str, before: str
) -> None:
    """Under a stage and a base path too, which rawPath has before it and the path parameter has not."""
    answer = deployment.invoke(FUNCTION, unknown("PATCH", path, before))
    assert (answer.status, answer.headers["allow"]) == (405, allow)
    assert answer.body == {
        "error": "Method Not Allowed",
        "message": "The requested resource does not support this method",
        "code": 405,
    }


@pytest.mark.parametrize("path", ["", "openapi.json", "assets/page.css"])
def test_404_for_a_reference_that_is_left_out(path: str) -> None:
    handler = Template({"ReferencePage": "false"}).functions()[FUNCTION].load()
    for method in ("GET", "HEAD", "POST"):
        assert handler(unknown(method, path), Context(FUNCTION))["statusCode"] == 404


@pytest.mark.parametrize(
    ("parameter", "path", "statuses"),
    [
        ("RevokeByString", "api/v1/api-keys/revoke", {"on": 405, "authorized": 405, "off": 404}),
        ("GithubAlerts", "api/v1/api-keys/leaked/github", {"true": 405, "false": 404}),
    ],
)
def test_a_route_that_the_deployment_leaves_out_does_not_exist(
    parameter: str, path: str, statuses: dict[str, int]
) -> None:
    for value, status in statuses.items():
        handler = Template({parameter: value}).functions()[FUNCTION].load()
        answer = handler(unknown("GET", path), Context(FUNCTION))
        assert (answer["statusCode"], answer["headers"].get("allow")) == (
            status,
            "POST" if status == 405 else None,
        )


@pytest.mark.parametrize("path", [KEY_PATH, "no/such/route"])
def test_a_preflight_is_answered_and_the_headers_are_left_to_the_gateway(
    deployment: Deployment, log: io.StringIO, path: str
) -> None:
    """Guarantee: we never say which origins may call; API Gateway does, by the deployment's parameter."""
    event = unknown("OPTIONS", path) | {"routeKey": "OPTIONS /{proxy+}"}
    event["headers"] |= {
        "origin": "https://evil.example.com",
        "access-control-request-method": "DELETE",
        "access-control-request-headers": "authorization",
    }
    assert deployment.handlers[FUNCTION](event, Context(FUNCTION)) == {"statusCode": 204}
    line = json.loads(log.getvalue())
    assert (line["message"], line["status"], line["route"]) == ("answered", 204, "OPTIONS /{proxy+}")


def test_it_talks_to_nobody(deployment: Deployment) -> None:
    deployment.calls.clear()
    deployment.invoke(FUNCTION, sample_event("refuse_unknown_route/404"))
    assert deployment.calls == []
