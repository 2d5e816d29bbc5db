"""Guarantee: each route demands the scope that the contract says, and no route forgets to."""

import pytest

from tests.contract.test_contract import OPERATIONS, functions_by_route
from tests.deployment import Deployment

# Routes of the contract that need a JWT, with the scope it says they need.
SCOPED = {
    route: operation["security"][0]["jwt"][0]
    for route, operation in OPERATIONS.items()
    if operation["security"] and "jwt" in operation["security"][0]
}


@pytest.mark.parametrize(("route", "scope"), SCOPED.items())
def test_a_token_without_the_documented_scope_is_refused_and_told_which(
    deployment: Deployment, route: str, scope: str
) -> None:
    function = functions_by_route()[route].removesuffix("Function")
    answer = deployment.call(function, deployment.token(scope="api-keys:nothing"))
    assert answer.status == 403
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]


def test_only_the_page_and_what_a_key_opens_need_no_jwt() -> None:
    open_routes = {route for route, operation in OPERATIONS.items() if not operation["security"]}
    # GitHub's alerts are signed instead, and who revokes by string proves that the string is a key's.
    by_signature, by_string = "POST /api/v1/api-keys/leaked/github", "POST /api/v1/api-keys/revoke"
    assert open_routes == {"GET /", "GET /openapi.json", "GET /assets/{name}", by_signature}
    assert OPERATIONS.keys() - SCOPED.keys() - open_routes == {"GET /api/v1/whoami", by_string}
