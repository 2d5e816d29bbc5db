"""SAM CLI as a user runs it: with what samconfig.toml says, and no flag but what keeps test runs apart."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.ports import is_listening
from local.run import SAM_PYTHON
from local.template import ROOT
from tests.over_http import stack as over_http

SAM = str(SAM_PYTHON.parent / "sam")
# Which environment of samconfig.toml is for this machine's processor; `make e2e` says.
CONFIG = ["--config-env", os.environ.get("SAM_ENVIRONMENT", "default")]
# No credentials of the user's: with any, SAM CLI asks AWS who they belong to before each invocation.
ENVIRONMENT = {
    "PATH": f"{SAM_PYTHON.parent}:{os.environ['PATH']}",
    "HOME": os.environ["HOME"],
    "SAM_CLI_TELEMETRY": "0",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
# What its gateway says where an authorizer refuses.
REFUSAL = {"message": "User is not authorized to access this resource"}
PATIENCE = 120  # seconds for all containers to start on a busy machine


def build() -> None:
    """Build what will run in the containers."""
    command = [SAM, "build", *CONFIG]
    run = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a function returned, and what it said meanwhile."""

    result: dict[str, Any]
    log: str


def invoke(function: str, event: Path, variables: Path) -> Invocation:
    """Invoke a function in a container of its own.

    Args:
        function: its logical id.
        event: file of the event.
        variables: file of environment variables.
    """
    options = ["--event", str(event), "--env-vars", str(variables), "--skip-pull-image"]
    command = [SAM, "local", "invoke", function, *CONFIG, *options]
    run = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return Invocation(json.loads(run.stdout), run.stderr)


@dataclass(frozen=True, kw_only=True)
class Api(over_http.Api):
    """One `sam local start-api`.

    Args:
        log_file: where it and its functions write.
    """

    log_file: Path

    def log(self) -> str:
        """Return everything said so far."""
        return self.log_file.read_text()

    def log_lines(self, about: str = "", *, at_least: int = 0) -> list[dict[str, Any]]:
        """Return the functions' own log lines that hold a text; they may come a little later than the response.

        Args:
            about: the text.
            at_least: how many to wait for.
        """
        deadline = time.monotonic() + 10
        while True:
            whole = self.log().splitlines(keepends=True)
            lines = [line for line in whole if line.startswith("{") and line.endswith("\n") and about in line]
            if len(lines) >= at_least or time.monotonic() > deadline:
                return [json.loads(line) for line in lines]
            time.sleep(0.05)


@contextmanager
def start_api(log_file: Path, variables: Path, network: str) -> Iterator[Api]:
    """Run SAM's API Gateway, with a warm container for each function, from when it answers on.

    Args:
        log_file: where it and its functions write.
        variables: file of the functions' environment variables.
        network: Docker network that the containers join.
    """
    options = ["--docker-network", network, "--warm-containers", "EAGER"]
    with _started("start-api", log_file, variables, *options) as url:
        yield Api(url, log_file=log_file)


@contextmanager
def start_lambda(log_file: Path, variables: Path) -> Iterator[str]:
    """Run SAM's Lambda, whose containers start when first used and stay, and return its URL.

    Args:
        log_file: where it and its functions write.
        variables: file of the functions' environment variables.
    """
    with _started("start-lambda", log_file, variables) as url:
        yield url


@contextmanager
def _started(service: str, log_file: Path, variables: Path, *options: str) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    given = ["--port", str(port), "--env-vars", str(variables), "--skip-pull-image", *options]
    with log_file.open("w") as log:
        process = subprocess.Popen(
            [SAM, "local", service, *CONFIG, *given],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not is_listening(port):
            assert process.poll() is None, log_file.read_text()
            assert time.monotonic() < deadline, log_file.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()  # on which it removes its containers
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
