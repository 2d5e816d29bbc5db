"""`make run`, for tests that speak HTTP to it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.run import STACK
from local.template import ROOT


@contextmanager
def running_stack() -> Iterator["subprocess.Popen[str]"]:
    """Run the stack in a process of its own, from when it answers until the block ends."""
    if STACK.exists():
        pytest.fail("`make run` is running in this checkout; stop it first: both write .local/stack.json")
    command = [sys.executable, "-m", "local.run", "--port", str(free_ports())]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    while not STACK.exists():
        assert process.poll() is None
        time.sleep(0.05)
    yield process
    if process.poll() is None:
        process.terminate()
        process.communicate(timeout=10)


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
