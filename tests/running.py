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
        path: of the file that describes it, which no other stack has.
    """

    process: "subprocess.Popen[str]"
    path: Path

    @property
    def description(self) -> Any:
        """What the file says."""
        return json.loads(self.path.read_text())


@contextmanager
def running_stack() -> Iterator[RunningStack]:
    """Run a stack in a process of its own, from when it answers until the block ends."""
    with TemporaryDirectory() as folder:
        stack = _started(Path(folder) / "stack.json")
        yield stack
        if stack.process.poll() is None:
            stack.process.terminate()
            stack.process.communicate(timeout=10)


def _started(path: Path) -> RunningStack:
    for _ in range(ATTEMPTS):
        options = ["--port", str(free_ports()), "--description", str(path)]
        command = [sys.executable, "-m", "local.run", *options]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        while process.poll() is None:
            if path.exists():
                return RunningStack(process, path)
            time.sleep(0.05)
    pytest.fail("the stack does not start; see above")


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
