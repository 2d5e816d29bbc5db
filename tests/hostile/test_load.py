"""Mixed load: nothing piles up, and every key ends as the model says. `make load` takes minutes of it."""

import gc
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from apikeys import log
from tests.canaries import CANARIES
from tests.deployment import Deployment

CALLERS = 4
MEMORY = 4 * 1024 * 1024  # bytes that may come on top once all is warm: the keys that the model knows, mostly
HANDLES = 16


class Load:
    """One caller's application: what is done with it, and what its keys must be.

    Args:
        deployment: that is asked.
        number: which caller.

    Attributes:
        good: key strings, by id.
        ended: those that were revoked or replaced.
        requests: how many there were.
    """

    def __init__(self, deployment: Deployment, number: int) -> None:
        self._deployment = deployment
        self._owner = f"owner-{number}"
        self._token = deployment.token(self._owner)
        self._application = deployment.application(self._owner)
        self._chooser = random.Random(number)  # noqa: S311 -- no secret
        self.good: dict[str, str] = {}
        self.ended: dict[str, str] = {}
        self.requests = 0

    def run(self, seconds: float) -> None:
        """Do one thing after the other, and hold each answer against the model."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.requests += 1
            self._chooser.choice(
                [self.issue, self.check, self.check, self.revoke, self.rotate, self.read, self.list]
            )()
            self._deployment.calls.clear()
            self._deployment.requests.clear()

    def any_good(self) -> str:
        if not self.good:
            self.issue()
        return self._chooser.choice(list(self.good))

    def path(self, key_id: str) -> dict[str, str]:
        return {"id": self._application, "keyId": key_id}

    def issue(self) -> None:
        key = self._deployment.issue(self._application, self._owner)
        self.good[key["id"]] = key["key"]

    def check(self) -> None:
        assert self._deployment.accepts(self.good[self.any_good()])
        if self.ended:
            assert not self._deployment.accepts(self.ended[self._chooser.choice(list(self.ended))])

    def revoke(self) -> None:
        key_id = self.any_good()
        answer = self._deployment.revoke(self._application, key_id, self._token)
        assert (answer.status, answer.text) == (200, "{}")
        self.ended[key_id] = self.good.pop(key_id)

    def rotate(self) -> None:
        key_id = self.any_good()
        answer = self._deployment.call("RotateApiKey", self._token, path=self.path(key_id))
        assert answer.status == 201
        self.ended[key_id] = self.good.pop(key_id)
        self.good[answer.body["id"]] = answer.body["key"]

    def read(self) -> None:
        answer = self._deployment.call("ReadApiKey", self._token, path=self.path(self.any_good()))
        assert (answer.status, answer.body["status"]) == (200, "active")

    def list(self) -> None:
        query = {"limit": "10", "status": "active"}
        answer = self._deployment.call(
            "ListApiKeys", self._token, path={"id": self._application}, query=query
        )
        assert answer.status == 200
        assert {key["id"] for key in answer.body["items"]} <= self.good.keys()

    def settle(self) -> int:
        """Hold every key against the model, and return how many there are."""
        assert all(self._deployment.accepts(key) for key in self.good.values())
        assert not any(self._deployment.accepts(key) for key in self.ended.values())
        return len(self.good) + len(self.ended)


def in_use() -> tuple[int, int]:
    """Return bytes of memory and open handles of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(list(Path("/proc/self/fd").iterdir()))


def test_under_mixed_load_nothing_piles_up_and_every_key_ends_as_the_model_says(
    deployment: Deployment,
    seconds: int,
    record_property: Callable[[str, object], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Guarantee: memory and handles stay flat.

    Seen to fail with connections that are kept and never used again: of too many, DynamoDB Local makes a 503. And with
    4 KiB of each answer that are kept.
    """
    monkeypatch.setattr(log, "THRESHOLD", log.LEVELS["ERROR"])
    monkeypatch.setattr(CANARIES, "add", lambda _: None)  # it would remember each key in a hundred pieces
    loads = [Load(deployment, number) for number in range(CALLERS)]
    with ThreadPoolExecutor(CALLERS) as threads:
        list(threads.map(lambda load: load.run(seconds / 3), loads))
        memory, handles = in_use()
        list(threads.map(lambda load: load.run(seconds * 2 / 3), loads))
        more_memory, more_handles = in_use()
        keys = sum(threads.map(Load.settle, loads))
    record_property("requests of the load", sum(load.requests for load in loads))
    record_property("keys of the load", keys)
    record_property("KiB that the load took when warm", (more_memory - memory) // 1024)
    record_property("handles that the load took when warm", more_handles - handles)
    assert more_memory - memory < MEMORY
    assert more_handles - handles < HANDLES
