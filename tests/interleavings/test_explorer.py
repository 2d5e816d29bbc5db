"""That the exploration is what it says: nothing left out, and nothing that a handler remembers unseen."""

import math

import pytest

from tests.dynamodb_model.model import DynamoDbModel
from tests.interleavings.scene import NAMES, Scene
from tests.interleavings.schedules import Explorer, Ledger
from tests.interleavings.stack import BEGINNING, Ended, History, Request, Stack, apply, told


def one_by_one(
    scene: Scene, requests: tuple[Request, ...], tables: DynamoDbModel, histories: tuple[History, ...]
) -> int:
    """Count the schedules without faults, each by itself, with the handlers run anew for every step."""
    schedules, is_over = 0, True
    for who, (request, history) in enumerate(zip(requests, histories, strict=True)):
        calls = scene.stack.run(f"client {who}, time 0", request, history)
        if isinstance(calls, Ended):
            continue
        is_over = False
        for call in calls:
            after = tables.copy()
            further = told(history, call, apply(after, call))
            rest = (*histories[:who], further, *histories[who + 1 :])
            schedules += one_by_one(scene, requests, after, rest)
    return 1 if is_over else schedules


@pytest.mark.parametrize(
    "meeting",
    [
        ("check k1", "rotate k1"),
        ("rotate k1", "revoke k1"),
        ("rotate k1", "rotate k1 with overlap"),
        ("revoke k1", "revoke all of A"),
        ("check k1", "revoke k1", "admin revokes k1"),
        ("issue in A", "issue in A", "revoke k1"),
    ],
)
def test_counting_schedules_one_by_one_counts_as_many(
    scene: Scene, ledger: Ledger, meeting: tuple[str, ...]
) -> None:
    """Guarantee: no schedule is left out. Seen to fail where a state counts the schedules of one way to it only."""
    requests = tuple(scene.requests()[name] for name in meeting)
    counts = Explorer(scene, ledger, requests, faults=0, retries=0).explore()
    beginnings = (BEGINNING,) * len(requests)
    assert counts.schedules == one_by_one(scene, requests, scene.tables, beginnings)


def test_requests_of_one_call_meet_in_every_order(scene: Scene, ledger: Ledger) -> None:
    requests = tuple(
        scene.requests()[name] for name in ("revoke k1", "check k1", "admin revokes k1", "check k1")
    )
    assert Explorer(scene, ledger, requests, faults=0, retries=0).explore().schedules == math.factorial(4)


def require_no_memory(scene: Scene) -> None:
    """Run every step of all pairs a second time, in another order, and expect the same."""
    requests = scene.requests()
    for first in NAMES:
        meeting = (requests[first], requests["revoke k1"])
        Explorer(scene, Ledger(), meeting, faults=0, retries=0).explore()
    for place, step in reversed(scene.stack.known.items()):
        assert scene.stack.run(*place) == step, place


def test_no_handler_remembers_anything() -> None:
    """Guarantee: what a request does depends on itself and DynamoDB, and on no request before it in the same process.

    Seen to fail with a cache of verdicts: see test_finds_bugs.py.
    """
    with Stack.up() as stack:
        require_no_memory(Scene.set(stack))
