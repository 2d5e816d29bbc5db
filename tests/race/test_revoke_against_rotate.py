"""A revoke at the same moment as a rotate never waits, and always wins."""

import time
from functools import partial

import pytest

from tests.deployment import Answer, Deployment
from tests.race.test_promise import at_once, report, revoke

ROUNDS, ROTATORS = 150, 3


def test_a_revoke_never_waits_for_a_rotate_and_always_wins(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guarantee: one call, at the first attempt, whatever rotates at that moment; and no new key is left that works.

    With a rotate in a transaction, DynamoDB refuses some of these revokes until it has ended.
    """
    alone, against, rotated, token = list[float](), list[float](), 0, deployment.token()

    def timed(key: dict[str, str], durations: list[float]) -> Answer:
        started = time.perf_counter()
        answer = revoke(deployment, key, token)
        durations.append(time.perf_counter() - started)
        return answer

    for _ in range(ROUNDS):
        quiet, key = deployment.issue(), deployment.issue()
        assert timed(quiet, alone).status == 200
        path = {"id": key["applicationId"], "keyId": key["id"]}
        rotate = partial(deployment.call, "RotateApiKey", token, path=path, body={"overlapSeconds": 60})
        answer, *rotations = at_once(partial(timed, key, against), *[rotate] * ROTATORS)
        assert answer.status == 200
        assert not deployment.accepts(key["key"])
        assert {rotation.status for rotation in rotations} <= {201, 409}
        handed_out = {rotation.body["id"] for rotation in rotations if rotation.status == 201}
        assert len(handed_out) <= 1
        rotated += len(handed_out)
        page = deployment.call("ListApiKeys", token, path={"id": key["applicationId"]}).body["items"]
        assert {one["id"] for one in page if one["status"] == "active"} == handed_out
    report(
        capsys,
        f"{ROUNDS} revokes against {ROTATORS} rotates each: slowest {max(against) * 1000:.0f} ms (alone "
        f"{max(alone) * 1000:.0f} ms); a rotate came first in {rotated}; no other new key was left good",
    )


def test_dynamodb_refuses_none_of_them_for_a_moment(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee: nothing that a revoke asks is answered "in a moment", so that it has nothing to wait for."""
    waited = list[float]()
    monkeypatch.setattr("apikeys.dynamodb._pause", waited.append)
    token = deployment.token()
    for _ in range(50):
        key = deployment.issue()
        path = {"id": key["applicationId"], "keyId": key["id"]}
        rotate = partial(deployment.call, "RotateApiKey", token, path=path)
        answer, *_ = at_once(partial(revoke, deployment, key, token), *[rotate] * ROTATORS)
        assert answer.status == 200
    assert waited == []
