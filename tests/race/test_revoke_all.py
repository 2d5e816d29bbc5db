"""Revoke all against checks: after the 200 no key of the application is accepted, and no other is ever refused."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread

import pytest

from apikeys import deadline
from local.template import Template
from tests.deployment import Deployment
from tests.race.readers import Readers, reading
from tests.race.test_promise import accepted, at_once, refused, report

KEYS, OTHERS = 200, 20
CHECKS = 3_000  # before the call, and after it


@pytest.fixture(autouse=True)
def _its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give it the time that the template does, which is longer than other functions'."""
    functions = Template({}).resources("AWS::Serverless::Function")
    timeout = functions["RevokeAllApiKeysFunction"]["Timeout"]
    monkeypatch.setattr(deadline, "DEFAULT", timeout - deadline.RESERVE)


@contextmanager
def every_key_in_turn(readers: Readers) -> Iterator[None]:
    """Move the readers on from key to key."""
    over = Event()

    def move() -> None:
        while not over.wait(0.001):
            readers.target.value = (readers.target.value + 1) % KEYS

    thread = Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_after_the_200_none_of_200_keys_is_accepted_and_no_other_is_refused(
    deployment: Deployment, endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guarantee: revoked means now, for all keys of this application, and for none of another."""
    doomed_application, other_application = deployment.application(), deployment.application()
    doomed = [deployment.issue(doomed_application)["key"] for _ in range(KEYS)]
    others = [deployment.issue(other_application)["key"] for _ in range(OTHERS)]
    with reading(endpoint, doomed, others, cached=False) as readers, every_key_in_turn(readers):
        readers.wait_for(CHECKS)
        sent = time.monotonic_ns()
        path = {"id": doomed_application}
        answer = deployment.call("RevokeAllApiKeys", deployment.token(), path=path)
        answered = time.monotonic_ns()
        assert (answer.status, answer.body) == (200, {"revoked": KEYS})
        readers.wait_for(CHECKS)
    good = set(others)
    late = [check for check in readers.checks if check.key not in good and check.started > answered]
    early = [check for check in readers.checks if check.key not in good and check.ended < sent]
    siblings = [check for check in readers.checks if check.key in good]
    report(
        capsys,
        f"revoke all of {KEYS} keys in {(answered - sent) / 1e6:.0f} ms. Started after the 200: {len(late)} checks of "
        f"{len({check.key for check in late})} keys, accepted {len(accepted(late))}. Of another application: "
        f"{len(siblings)}, refused {len(refused(siblings))}.",
    )
    assert len({check.key for check in late}) == KEYS
    assert min(len(late), len(early)) > CHECKS // 3
    assert accepted(late) == []
    assert refused(early) == []
    assert refused(siblings) == []


def test_of_several_at_once_each_counts_the_keys_that_it_revoked(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guarantee: each key is revoked by exactly one of them, and counted by that one."""
    token, shares = deployment.token(), list[list[int]]()
    for _ in range(5):
        application_id = deployment.application()
        for _ in range(40):
            deployment.issue(application_id)
        call = partial(deployment.call, "RevokeAllApiKeys", token, path={"id": application_id})
        answers = at_once(*[call] * 3)
        assert {answer.status for answer in answers} == {200}
        shares.append([answer.body["revoked"] for answer in answers])
        assert sum(shares[-1]) == 40
    report(capsys, f"three revocations of all of 40 keys at once, five times: they revoked {shares}")
