"""An AWS account of moto's, in a process of its own: what is kept in another is not in it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from local.ports import is_listening
from tests.running import free_ports


@contextmanager
def moto_server(**variables: str) -> Iterator[str]:
    """Run it, from when it answers until the block ends.

    Args:
        variables: to have in its environment besides.

    Yields:
        The URL of all its services.
    """
    port = free_ports()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        command, env=os.environ | variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not is_listening(port):
            assert process.poll() is None
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def empty(url: str) -> None:
    """Leave nothing in the account of a moto at this URL."""
    requests.post(f"{url}/moto-api/reset", timeout=10).raise_for_status()
