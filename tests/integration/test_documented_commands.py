"""Every command of README.md, docs/ and examples/ is run, as it stands there.

Here against `make run`; what deploys, in tests/cloud/test_documented_commands.py.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.ports import is_listening
from local.template import ROOT
from tests.documents import Command, commands
from tests.running import RunningStack, free_ports, running_stack

HERE, FILLED_IN, SERVER, CLOUD = "here", "filled in", "server", "cloud"
# By how a command begins, where it is run.
CLASSES = {
    r"make run$": HERE,
    r"make tour$": HERE,
    r"ALICE=\$\(make -s token\)$": HERE,
    r"curl -X DELETE \"http://127\.0\.0\.1:3000": HERE,
    r"CLIENT_ID=forecast .*/uvicorn ": SERVER,
    r"CLIENT_ID=forecast .*/node ": SERVER,
    r"make \.reference/ready": CLOUD,
    r"sam (build --config-env production|deploy|delete)": CLOUD,
    # With an address, a table, a key and a token of the reader's own.
    r"API=https://…": FILLED_IN,
    r"curl https://…/api/v1/api-keys/introspect": FILLED_IN,
    r"make (decode|revoke API=\$API) ": FILLED_IN,
    r"aws dynamodb get-item --table-name … ": FILLED_IN,
    r"curl \"\$API/applications/<application id>": FILLED_IN,
    r"read -rs KEY; ": FILLED_IN,
}
WAIT = 60  # seconds, on a busy machine


def class_of(command: Command) -> str | None:
    """Return where a command is run; None if nobody has said."""
    return next((kind for start, kind in CLASSES.items() if re.match(start, command.text)), None)


def of_class(kind: str) -> list[Command]:
    """Return the commands that are run there."""
    return [command for command in commands() if class_of(command) == kind]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStack]:
    with running_stack() as running:
        yield running


def moved(text: str, running: RunningStack) -> str:
    """Return a command for the ports of this stack instead of the usual ones."""
    return text.replace(":3000", f":{running.port}").replace(":3001", f":{running.port + 1}")


def environment(running: RunningStack) -> dict[str, str]:
    given = {
        name: value for name, value in os.environ.items() if name not in ("PORT", "DATA", "SUB", "SCOPE")
    }
    return given | {"LOCAL_FOLDER": str(running.folder)}


def test_what_the_readme_says_can_be_typed_one_after_the_other(running: RunningStack) -> None:
    """In one shell, in their order; each prints what the README says that it prints."""
    typed = [command for command in of_class(HERE) if command.text != "make run"]
    assert [command.text.split()[0] for command in typed] == ["make", "ALICE=$(make", "curl"]
    script = "\n".join(f"{moved(command.text, running)}\necho; echo ==" for command in typed)
    run = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=environment(running),
        capture_output=True,
        text=True,
        check=True,
        timeout=WAIT,
    )
    for command, printed in zip(typed, run.stdout.split("==\n"), strict=False):
        assert command.is_answered_by(printed), f"{command} does not print what it is said to: {printed}"


@pytest.fixture
def key(running: RunningStack) -> Any:
    """A key of the running stack."""
    stack = running.description
    keys = f"{stack['base_url']}/api/v1/applications/{stack['applications'][0]['id']}/api-keys"
    owner = {"Authorization": f"Bearer {stack['tokens']['owner']}"}
    return requests.post(keys, json={"name": "leaked"}, headers=owner, timeout=WAIT).json()


def filled_in(command: str, running: RunningStack, key: Any) -> str:
    """Return a command with what the reader has to put in."""
    own = {
        "https://…": running.description["base_url"],
        "ak_…": key["key"],
        "--table-name …": "--table-name ApiKeysTable",
        "<key id>": key["id"],
        "<application id>": key["applicationId"],
    }
    for placeholder, value in own.items():
        command = command.replace(placeholder, value)
    assert "…" not in command
    return command


def test_what_a_reader_fills_in_says_what_is_documented(
    running: RunningStack, key: Any, tmp_path: Path
) -> None:
    """Introspection of README.md; then the runbook of docs/leaked-key.md, one command after the other."""
    aws = tmp_path / "aws"
    aws.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.cloud.aws_cli "$@"\n')
    aws.chmod(0o755)
    database = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{running.port + 2}",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    database |= {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    own = {"JWT": running.description["tokens"]["owner"], "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    introspection, address, *others = of_class(FILLED_IN)

    def printed(command: Command) -> str:
        text = "\n".join([filled_in(one.text, running, key) for one in (address, command)])
        run = subprocess.run(
            ["bash", "-c", text],
            cwd=ROOT,
            env=environment(running) | database | own,
            input=f"{key['key']}\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=WAIT,
        )
        assert run.returncode == 0, f"{command}: {run.stdout}{run.stderr}"
        return run.stdout

    known = json.loads(printed(introspection))
    assert known.keys() - {"scope"} == json.loads(introspection.answer).keys() - {"scope"}
    assert (known["active"], known["jti"]) == (True, key["id"])
    decode, revoke, item, read, revoke_again = map(printed, others)
    assert key["id"] in decode
    assert revoke.startswith("200 {}\n")
    assert json.loads(item)["Item"]["revokedVia"] == {"S": "holder"}
    assert json.loads(read)["status"] == "revoked"
    assert revoke_again == "{} 200\n"


def test_make_run_starts_and_ends(tmp_path: Path) -> None:
    """As it stands in the README, but for the port, which somebody may use."""
    [command] = [command for command in of_class(HERE) if command.text == "make run"]
    port = free_ports()
    process = subprocess.Popen(
        command.text.split(),
        cwd=ROOT,
        env=os.environ | {"LOCAL_FOLDER": str(tmp_path), "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + WAIT
    while not (tmp_path / "stack.json").exists():
        assert time.monotonic() < deadline, "make run does not start"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=WAIT)
    assert "Stopped." in said
    assert "Traceback" not in said
    assert not is_listening(port)


@pytest.mark.parametrize("command", of_class(SERVER), ids=str)
def test_a_service_of_the_examples_starts(running: RunningStack, command: Command) -> None:
    """As it stands in examples/README.md, but for the ports; what it does is held by tests/examples."""
    port = free_ports()
    text = moved(command.text, running) + (f" --port {port}" if "uvicorn" in command.text else "")
    process = subprocess.Popen(
        ["bash", "-c", text],
        cwd=ROOT,
        env=os.environ | {"PORT": str(port)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + WAIT
        while not is_listening(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(WAIT)
