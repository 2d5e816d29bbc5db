"""Every file in events/, in SAM's containers: the answer is the one the file is named after."""

import json
import re
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from local.template import Template
from tests.contract.test_events import EVENTS, assert_is_named_after
from tests.deployment import EVERYTHING
from tests.e2e import sam
from tests.e2e.containers import Containers

FUNCTIONS = {function.code.name: name for name, function in Template(EVERYTHING).functions().items()}
DURATION = re.compile(r"REPORT .*?\tDuration: ([\d.]+) ms")
COLD, WARM = 5, 20


@pytest.fixture(scope="module")
def functions(stack: Containers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """`sam local start-lambda`: what `sam local invoke` does, without starting anew for every event."""
    log = tmp_path_factory.mktemp("lambda") / "lambda.log"
    with sam.start_lambda(log, stack.sample_variables) as url:
        unsigned = Config(signature_version=UNSIGNED, retries={"max_attempts": 0}, read_timeout=60)
        yield boto3.client("lambda", endpoint_url=url, region_name="eu-central-1", config=unsigned)


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_answer_is_the_one_the_file_is_named_after(path: Path, functions: Any) -> None:
    answer = functions.invoke(FunctionName=FUNCTIONS[path.parent.name], Payload=path.read_bytes())
    assert "FunctionError" not in answer
    assert_is_named_after(path, json.loads(answer["Payload"].read()))


def test_cold_and_warm_as_lambda_sees_them(stack: Containers, report: Callable[[str], None]) -> None:
    """By the emulator's REPORT lines; it counts the init phase into a cold container's duration."""
    cold = []
    for _ in range(COLD):
        event = next(path for path in EVENTS if path.match("revoke_api_key/200.json"))
        invocation = sam.invoke("RevokeApiKeyFunction", event, stack.sample_variables)
        assert_is_named_after(event, invocation.result)
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
