"""The check by introspection (RFC 7662)."""

from urllib.parse import urlencode

import pytest

from tests.deployment import FORBIDDEN, UNAUTHORIZED, Deployment, bad_request
from tests.integration.check.keys import FORM, introspect

pytestmark = pytest.mark.usefixtures("clock")


def test_introspection_tells_the_standard_members_of_a_good_key(deployment: Deployment) -> None:
    issued = deployment.issue(owner="alice", scopes=["read", "write"], expiresAt="2026-11-22T13:00:00Z")
    answer = introspect(deployment, issued["key"])
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body == {
        "active": True,
        "jti": issued["id"],
        "client_id": issued["applicationId"],
        "sub": "alice",
        "scope": "read write",
        "token_type": "Bearer",
        "iat": 1795348800,
        "exp": 1795352400,
    }
    assert "exp" not in introspect(deployment, deployment.issue()["key"]).body


@pytest.mark.parametrize(
    "body", ["", "token=", "toke=x", "token=a&token=b", '{"token": "x"}', "token=&token=x"]
)
def test_introspection_needs_exactly_one_token(deployment: Deployment, body: str) -> None:
    answer = deployment.call("IntrospectApiKey", deployment.token(), body=body, headers=FORM)
    assert (answer.status, answer.body) == (400, bad_request(token="must be given exactly once"))


@pytest.mark.parametrize(
    "body", ["&" * 5000, "token=%ff", "token=%00", "token=x&token_type_hint=access_token"]
)
def test_introspection_of_strange_forms(deployment: Deployment, body: str) -> None:
    answer = deployment.call("IntrospectApiKey", deployment.token(), body=body, headers=FORM)
    assert answer.status == (200 if body.startswith("token") else 400)


def test_introspection_is_for_callers_with_its_scope(deployment: Deployment) -> None:
    body = urlencode({"token": deployment.issue()["key"]})
    assert deployment.call("IntrospectApiKey", body=body, headers=FORM).body == UNAUTHORIZED
    writer = deployment.token(scope="api-keys:write")
    assert deployment.call("IntrospectApiKey", writer, body=body, headers=FORM).body == FORBIDDEN
    assert deployment.call("IntrospectApiKey", deployment.token(), body={"token": "x"}).status == 415
