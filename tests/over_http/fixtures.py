"""What all runs against a running stack share: progress, measured figures, an application of a test's own.

A plugin of pytest, as is what brings a stack up: tests.e2e.containers or tests.cloud.deployed. Which of the two is
given (`-p`) decides what the tests of this folder run against.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from tests.over_http.application import Application
from tests.over_http.stack import Stack

type Step = Callable[[str], AbstractContextManager[list[str]]]

figures = pytest.StashKey[list[str]]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of what was logged after all others, whose requests they look at; those in any order."""
    items.sort(key=lambda item: item.path.stem == "test_the_log")


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


@pytest.fixture
def application(stack: Stack) -> Application:
    """Create one, for this test alone."""
    return Application.create(stack)
