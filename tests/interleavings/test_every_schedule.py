"""Requests meet, in every schedule that there is, and every promise holds in each."""

from collections.abc import Callable
from itertools import combinations_with_replacement

import pytest

from tests.interleavings.scene import NAMES, Scene
from tests.interleavings.schedules import Explorer, Ledger

# How many requests meet; how many faults, and how many requests that are sent again, a schedule has at most.
BOUNDS = [(2, 1, 1), (3, 0, 0)]
LONG_BOUNDS = [(2, 2, 2), (3, 1, 1)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let every combination of requests meet, within each bound."""
    if "meeting" in metafunc.fixturenames:
        bounds = LONG_BOUNDS if metafunc.config.getoption("--long") else BOUNDS
        cases = [
            pytest.param(
                meeting, faults, retries, id=f"{' and '.join(meeting)} ({faults} faults, {retries} retries)"
            )
            for together, faults, retries in bounds
            for meeting in combinations_with_replacement(NAMES, together)
        ]
        metafunc.parametrize(("meeting", "faults", "retries"), cases)


def test_every_promise_holds_in_every_schedule(  # noqa: PLR0913, PLR0917 -- fixtures
    scene: Scene,
    ledger: Ledger,
    meeting: tuple[str, ...],
    faults: int,
    retries: int,
    record_property: Callable[[str, object], None],
) -> None:
    """Guarantee: no order of calls, and no fault, breaks what `promises.py` says.

    A key whose end was answered with a success is accepted by no check that begins later, never comes back, and keeps
    its tombstone. No key is active that nobody should have. Keys that nobody named stay as they are, and good. A list
    shows what was issued before it began. Every key is in a list, and every successor exists, whenever all stops. Seen
    to fail with the bugs of test_finds_bugs.py.
    """
    requests = scene.requests()
    assert tuple(requests) == NAMES
    together = tuple(requests[name] for name in meeting)
    counts = Explorer(scene, ledger, together, faults=faults, retries=retries).explore()
    record_property("bound", f"{len(meeting)} requests, {faults} faults, {retries} retries at most")
    for name in ("schedules", "states", "steps"):
        record_property(name, getattr(counts, name))
