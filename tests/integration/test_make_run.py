"""`make run`, `make tour` and `make token`: what a newcomer sees, and that nothing is left behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.issuer import ADMIN, SCOPES
from local.ports import is_listening
from local.template import ROOT
from tests.contract.test_contract import OPERATIONS
from tests.running import RunningStack, free_ports, running_stack

TIMEOUT = 10
WAIT = 30  # seconds for a program on a busy machine
ROWS, COLUMNS = 24, 80
GIVEN = {"PORT", "DATA", "SUB", "SCOPE"}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStack]:
    with running_stack() as running:
        yield running


@pytest.fixture(scope="module")
def screen(running: RunningStack) -> list[str]:
    """What the stack printed until it waits for requests."""
    assert running.process.stdout
    lines: list[str] = []
    while not lines or not lines[-1].startswith("eyJ"):
        lines.append(running.process.stdout.readline().rstrip("\n"))
    return lines


def program(name: str, *options: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run one of local/, as make does."""
    return subprocess.run(
        [sys.executable, "-m", f"local.{name}", *options],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in GIVEN} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT,
    )


def make(*arguments: str, folder: Path = ROOT, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name not in GIVEN} | variables
    command = ["make", "--silent", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def said(run: "subprocess.CompletedProcess[str]") -> str:
    """Return what a program that failed said, without make's own last line."""
    assert run.returncode != 0
    assert run.stdout == ""
    return "".join(line for line in run.stderr.splitlines(keepends=True) if not line.startswith("make:"))


def end(running: RunningStack, how: signal.Signals) -> str:
    """End a stack, and return what it said after its screen."""
    running.process.send_signal(how)
    rest, _ = running.process.communicate(timeout=WAIT)
    assert running.process.returncode == 0
    return str(rest)


def test_the_screen_fits_24_rows_with_address_and_token_last(
    running: RunningStack, screen: list[str]
) -> None:
    starting, *lines = screen
    assert starting == f"Starting the stack on port {running.port}, which takes some seconds."
    assert sum(max(1, -(-len(line) // COLUMNS)) for line in lines) < ROWS
    address, _, token = lines[-3:]
    assert address.endswith(f" {running.description['base_url']}/")
    assert token == running.description["tokens"]["owner"]
    assert "data is then gone" in lines[1]


def test_the_documented_call_runs_by_copy_and_paste(running: RunningStack, screen: list[str]) -> None:
    commands = screen[screen.index("") :]
    at = next(number for number, line in enumerate(commands) if line.startswith("ALICE="))
    assert commands[at] == f"ALICE=$(make -s token PORT={running.port})"
    token = program("token", "--folder", str(running.folder)).stdout.strip()
    script = "\n".join([f"ALICE={token}", *commands[at + 1 : at + 3]])
    for _ in range(2):
        run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
        assert run.stdout == "{}"


def test_the_tour_tells_the_story_with_each_answer_and_its_status(
    running: RunningStack, screen: list[str]
) -> None:
    run = program("tour", "--folder", str(running.folder), http_proxy="http://127.0.0.1:1")
    assert (run.returncode, run.stderr) == (0, "")
    assert re.findall(r"^(\d{3}) .", run.stdout, re.MULTILINE) == [
        "201",
        "200",
        "200",
        "403",
        "200",
        "200",
        "200",
    ]
    assert run.stdout.count("\n# ") == run.stdout.count("\n$ ") == 8
    assert '"message": "a revoked key was used"' in run.stdout.splitlines()[-1]


def test_a_request_is_a_line_and_a_revoked_key_that_is_used_an_alarm(
    running: RunningStack, screen: list[str]
) -> None:
    requests.get(running.description["base_url"] + "/first-line", timeout=TIMEOUT)
    program("tour", "--folder", str(running.folder))
    assert running.process.stdout
    lines: list[str] = []
    while not lines or "GET /first-line" not in lines[-1]:
        lines.append(running.process.stdout.readline())
    assert "404  GET /first-line" in lines[-1]
    while "ALARM" not in lines[-1]:
        lines.append(running.process.stdout.readline())
    assert re.search(r"ALARM  a revoked key was used: key \S+ of application \S+, from 127.0.0.1$", lines[-1])
    assert not any(token in "".join(lines) for token in running.description["tokens"].values())


def test_a_key_that_was_pasted_into_a_path_is_not_shown(running: RunningStack, screen: list[str]) -> None:
    pasted = running.description["applications"][0]["api_keys"][0]["key"]
    requests.get(f"{running.description['base_url']}/pasted/{pasted}", timeout=TIMEOUT)
    assert running.process.stdout
    line = running.process.stdout.readline()
    while "GET /pasted/" not in line:
        line = running.process.stdout.readline()
    assert "404  GET /pasted/[redacted]" in line


@pytest.mark.parametrize(
    ("scope", "status"), [(None, 200), ("api-keys:read", 200), ("", 403), ("api-keys:revoke", 403)]
)
def test_make_token_mints_another_token(running: RunningStack, scope: str | None, status: int) -> None:
    subject = "zo\u00eb o'\"brien $(exit) `exit`"
    options = ["--sub", subject, "--folder", str(running.folder), "--port", str(running.port)]
    token = program("token", *options, *([] if scope is None else ["--scope", scope])).stdout.strip()
    answer = requests.get(
        f"{running.description['base_url']}/api/v1/applications",
        headers={"Authorization": f"Bearer {token}"},
        timeout=TIMEOUT,
    )
    assert answer.status_code == status


def test_the_scopes_of_make_token_are_those_of_the_contract() -> None:
    documented = {
        scope
        for operation in OPERATIONS.values()
        for requirement in operation["security"]
        for scope in requirement.get("jwt", [])
    }
    assert documented <= {*SCOPES.split(), ADMIN}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "PORT=70000"], "PORT must be a number from 1 to 65533, such as 3000; the next two are used, too."),
        (["run", "PORT=$(shell touch EVALUATED)"], "PORT must be a number from 1 to 65533"),
        (["run", "PORT=3000; touch EVALUATED"], "PORT must be a number from 1 to 65533"),
        (["token", "SUB=", "PORT=1"], "SUB must be 1 to 255 characters, each of which can be seen."),
        (["token", "SCOPE=api-keys:rewoke"], "SCOPE has 'api-keys:rewoke', which is no scope of this API;"),
        (["token", 'SCOPE="; touch EVALUATED; "'], "SCOPE has '\";', which is no scope"),
        (["token", "SCOPE=$(shell touch EVALUATED) `touch EVALUATED`"], "SCOPE has '$(shell', which is no scope"),
        (["token", "SUB='\"; touch EVALUATED; $(touch EVALUATED)", "PORT=1"], "No stack is running on port 1."),
        (["tour", "PORT=1"], "No stack is running on port 1. Start one in another terminal with: make run PORT=1"),
    ],
    ids=str,
)  # fmt: skip
def test_a_mistake_is_said_in_one_sentence_and_nothing_given_is_evaluated(
    arguments: list[str], sentence: str, tmp_path: Path
) -> None:
    """Guarantee: neither make nor a shell runs anything that stands in PORT, DATA, SUB or SCOPE."""
    trap = tmp_path / "evaluated"
    text = said(make(*(argument.replace("EVALUATED", str(trap)) for argument in arguments)))
    assert text.startswith(sentence)
    assert text.count("\n") == 1
    assert not trap.exists()


