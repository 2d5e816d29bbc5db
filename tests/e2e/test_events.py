"""`sam local invoke` with every file in events/: the answer is the one the file is named after."""

import re
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from local.template import Template
from tests.contract.test_events import EVENTS, assert_is_named_after
from tests.deployment import EVERYTHING
from tests.e2e import sam
from tests.e2e.containers import Containers

FUNCTIONS = {function.code.name: name for name, function in Template(EVERYTHING).functions().items()}
DURATION = re.compile(r"REPORT .*?\tDuration: ([\d.]+) ms")
COLD, WARM = 5, 20


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_answer_is_the_one_the_file_is_named_after(path: Path, stack: Containers) -> None:
    invocation = sam.invoke(FUNCTIONS[path.parent.name], path, stack.sample_variables)
    assert_is_named_after(path, invocation.result)


def test_cold_and_warm_as_lambda_sees_them(stack: Containers, report: Callable[[str], None]) -> None:
    """By the emulator's REPORT lines; it counts the init phase into a cold container's duration."""
    cold = []
    for _ in range(COLD):
        event = next(path for path in EVENTS if path.match("revoke_api_key/200.json"))
        invocation = sam.invoke("RevokeApiKeyFunction", event, stack.sample_variables)
        [duration] = DURATION.findall(invocation.log)
        cold.append(float(duration))
    key, token, api = stack.put_key(), stack.token(), stack.apis[0]
    for _ in range(1 + WARM):  # the first fetches the issuer's keys
        assert stack.revoke(key.application_id, key.key_id, token).status_code == 200
    api.log_lines(key.application_id, at_least=1 + WARM)
    warm = [float(duration) for duration in DURATION.findall(api.log())[-WARM:]]
    report(
        f"revoke, cold: {statistics.median(cold):.0f} ms, init included (median of {COLD} containers); "
        f"warm: {statistics.median(warm):.1f} ms (median of {WARM} requests)"
    )
