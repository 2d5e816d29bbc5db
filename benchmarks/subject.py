"""What every subject in Python does: make itself ready, then repeat one piece of work as often as it is told to.

Imports nothing that is not in every environment: subjects run in several.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

WARM_UP = 50  # repetitions at most, and seconds at most, before anything is measured
WARM_UP_SECONDS = 1.0
CHECKERS = 16  # that check one key at the same time, without pause
RUNS = 5  # revokes, each of another key
AROUND = 0.2  # seconds of checks before a revoke and after it, and as many checks as there are checkers


class Invocation:
    """As much of Lambda's context object as functions use."""

    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    function_name = "subject"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:subject"
    memory_limit_in_mb = 1024

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return what a function has at its start."""
        return 10_000


class Key(NamedTuple):
    """A good key, and what may be done with it.

    Args:
        check: tells whether it is good.
        revoke: revokes it, and tells whether that was done.
    """

    check: Callable[[], bool]
    revoke: Callable[[], bool]


def own_work() -> dict[str, Any]:
    """Return what the command line names, and put its environment in force."""
    work: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    os.environ.update(work["environment"])
    return work


def main(fresh: Callable[[], Key]) -> None:
    """Do what the last word of the command line says.

    Args:
        fresh: makes a good key.
    """
    told = quiet()
    match sys.argv[-1]:
        case "check":
            repeat(fresh().check, told)
        case "revoke":
            repeat(fresh().revoke, told)
        case "access":
            print(json.dumps([lose_access(fresh()) for _ in range(RUNS)]), file=told)


def quiet() -> Any:
    """Return what is standard output now; what the work prints, such as a log, is written, and nobody reads it."""
    told = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return told


def repeat(work: Callable[[], bool], told: Any) -> None:
    """Do the work as often as each line of standard input says; tell the CPU seconds of one time.

    Args:
        work: to do; tells whether it was done.
        told: where to tell.
    """

    def once() -> None:
        if not work():
            sys.exit("The work is not done")

    started, times = time.monotonic(), 0
    while not times or (times < WARM_UP and time.monotonic() < started + WARM_UP_SECONDS):
        once()
        times += 1
    print("ready", file=told, flush=True)
    for line in sys.stdin:
        times = int(line)
        before = time.process_time()
        for _ in range(times):
            once()
        print((time.process_time() - before) / times, file=told, flush=True)


def lose_access(key: Key) -> dict[str, float]:
    """Revoke a key while many check it.

    Returns:
        `last`: seconds from the revoke's success to the end of the last check that accepted the key, less than
        nothing if none did; `late`: checks that accepted it and had begun after the success; `checks`: how many
        there were.
    """
    over = Event()
    checks: list[tuple[float, float, bool]] = []

    def check_without_pause() -> None:
        while not over.is_set():
            started = time.monotonic()
            accepted = key.check()
            checks.append((started, time.monotonic(), accepted))

    def let_them_check() -> None:
        ended, enough = time.monotonic() + AROUND, len(checks) + CHECKERS
        while time.monotonic() < ended or len(checks) < enough:
            time.sleep(AROUND / 10)

    checkers = [Thread(target=check_without_pause) for _ in range(CHECKERS)]
    for checker in checkers:
        checker.start()
    let_them_check()
    key.revoke()
    revoked = time.monotonic()
    let_them_check()
    over.set()
    for checker in checkers:
        checker.join()
    accepted = [(started, ended) for started, ended, good in checks if good]
    return {
        "last": max(ended for _, ended in accepted) - revoked,
        "late": sum(started > revoked for started, _ in accepted),
        "checks": len(checks),
    }