def test_no_stack_is_said_in_one_sentence(tmp_path: Path, running: RunningStack) -> None:
    for name in ("token", "tour"):
        text = said(program(name, "--folder", str(tmp_path)))
        assert text == "No stack is running. Start one in another terminal with: make run\n"
    # One that was killed could not remove what describes it.
    nobody = f"http://127.0.0.1:{free_ports()}"
    (tmp_path / "stack.json").write_text(f'{{"base_url": "{nobody}", "issuer": "{nobody}"}}')
    text = said(program("token", "--folder", str(tmp_path)))
    assert text == f"The stack at {nobody} has ended. Start one with: make run\n"


def test_a_port_in_use_is_said_with_what_to_do(running: RunningStack) -> None:
    text = said(program("run", "--port", str(running.port)))
    assert re.fullmatch(f"Port {running.port} is in use. Choose others with: make run PORT=\\d+\n", text)


@pytest.mark.parametrize("missing", ["uv", ".venv"])
def test_no_network_is_said_in_one_sentence(tmp_path: Path, missing: str) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    if missing != "uv":
        (tmp_path / ".tools" / "bin").mkdir(parents=True)
        (tmp_path / ".tools" / "bin" / "uv").symlink_to(ROOT / ".tools" / "bin" / "uv")
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    run = make("token", folder=tmp_path, UV_OFFLINE="1", UV_CACHE_DIR=str(tmp_path / "cache"), **nowhere)
    doing, *_ = run.stdout.splitlines()
    assert "(once; " in doing
    run.stdout = ""
    assert said(run) == (
        f"{missing} could not be installed. Is there a network? "
        f"What was said stands in .tools/said-of-{missing}.\n"
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP], ids=lambda how: how.name)
def test_two_stacks_of_one_clone_do_not_disturb_each_other(tmp_path: Path, how: signal.Signals) -> None:
    """Also where the later one is ended, by Ctrl-C or by closing its terminal."""

    def last() -> Any:
        return program("token", "--folder", str(tmp_path)).stdout

    with running_stack(folder=tmp_path) as first, running_stack(folder=tmp_path) as later:
        described = [running.description for running in (first, later)]
        requests.get(described[0]["base_url"] + "/first", timeout=TIMEOUT)
        assert (tmp_path / "stack.json").read_text() == (tmp_path / f"stack-{later.port}.json").read_text()
        rest = end(later, how)
        assert "Traceback" not in rest
        assert rest.endswith("Stopped.\n")
        assert not any(is_listening(port) for port in range(later.port, later.port + 3))
        assert not (tmp_path / f"stack-{later.port}.json").exists()
        assert (tmp_path / "stack.json").read_text() == (tmp_path / f"stack-{first.port}.json").read_text()
        assert requests.get(described[0]["base_url"] + "/", timeout=TIMEOUT).status_code == 200
        assert (tmp_path / f"functions-{first.port}.log").read_text()
        end(first, signal.SIGTERM)
    assert list(tmp_path.glob("*.json")) == []


