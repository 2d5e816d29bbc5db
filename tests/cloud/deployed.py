"""The stack as CloudFormation has it: deployed by `sam deploy`, to an emulator of AWS on this machine.

A plugin of pytest; `make cloud` gives it. What an emulator is no proof of: atomicity (DynamoDB Local is),
permissions, throttling. What AWS does and this emulator does not is held by tests/infrastructure, on the template.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from apikeys.dynamodb import DynamoDb
from apikeys.store.api_keys import ApiKeys
from local.issuer import LocalIssuer
from local.template import environment
from tests.cloud.deployment import Deployment
from tests.cloud.emulator import Emulator, emulator
from tests.cloud.origin import Origin
from tests.deployment import EVERYTHING
from tests.e2e import sam
from tests.over_http.fixtures import Step
from tests.over_http.stack import Api, Stack

# What an HTTP API says where its authorizer says no.
REFUSAL = {"message": "Forbidden"}
BASE_PATH = "v1/keys"
CERTIFICATE = "arn:aws:acm:eu-central-1:000000000000:certificate/00000000-0000-4000-8000-000000000000"


@dataclass
class Deployed(Stack):
    """A deployed stack, at its own address and below the base path of a custom domain.

    Attributes:
        deployment: to look into.
        allowed: the one origin whose pages may call it; None if there is none.
    """

    deployment: Deployment
    allowed: Origin | None


@pytest.fixture(scope="session")
def account(step: Step, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator, and in it an empty AWS account; what is deployed there was built before."""
    with step("sam build"):
        sam.build()
    with ExitStack() as cleanup:
        with step("An AWS on this machine (MiniStack)"):
            account = cleanup.enter_context(emulator(tmp_path_factory.mktemp("ministack")))
        cleanup.enter_context(environment(account.environment))
        yield account
        with step("Taking it down"):
            cleanup.close()


@pytest.fixture(scope="session")
def issuer() -> Iterator[LocalIssuer]:
    """Whose tokens are accepted."""
    issuer = LocalIssuer()
    issuer.start()
    yield issuer
    issuer.stop()


@pytest.fixture(scope="session")
def stack(
    account: Emulator, issuer: LocalIssuer, step: Step, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """Deploy it once for all tests."""
    deployment = Deployment(account, "api-keys", tmp_path_factory.mktemp("deployment"))
    with Origin() as allowed:
        with step("sam deploy"):
            choices = EVERYTHING | {
                "KeepData": "false",
                "CorsOrigins": allowed.url,
                "AlarmEmail": "on-call@example.com",
                "GithubKeysUrl": issuer.github_keys_url,
            }
            deployment.deploy(Issuer=issuer.url, **choices)
        yield reach(deployment, issuer, allowed)
        with step("sam delete"):
            deployment.delete()


def reach(deployment: Deployment, issuer: LocalIssuer, allowed: Origin | None = None) -> Deployed:
    """Return a deployed stack, as a test speaks to it.

    Args:
        deployment: it.
        issuer: whose tokens it accepts.
        allowed: the one origin whose pages may call it.
    """
    emulator, table = deployment.emulator, deployment.outputs()["ApiKeysTableName"]
    client, keys = emulator.client("dynamodb"), ApiKeys(DynamoDb(emulator.url), table)
    return Deployed(issuer, client, table, keys, _addresses(deployment), REFUSAL, deployment, allowed)


def _addresses(deployment: Deployment) -> list[Api]:
    gateway, url = deployment.emulator.client("apigatewayv2"), deployment.emulator.url
    api_id, domain = deployment.resources()["HttpApi"], f"{deployment.name}.example.com"
    if domain not in {one["DomainName"] for one in gateway.get_domain_names()["Items"]}:
        configuration = {"CertificateArn": CERTIFICATE, "EndpointType": "REGIONAL"}
        gateway.create_domain_name(DomainName=domain, DomainNameConfigurations=[configuration])
        mapping = {"DomainName": domain, "ApiMappingKey": BASE_PATH}
        gateway.create_api_mapping(**mapping, ApiId=api_id, Stage="$default")
    return [
        Api(url, {"Host": f"{api_id}.execute-api.localhost"}),
        Api(f"{url}/{BASE_PATH}", {"Host": domain}),
    ]
