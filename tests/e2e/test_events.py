"""`sam local invoke` with every file in events/: the answer is the one the file is named after."""

import re
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from local.template import Template
from tests.contract.test_events import EVENTS, assert_is_named_after
from tests.e2e import sam
from tests.e2e.stack import Stack

FUNCTIONS = {function.code.name: name for name, function in Template({}).functions().items()}
DURATION = re.compile(r"REPORT .*?\tDuration: ([\d.]+) ms")
cold: list[float] = []


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_answer_is_the_one_the_file_is_named_after(path: Path, stack: Stack) -> None:
    invocation = sam.invoke(FUNCTIONS[path.parent.name], path, stack.sample_variables)
    assert_is_named_after(path, invocation.result)
    [duration] = DURATION.findall(invocation.log)
    if path.parent.name == "revoke_api_key":
        cold.append(float(duration))


def test_cold_and_warm_as_lambda_sees_them(stack: Stack, report: Callable[[str], None]) -> None:
    """By the emulator's REPORT lines; it counts the init phase into a cold container's duration."""
    key, token = stack.put_key(), stack.token()
    before = len(stack.apis[0].log())
    for _ in range(21):
        assert stack.revoke(key.application_id, key.key_id, token).status_code == 200
    warm = [float(duration) for duration in DURATION.findall(stack.apis[0].log()[before:])][1:]
    assert len(warm) == 20
    assert len(cold) >= 5
    report(
        f"revoke, cold: {statistics.median(cold):.0f} ms, init included (median of {len(cold)} containers); "
        f"warm: {statistics.median(warm):.1f} ms (median of {len(warm)} requests)"
    )