def test_data_is_kept_from_one_run_to_the_next(tmp_path: Path) -> None:
    """A key that was revoked stays so, one that was issued works: also after the stack was killed."""
    folder = tmp_path / "data"
    with running_stack("--data", str(folder)) as running:
        stack = running.description
        keys = f"{stack['base_url']}/api/v1/applications/{stack['applications'][0]['id']}/api-keys"
        alice = {"Authorization": f"Bearer {stack['tokens']['owner']}"}
        good, bad = (
            requests.post(keys, json={"name": "x"}, headers=alice, timeout=TIMEOUT).json() for _ in "12"
        )
        assert requests.delete(f"{keys}/{bad['id']}", headers=alice, timeout=TIMEOUT).status_code == 200
        port = free_ports()
        other = program("run", "--port", str(port), "--data", str(folder), "--folder", str(tmp_path / "x"))
        assert other.stderr == (
            f"Another stack keeps its data in {folder}. Choose another folder with: make run DATA=…\n"
        )
        running.process.kill()
        running.process.communicate()
    with running_stack("--data", str(folder)) as running:
        again = running.description
        assert again["applications"] == stack["applications"]
        for key, status in ((good, 200), (bad, 403)):
            answer = requests.get(
                f"{again['base_url']}/api/v1/whoami", headers={"X-API-Key": key["key"]}, timeout=TIMEOUT
            )
            assert answer.status_code == status
        assert folder.joinpath("tables.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        ("junk", "was not written by make run"),
        ('{"tables": {"Old": []}, "applications": []}', "is of a version with other tables"),
    ],
)
def test_data_that_cannot_be_read_is_left_alone_and_said(tmp_path: Path, kept: str, sentence: str) -> None:
    (tmp_path / "tables.json").write_text(kept)
    run = program(
        "run", "--port", str(free_ports()), "--data", str(tmp_path), "--folder", str(tmp_path / "x")
    )
    assert run.stderr.startswith(f"{tmp_path}/tables.json {sentence}")
    assert run.stderr.count("\n") == 1
    assert (tmp_path / "tables.json").read_text() == kept
