"""An AWS on this machine: MiniStack, in a process and an environment of its own, on a free port of 127.0.0.1."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from local.ports import is_listening
from local.template import ROOT

MINISTACK = ROOT / ".venv-cloud" / "bin" / "ministack"
REGION = "eu-central-1"
PATIENCE = 60  # seconds for its start on a busy machine


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator, and an account in it.

    Args:
        url: of all its services.
    """

    url: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What leads SAM CLI, or any SDK, to it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        """Return a client of one of its services."""
        session: Any = boto3.Session("local", "local", region_name=REGION)
        return session.client(service, endpoint_url=self.url)


@contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    """Run one, empty, from when it answers until the block ends.

    Args:
        folder: for its log and its functions' code.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    log_file = folder / "ministack.log"
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "TMPDIR": str(folder),
        "STATE_DIR": str(folder),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",  # which would listen as well
        "DOCKER_HOST": "unix:///nowhere",  # the functions run in its own processes, and no container is its business
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    with log_file.open("w") as log:
        process = subprocess.Popen(
            [str(MINISTACK)], cwd=folder, env=variables, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not is_listening(port):
            assert process.poll() is None, log_file.read_text()
            assert time.monotonic() < deadline, log_file.read_text()
            time.sleep(0.05)
        yield Emulator(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
