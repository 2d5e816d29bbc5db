"""The deployment on AWS's own DynamoDB Local, behind a wire that can be broken."""

from collections.abc import Iterator

import boto3
import pytest

from local.run import AWS_ENVIRONMENT
from local.template import environment
from tests.deployment import Deployment
from tests.hostile.proxy import Wire
from tools.dynamodb_local import dynamodb_local


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take how long those tests go on that could go on for ever."""
    parser.addoption("--seconds", type=int, default=25, help="for each test that goes on as long as it may")


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> int:
    """How long a test goes on that could go on for ever."""
    found: int = request.config.getoption("--seconds")
    return found


@pytest.fixture(scope="session")
def wire() -> Iterator[Wire]:
    """The wire to DynamoDB Local."""
    with dynamodb_local() as url:
        wire = Wire(url)
        yield wire
        wire.stop()


@pytest.fixture(scope="session")
def deployment(wire: Wire) -> Iterator[Deployment]:
    """The functions as deployed, at the other end of the wire."""
    with Deployment.up(wire.url) as deployment, environment(AWS_ENVIRONMENT):
        # The test's own view of what is stored: past the wire, which knows no chunked answers.
        deployment.dynamodb = boto3.client("dynamodb", endpoint_url=wire.upstream_url)
        yield deployment
