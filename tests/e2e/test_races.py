"""Real concurrency: two gateways, each with containers of its own, on one DynamoDB Local."""

import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

from tests.e2e.application import Application, whoami
from tests.e2e.stack import Stack

REVOKERS, ROUNDS = 16, 5
RIVALRIES = 10


def test_many_revokers_race_for_one_key(stack: Stack, report: Callable[[str], None]) -> None:
    """Guarantee: all get 200, and exactly one revocation is kept, whoever looks whenever."""
    tokens = [stack.token(f"admin-{number}", "api-keys:admin") for number in range(REVOKERS)]
    first = set()
    for _ in range(ROUNDS):
        key, start = stack.put_key(), Barrier(REVOKERS)

        def revoke(number: int) -> tuple[int, str, str]:
            start.wait()  # noqa: B023 -- all of them are done before the next round
            answer = stack.revoke(key.application_id, key.key_id, tokens[number], api=number % 2)  # noqa: B023
            stored = stack.stored(key.key_id) or {}  # noqa: B023
            return answer.status_code, stored["revokedAt"]["S"], stored["revokedBy"]["S"]

        with ThreadPoolExecutor(REVOKERS) as threads:
            seen = set(threads.map(revoke, range(REVOKERS)))
        [(status, _, revoked_by)] = seen
        assert status == 200
        first.add(revoked_by)
    report(
        f"race: {ROUNDS} keys, {REVOKERS} revokers each through two gateways: {ROUNDS * REVOKERS} answers of 200, "
        f"one revocation kept a key, by {len(first)} different winners"
    )


def test_no_check_that_starts_after_the_200_accepts_the_key(
    stack: Stack, application: Application, report: Callable[[str], None]
) -> None:
    """Guarantee: revoked through one gateway, the key is refused by both; its sibling never is."""
    key, sibling, over = application.issue(), application.issue(), Event()

    def check(api: int) -> list[tuple[str, float, bool]]:
        seen = []
        for presented in itertools.cycle([key, sibling]):
            started = time.monotonic()
            seen.append((presented["id"], started, whoami(stack, presented["key"], api=api) is not None))
            if over.is_set():
                break
        return seen

    with ThreadPoolExecutor(4) as threads:
        readers = [threads.submit(check, number % 2) for number in range(4)]
        time.sleep(1)
        application.revoke(key["id"], api=1)
        answered = time.monotonic()
        time.sleep(4)
        over.set()
    checks = [one for reader in readers for one in reader.result()]
    after = [accepted for id_, started, accepted in checks if id_ == key["id"] and started > answered]
    siblings = [accepted for id_, _, accepted in checks if id_ == sibling["id"]]
    assert any(accepted for id_, started, accepted in checks if id_ == key["id"] and started < answered)
    assert len(after) > 0
    assert not any(after)
    assert all(siblings)
    report(
        f"checks through two gateways: {len(checks)}, of them {len(after)} of the revoked key after its 200 "
        f"(0 accepted), {len(siblings)} of its sibling (0 refused)"
    )


def test_rotate_and_revoke_race_and_the_old_key_is_gone(
    stack: Stack, application: Application, report: Callable[[str], None]
) -> None:
    """Guarantee: whoever comes first, a revoked key never becomes good again."""
    outcomes = []
    for _ in range(RIVALRIES):
        old, start = application.issue(), Barrier(2)
        path = f"/api/v1/applications/{application.id}/api-keys/{old['id']}/rotate"

        def rotate() -> int:
            start.wait()  # noqa: B023 -- both are done before the next round
            answer = stack.send("POST", path, application.token, json={"overlapSeconds": 600}, api=0)  # noqa: B023
            if answer.status_code == 201:
                stack.secrets.add(answer.json()["key"])
            return answer.status_code

        def revoke() -> None:
            start.wait()  # noqa: B023
            application.revoke(old["id"], api=1)  # noqa: B023

        with ThreadPoolExecutor(2) as threads:
            rotation, revocation = threads.submit(rotate), threads.submit(revoke)
            revocation.result()
            outcomes.append(rotation.result())
        assert whoami(stack, old["key"], api=0) is None
        assert whoami(stack, old["key"], api=1) is None
    assert set(outcomes) <= {201, 409}
    report(
        f"rotate against revoke: {RIVALRIES} races, rotate first in {outcomes.count(201)}, revoke first in "
        f"{outcomes.count(409)}; the old key was good in none"
    )
