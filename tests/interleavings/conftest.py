"""One scene for all explorations, and how much they explored."""

from collections.abc import Iterator

import pytest

from tests.interleavings.scene import Scene
from tests.interleavings.schedules import Ledger
from tests.interleavings.stack import Stack

COUNTED = ("schedules", "states", "steps")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take --long: three requests at once with faults, and two faults in a schedule. It takes half an hour."""
    parser.addoption("--long", action="store_true", help="three requests at once with faults, and two faults")


@pytest.fixture(scope="session")
def scene() -> Iterator[Scene]:
    """Where every schedule begins."""
    with Stack.up() as stack:
        yield Scene.set(stack)


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    """What is known of the scene's tables."""
    return Ledger()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was explored, for each bound."""
    totals: dict[str, dict[str, int]] = {}
    for report in terminalreporter.stats.get("passed", []):
        counts = dict(report.user_properties)
        if "bound" in counts:
            total = totals.setdefault(counts["bound"], dict.fromkeys(("meetings", *COUNTED), 0))
            total["meetings"] += 1
            for name in COUNTED:
                total[name] += counts[name]
    if totals:
        terminalreporter.section("explored")
    for bound, total in totals.items():
        counted = ", ".join(f"{number:,} {name}" for name, number in total.items())
        terminalreporter.write_line(f"{bound}: {counted}")
