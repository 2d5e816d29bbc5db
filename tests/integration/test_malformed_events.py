"""Whatever a function is invoked with, it answers in the documented shape."""

import copy
import io
import itertools
import json
from typing import Any

import pytest

from local.template import Template
from tests.deployment import EVERYTHING, Deployment, sample_event

FUNCTIONS = [name for name in Template(EVERYTHING).answering() if name != "AuthorizeRequestFunction"]
NOTHING: tuple[Any, ...] = (None, [], "event", 1, True, {})
WRONG: tuple[Any, ...] = (None, [], {}, 1, True, "\ud800", {"a": None}, [{}])
MEMBERS = (
    *(
        "routeKey",
        "rawPath",
        "headers",
        "multiValueHeaders",
        "queryStringParameters",
        "pathParameters",
        "body",
    ),
    *("isBase64Encoded", "requestContext"),
)


class NoContext:
    """As little of a Lambda context as can be: what somebody has who runs a handler by itself."""


def events(deployment: Deployment) -> list[Any]:
    """Return events of which a member is missing, or is not what it should be, of somebody who has nothing yet."""
    good = copy.deepcopy(sample_event("revoke_api_key/401"))
    good["headers"] |= {"authorization": f"Bearer {deployment.token('malformed')}", "accept-encoding": "gzip"}
    found = list(NOTHING)
    for member, wrong in itertools.product(MEMBERS, WRONG):
        found.append(good | {member: wrong})
    found += [{name: value for name, value in good.items() if name != member} for member in good]
    for header, wrong in itertools.product(("authorization", "accept-encoding", "content-type"), WRONG):
        found.append(good | {"headers": good["headers"] | {header: wrong}})
    for part, wrong in itertools.product(("http", "authorizer", "identity"), WRONG):
        found.append(good | {"requestContext": good["requestContext"] | {part: wrong}})
    for wrong in WRONG:
        found.append(good | {"requestContext": {"authorizer": {"lambda": wrong}}})
        found.append(good | {"requestContext": {"authorizer": {"lambda": {"keyId": "k", "scopes": wrong}}}})
        found.append(good | {"pathParameters": {"id": wrong, "keyId": wrong, "name": wrong, "proxy": wrong}})
        found.append(
            good | {"queryStringParameters": dict.fromkeys(("limit", "cursor", "status", "reason"), wrong)}
        )
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("context", [None, NoContext()], ids=["no context", "an empty context"])
def test_a_malformed_event_is_answered_and_never_by_a_fault(
    deployment: Deployment, log: io.StringIO, function: str, context: Any
) -> None:
    for event in events(deployment):
        result = deployment.handlers[function](event, context)
        assert result["statusCode"] in {200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415}, event
    assert [line for line in map(json.loads, log.getvalue().splitlines()) if line["level"] == "ERROR"] == []
