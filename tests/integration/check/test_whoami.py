"""`GET /api/v1/whoami`: what the authorizer found out."""

from typing import Any

import pytest

from tests.deployment import UNAUTHORIZED, Deployment

pytestmark = pytest.mark.usefixtures("clock")


def test_whoami_tells_what_the_authorizer_passed_on(deployment: Deployment) -> None:
    issued = deployment.issue(owner="alice", scopes=["read", "write"])
    context = deployment.authorize({"x-api-key": issued["key"]})["context"]
    answer = deployment.call("Whoami", requestContext={"authorizer": {"lambda": context}})
    assert (answer.status, answer.body) == (
        200,
        {
            "applicationId": issued["applicationId"],
            "keyId": issued["id"],
            "ownerId": "alice",
            "scopes": ["read", "write"],
        },
    )


@pytest.mark.parametrize(
    "context", [{}, {"authorizer": None}, {"authorizer": {}}, {"authorizer": {"lambda": {}}}]
)
def test_whoami_without_the_authorizer_is_401(deployment: Deployment, context: dict[str, Any]) -> None:
    """Guarantee: a route that lost its authorizer refuses."""
    answer = deployment.call("Whoami", requestContext=context)
    assert (answer.status, answer.body) == (401, UNAUTHORIZED)
