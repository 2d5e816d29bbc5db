"""The commands that deploy, as they stand in README.md, docs/ and examples/; typed by somebody with an AWS account.

The account is in an emulator of its own, since the stack of the README has the name that the other tests' stack has.
"""

import os
import subprocess
from collections.abc import Iterator

import pytest

from local.template import ROOT
from tests.cloud.emulator import Emulator, emulator
from tests.e2e import sam
from tests.integration.test_documented_commands import CLOUD, of_class
from tests.over_http.fixtures import Step

ARN = "arn:aws:lambda:eu-central-1:000000000000:function:authorizer"


@pytest.fixture(scope="module")
def empty_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("documented")) as account:
        yield account


def test_what_is_documented_deploys_and_removes(empty_account: Emulator, step: Step) -> None:
    """One after the other; where SAM CLI asks whether to go on, the answer is yes."""
    # Removal comes last, wherever it stands.
    typed = sorted(of_class(CLOUD), key=lambda command: command.text.startswith("sam delete"))
    assert len(typed) >= 5
    variables = {**os.environ, **sam.ENVIRONMENT, **empty_account.environment, "AWS_REGION": "eu-central-1"}
    seen: set[str] = set()
    for command in typed:
        if command.text in seen:
            continue
        seen.add(command.text)
        text = command.text.replace("arn:aws:lambda:…", ARN)
        if text.startswith("sam delete"):
            text += " --region eu-central-1"
        elif text.startswith("sam deploy") and "--template-file" not in text:
            # The emulator knows no archive of events.
            text = text.replace("--parameter-overrides", "--parameter-overrides AuditArchiveDays=0")
        with step(text.split(" --parameter")[0]):
            run = subprocess.run(
                ["bash", "-c", text],
                cwd=ROOT,
                env=variables,
                input="y\n",
                capture_output=True,
                text=True,
                check=False,
            )
        assert run.returncode == 0, f"{command}: {run.stdout[-2000:]}{run.stderr[-2000:]}"
    stacks = empty_account.client("cloudformation").list_stacks()["StackSummaries"]
    states = {
        one["StackName"]: one["StackStatus"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"
    }
    assert states.get("forecast") == "CREATE_COMPLETE"
    assert "api-keys" not in states
