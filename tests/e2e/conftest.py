"""The stack as SAM CLI runs it: containers, its API Gateway twice, DynamoDB Local, an issuer of our own."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from apikeys.dynamodb import DynamoDb
from apikeys.store.api_keys import ApiKeys
from local.demo import seed
from local.issuer import AUDIENCE, LocalIssuer
from local.run import AWS_ENVIRONMENT
from local.template import ROOT, Template, environment
from tests.e2e import docker, sam
from tests.e2e.application import Application
from tests.e2e.stack import Stack
from tools.dynamodb_local import dynamodb_local

type Step = Callable[[str], AbstractContextManager[list[str]]]

figures = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def step(request: pytest.FixtureRequest) -> Step:
    """Say what is being done, and how long it took; what is appended to the list is said too."""
    terminal: Any = request.config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = request.config.pluginmanager.get_plugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            terminal.write(text, flush=True)

    @contextmanager
    def announce(doing: str) -> Iterator[list[str]]:
        say(f"\n  {doing} … ")
        comments: list[str] = []
        started = time.monotonic()
        yield comments
        say(" ".join([f"{time.monotonic() - started:.1f} s", *comments]))

    return announce


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep a measured figure for the end of the run."""
    return request.config.stash.setdefault(figures, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures that the tests measured."""
    measured = config.stash.setdefault(figures, [])
    if measured:
        terminalreporter.section("measured")
    for figure in measured:
        terminalreporter.write_line(figure)


@pytest.fixture(scope="session")
def stack(step: Step, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
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
        own = {"ISSUER": issuer.url, "AUDIENCE": AUDIENCE, "JWKS_URL": ""}
        samples = json.loads((ROOT / "local" / "sam-local.json").read_text())["Parameters"]
        variables = _write(folder / "variables.json", own | endpoint)
        sample_variables = _write(folder / "sample-variables.json", samples | endpoint)
        network = cleanup.enter_context(docker.network())
        apis = []
        for ordinal in ("first", "second"):
            with step(f"sam local start-api, the {ordinal}, and its containers"):
                log = folder / f"{ordinal}.log"
                apis.append(cleanup.enter_context(sam.start_api(log, variables, network)))
        yield Stack(issuer, client, ApiKeys(dynamodb, "ApiKeysTable"), apis, sample_variables)
        with step("Taking it down"):
            cleanup.close()


@pytest.fixture
def application(stack: Stack) -> Application:
    """Create one, for this test alone."""
    return Application.create(stack)


def _write(path: Path, variables: dict[str, str]) -> Path:
    path.write_text(json.dumps({"Parameters": variables}))
    return path
