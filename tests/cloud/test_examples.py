"""examples/http-api and examples/rest-api: APIs of somebody else's, in stacks of their own, behind the authorizer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from local.template import ROOT
from tests.cloud.deployed import Deployed
from tests.cloud.deployment import Deployment
from tests.cloud.emulator import REGION
from tests.cloud.routes import import_body
from tests.over_http.application import Application
from tests.over_http.fixtures import Step
from tests.over_http.stack import TIMEOUT

EXAMPLES = ROOT / "examples"


@dataclass(frozen=True, slots=True)
class Guarded:
    """An API that somebody else deployed.

    Args:
        url: of its one resource.
        host: that it is reached by.
    """

    url: str
    host: str

    def get(self, key: str | None) -> requests.Response:
        """Ask for the forecast, with a key or without one."""
        headers = {"Host": self.host} | ({"X-API-Key": key} if key else {})
        return requests.get(self.url, headers=headers, timeout=TIMEOUT)


@pytest.fixture(scope="module", params=["http-api", "rest-api"])
def guarded(
    request: pytest.FixtureRequest, stack: Deployed, step: Step, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    """Each example, deployed beside the stack as its README says."""
    emulator, name = stack.deployment.emulator, f"forecast-{request.param}"
    deployment = Deployment(emulator, name, tmp_path_factory.mktemp(name))
    with step(f"sam deploy, of examples/{request.param}"):
        arn = stack.deployment.outputs()["AuthorizerFunctionArn"]
        deployment.deploy_other(EXAMPLES / request.param / "template.yaml", AuthorizerFunctionArn=arn)
    api = deployment.resources()["Api"]
    if request.param == "http-api":
        import_routes(deployment, api)
    path = {"http-api": "/forecast", "rest-api": "/v1/forecast"}[request.param]
    yield Guarded(emulator.url + path, f"{api}.execute-api.localhost")
    with step("sam delete"):
        deployment.delete()


def import_routes(deployment: Deployment, api: str) -> None:
    template, names = deployment.template(), deployment.resources()
    body: dict[str, Any] = template.resolve(template.document["Resources"]["Api"]["Properties"]["Body"])
    gateway = deployment.emulator.client("apigatewayv2")
    arn = f"arn:aws:lambda:{REGION}:000000000000:function:"
    import_body(gateway, api, body, lambda function: arn + names[function])


def test_a_key_loses_access_to_somebody_elses_api_at_once_and_its_sibling_does_not(
    guarded: Guarded, application: Application
) -> None:
    """Guarantee: the very next request after the 200 is refused, also by an API in another stack."""
    key, sibling = application.issue(), application.issue()
    for each in (key, sibling):
        answer = guarded.get(each["key"])
        assert (answer.status_code, answer.json()) == (200, {"forecast": "sunny", "for": application.id})
    application.revoke(key["id"])
    assert guarded.get(key["key"]).status_code == 403
    assert guarded.get(sibling["key"]).status_code == 200


@pytest.mark.parametrize("key", [None, "", "ak_junk"])
def test_without_a_good_key_nobody_comes_in(guarded: Guarded, key: str | None) -> None:
    answer = guarded.get(key)
    assert answer.status_code in (401, 403)
    assert "sunny" not in answer.text
