"""Processes that check keys without pause, each with an authorizer of its own, as Lambda has."""

import functools
import itertools
import multiprocessing
import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from apikeys import log
from apikeys.check import Checker
from local.functions import Context
from local.run import AWS_ENVIRONMENT
from local.template import Template

# Spawned, not forked: like a cold start, it shares nothing with this process.
PROCESSES = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Check:
    """One check: of which key, when it started and ended (CLOCK_MONOTONIC, one clock for all), and its verdict."""

    key: str
    started: int
    ended: int
    accepted: bool


class Readers:
    """Readers at work; `checks` has what they saw, once the block has ended.

    Args:
        count: of processes.
    """

    def __init__(self, count: int) -> None:
        self.target = PROCESSES.Value("i", 0)
        self.done = PROCESSES.Value("q", 0)
        self.stop = PROCESSES.Event()
        self.results: Any = PROCESSES.SimpleQueue()
        self.count = count
        self.checks: list[Check] = []

    def wait_for(self, more: int) -> None:
        """Return when this many more checks are done."""
        goal = self.done.value + more
        while self.done.value < goal:
            time.sleep(0.001)


@contextmanager
def reading(
    endpoint: str, doomed: Sequence[str], others: Sequence[str], *, cached: bool
) -> Iterator[Readers]:
    """Check keys without pause until the block ends.

    Args:
        endpoint: of DynamoDB.
        doomed: keys that will be revoked, in this order; `target` says which one is next.
        others: keys that stay good.
        cached: put a cache of verdicts before the check, to see the promise broken.
    """
    readers = Readers(max(2, os.cpu_count() or 1))
    arguments = (
        endpoint,
        doomed,
        others,
        cached,
        readers.target,
        readers.done,
        readers.stop,
        readers.results,
    )
    processes = [PROCESSES.Process(target=_read, args=arguments, daemon=True) for _ in range(readers.count)]
    for process in processes:
        process.start()
    try:
        readers.wait_for(10 * readers.count)
        yield readers
    finally:
        readers.stop.set()
        for _ in processes:
            readers.checks += readers.results.get()
        for process in processes:
            process.join()


def _read(  # noqa: PLR0913, PLR0917 -- what crosses to another process
    endpoint: str,
    doomed: Sequence[str],
    others: Sequence[str],
    cached: bool,
    target: Any,
    done: Any,
    stop: Any,
    results: Any,
) -> None:
    log.THRESHOLD = log.LEVELS["ERROR"]
    if cached:
        Checker.check = functools.cache(Checker.check)  # type: ignore[method-assign] # the sabotage
    os.environ.update(AWS_ENVIRONMENT)
    # The issuer and the audience are not the authorizer's business, but the template asks for them.
    authorize = Template({"DynamoDbEndpoint": endpoint}).functions()["AuthorizeRequestFunction"].load()
    seen: list[Check] = []
    chooser = random.Random(os.getpid())  # noqa: S311 -- no secret
    for turn in itertools.count():
        if stop.is_set():
            break
        # Mostly the key that is about to be revoked or just was; else one that was long ago, or never will be.
        now = target.value
        old = chooser.randrange(now + 1)
        key = (doomed[now], doomed[old], chooser.choice(others), doomed[now])[turn % 4]
        event = {"version": "2.0", "headers": {"x-api-key": key}, "requestContext": {}}
        started = time.monotonic_ns()
        verdict = authorize(event, Context("AuthorizeRequestFunction"))
        seen.append(Check(key, started, time.monotonic_ns(), verdict["isAuthorized"]))
        with done.get_lock():
            done.value += 1
    results.put(seen)
