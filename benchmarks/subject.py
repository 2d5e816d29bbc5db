"""What every subject in Python does: make itself ready, then repeat one piece of work as often as it is told to.

Imports nothing that is not in every environment: subjects run in several.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WARM_UP = 50  # repetitions at most, and seconds at most, before anything is measured
WARM_UP_SECONDS = 1.0


class Invocation:
    """As much of Lambda's context object as the functions use."""

    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    function_name = "subject"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:subject"
    memory_limit_in_mb = 1024

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return what a function has at its start."""
        return 10_000


def own_work() -> dict[str, Any]:
    """Return what the command line names, and put its environment in force."""
    work: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    os.environ.update(work["environment"])
    return work


def repeat(work: Callable[[], Any], *, is_good: Callable[[Any], bool]) -> None:
    """Do the work as often as each line of standard input says; tell the CPU seconds of one time.

    Args:
        work: to do.
        is_good: tells from what it returns whether it was done.
    """
    # What the work prints, such as a log, is written as it would be, and nobody reads it.
    told = os.fdopen(os.dup(1), "w")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    started, times = time.monotonic(), 0
    while not times or (times < WARM_UP and time.monotonic() < started + WARM_UP_SECONDS):
        answer = work()
        if not is_good(answer):
            sys.exit(f"The work is not done: {answer}")
        times += 1
    print("ready", file=told, flush=True)
    for line in sys.stdin:
        times = int(line)
        before = time.process_time()
        for _ in range(times - 1):
            work()
        answer = work()
        spent = time.process_time() - before
        if not is_good(answer):
            sys.exit(f"The work is not done: {answer}")
        print(spent / times, file=told, flush=True)
