"""`make run`, for tests that speak HTTP to it."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from local.template import ROOT

ATTEMPTS = 5  # at finding ports that nobody else takes meanwhile


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A stack that a test started.

    Attributes:
        process: that is it.
        folder: of its description and its log.
        port: of its API.
    """

    process: "subprocess.Popen[str]"
    folder: Path
    port: int

    @property
    def description(self) -> Any:
        """What the file says."""
        return json.loads((self.folder / f"stack-{self.port}.json").read_text())


@contextmanager
def running_stack(*options: str, folder: Path | None = None) -> Iterator[RunningStack]:
    """Run a stack in a process of its own, from when it answers until the block ends.

    Args:
        options: of local.run besides.
        folder: for its description and its log; None for one that no other stack has.
    """
    with TemporaryDirectory() as own:
        stack = _started(folder or Path(own), options)
        try:
            yield stack
        finally:
            if stack.process.poll() is None:
                stack.process.terminate()
                stack.process.communicate(timeout=10)


def _started(folder: Path, options: tuple[str, ...]) -> RunningStack:
    said = ""
    for _ in range(ATTEMPTS):
        port = free_ports()
        command = [sys.executable, "-m", "local.run", "--port", str(port), "--folder", str(folder), *options]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        while process.poll() is None:
            if (folder / f"stack-{port}.json").exists():
                return RunningStack(process, folder, port)
            time.sleep(0.05)
        said, _ = process.communicate()
    pytest.fail(f"the stack does not start: {said}")


def free_ports() -> int:
    """Return a port that is free together with the next two."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                with (
                    socket.create_server(("127.0.0.1", port + 1)),
                    socket.create_server(("127.0.0.1", port + 2)),
                ):
                    return port
            except (OSError, OverflowError):
                continue
