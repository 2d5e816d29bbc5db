"""The stack as SAM CLI runs it: containers, its API Gateway twice, DynamoDB Local, an issuer of our own.

A plugin of pytest; `make e2e` gives it.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from apikeys.dynamodb import DynamoDb
from apikeys.store.api_keys import ApiKeys
from local.demo import seed
from local.issuer import AUDIENCE, LocalIssuer
from local.run import AWS_ENVIRONMENT
from local.template import ROOT, Template, environment
from tests.e2e import docker, sam
from tests.over_http.fixtures import Step
from tests.over_http.stack import Stack
from tools.dynamodb_local import dynamodb_local


@dataclass
class Containers(Stack):
    """SAM's containers behind SAM's API Gateway, twice, on one DynamoDB Local.

    Attributes:
        apis: two `sam local start-api`, each with its own containers.
        sample_variables: file of the environment under which the tokens of events/ are good.
    """

    apis: Sequence[sam.Api]
    sample_variables: Path


@pytest.fixture(scope="session")
def stack(step: Step, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """Bring it up once for all tests, and take it down, also after a failure."""
    folder = tmp_path_factory.mktemp("sam")
    with step("Docker") as comments:
        comments.append(docker.require_docker())
    with step("Lambda base image") as comments:
        image, origin = docker.lambda_image()
        comments.append(f"({origin})")
    with step("sam build"):
        sam.build()
    with ExitStack() as cleanup:
        host = docker.host_address(image)
        issuer = LocalIssuer(host=host, name=docker.HOST)
        issuer.start()
        cleanup.callback(issuer.stop)
        with step("DynamoDB Local, with the tables of template.yaml and the demo data"):
            url = cleanup.enter_context(dynamodb_local(host))
            client = boto3.client(
                "dynamodb",
                endpoint_url=url,
                region_name=AWS_ENVIRONMENT["AWS_REGION"],
                aws_access_key_id="local",
                aws_secret_access_key="local",
            )
            Template({}).create_tables(client)
            cleanup.enter_context(environment(AWS_ENVIRONMENT))
            dynamodb = DynamoDb(url)
            seed(dynamodb)
        endpoint = {"AWS_ENDPOINT_URL_DYNAMODB": f"http://{docker.HOST}:{url.rsplit(':', 1)[1]}"}
        own = {"ISSUER": issuer.url, "AUDIENCE": AUDIENCE, "JWKS_URL": "", "SCOPE_PREFIX": ""}
        own |= {"GITHUB_KEYS_URL": issuer.github_keys_url}
        samples = json.loads((ROOT / "local" / "sam-local.json").read_text())["Parameters"]
        variables = _write(folder / "variables.json", own | endpoint)
        sample_variables = _write(folder / "sample-variables.json", samples | endpoint)
        network = cleanup.enter_context(docker.network())
        apis = []
        for ordinal in ("first", "second"):
            with step(f"sam local start-api, the {ordinal}, and its containers"):
                log = folder / f"{ordinal}.log"
                apis.append(cleanup.enter_context(sam.start_api(log, variables, network)))
        keys = ApiKeys(dynamodb, "ApiKeysTable")
        yield Containers(issuer, client, "ApiKeysTable", keys, apis, sam.REFUSAL, sample_variables)
        with step("Taking it down"):
            cleanup.close()


def _write(path: Path, variables: dict[str, str]) -> Path:
    path.write_text(json.dumps({"Parameters": variables}))
    return path
