"""Real concurrency: two gateways, each with containers of its own, on one DynamoDB Local."""

import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

from tests.over_http.application import BOTH, Application, whoami
from tests.over_http.stack import Stack

REVOKERS, ROUNDS = 16, 5
RIVALRIES = 10


type Revocation = tuple[int, str, str]  # status, and what was stored when it was there: when, by whom


def race_to_revoke(stack: Stack, tokens: list[str]) -> set[Revocation]:
    key, start = stack.put_key(), Barrier(len(tokens))

    def revoke(number: int) -> Revocation:
        start.wait()
        answer = stack.revoke(key.application_id, key.key_id, tokens[number], api=number % 2)
        stored = stack.stored(key.key_id) or {}
        return answer.status_code, stored["revokedAt"]["S"], stored["revokedBy"]["S"]

    with ThreadPoolExecutor(len(tokens)) as threads:
        return set(threads.map(revoke, range(len(tokens))))


def test_many_revokers_race_for_one_key(stack: Stack, report: Callable[[str], None]) -> None:
    """Guarantee: all get 200, and exactly one revocation is kept, whoever looks whenever."""
    tokens = [stack.token(f"admin-{number}", "api-keys:admin") for number in range(REVOKERS)]
    winners = set()
    for _ in range(ROUNDS):
        [(status, _, revoked_by)] = race_to_revoke(stack, tokens)
        assert status == 200
        winners.add(revoked_by)
    report(
        f"race: {ROUNDS} keys, {REVOKERS} revokers each through two gateways: {ROUNDS * REVOKERS} answers of 200, "
        f"one revocation kept a key, by {len(winners)} different winners"
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


def race_to_rotate(stack: Stack, application: Application, key_id: str) -> int:
    start = Barrier(2)

    def rotate() -> int:
        path = f"/api/v1/applications/{application.id}/api-keys/{key_id}/rotate"
        start.wait()
        answer = stack.send("POST", path, application.token, json={"overlapSeconds": 600}, api=0)
        if answer.status_code == 201:
            stack.secrets.add(answer.json()["key"])
        return answer.status_code

    def revoke() -> None:
        start.wait()
        application.revoke(key_id, api=1)

    with ThreadPoolExecutor(2) as threads:
        rotation, revocation = threads.submit(rotate), threads.submit(revoke)
        revocation.result()
        return rotation.result()


def test_rotate_and_revoke_race_and_the_old_key_is_gone(
    stack: Stack, application: Application, report: Callable[[str], None]
) -> None:
    """Guarantee: whoever comes first, a revoked key never becomes good again."""
    outcomes = []
    for _ in range(RIVALRIES):
        old = application.issue()
        outcomes.append(race_to_rotate(stack, application, old["id"]))
        assert [whoami(stack, old["key"], api=api) for api in BOTH] == [None, None]
    assert set(outcomes) <= {201, 409}
    report(
        f"rotate against revoke: {RIVALRIES} races, rotate first in {outcomes.count(201)}, revoke first in "
        f"{outcomes.count(409)}; the old key was good in none"
    )
