"""The deployment on AWS's own DynamoDB Local, behind a wire that can be broken."""

from collections import Counter
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
    parser.addoption("--all-pairs", action="store_true", help="every fault with every function, not a third")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker."""
    config.addinivalue_line("markers", "all_pairs: a pair that is tried with --all-pairs only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the pairs of a function and a fault that are for --all-pairs only."""
    if not config.getoption("--all-pairs"):
        left_out = [item for item in items if item.get_closest_marker("all_pairs")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many of each kind were tried."""
    totals = Counter[str]()
    for report in terminalreporter.stats.get("", []):
        if report.when == "teardown":
            for name, number in report.user_properties:
                totals[name] += number
    if totals:
        terminalreporter.section("tried")
    for name, number in sorted(totals.items()):
        terminalreporter.write_line(f"{name}: {number:,}")


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
        # The test's own view of what is stored: past the wire.
        deployment.dynamodb = boto3.client("dynamodb", endpoint_url=wire.upstream_url)
        yield deployment
