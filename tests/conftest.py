"""One deployment for all tests: moto's DynamoDB with the template's tables, the functions, a real issuer."""

import io
import os
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
import time_machine

from apikeys.log import begin, written_to
from tests.deployment import NOW, Deployment

# No test may reach AWS, whatever the shell it is started from is logged in to.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]

# Nor is a make that a test runs a part of the make that runs the tests.
for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(name, None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the date on which the tests are to believe that they run, such as 2037-03-01."""
    parser.addoption("--today", type=datetime.fromisoformat, help="run as if it were this date, in UTC")


@pytest.fixture(autouse=True, scope="session")
def _today(request: pytest.FixtureRequest) -> Iterator[None]:
    today: datetime | None = request.config.getoption("--today")
    with time_machine.travel(today.replace(tzinfo=UTC), tick=True) if today else nullcontext():
        yield


@pytest.fixture(scope="session")
def _deployment() -> Iterator[Deployment]:
    with Deployment.up() as deployment:
        yield deployment


@pytest.fixture(scope="module")
def deployment(_deployment: Deployment) -> Deployment:
    """The functions as deployed; each file begins with empty tables, its tests keep apart by using ids of their own."""
    _deployment.begin_anew()
    return _deployment


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock at NOW; a test moves it on."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged during the test, a JSON object a line."""
    stream = io.StringIO()
    begin()
    with written_to(stream):
        yield stream
    begin()
