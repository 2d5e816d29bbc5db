"""What the tests need of Docker."""

import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.run import SAM_PYTHON
from local.template import ROOT

HOST = "host.docker.internal"


def docker(*arguments: str) -> str:
    """Run Docker's command line and return what it prints."""
    run = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def require_docker() -> str:
    """Return the engine's version, or end the run with what to install."""
    running = shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False)
    if not running or running.returncode != 0:
        pytest.exit(
            "make e2e needs Docker: install and start it (on Debian and Ubuntu: apt install docker.io).", 1
        )
    return docker("version", "--format", "{{.Server.Version}}")


def lambda_image() -> tuple[str, str]:
    """See to it that the Lambda base image is there; return its name, and whose it is."""
    script = [ROOT / "tests" / "e2e" / "lambda-image.sh", SAM_PYTHON, ROOT / ".tools" / "bin" / "uv"]
    run = subprocess.run(script, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    name, origin = run.stdout.strip().split(": ", 1)
    return name, origin


def host_address(image: str) -> str:
    """Return the address of this machine that containers reach as host.docker.internal.

    On Linux it is the gateway of Docker's bridge. Where Docker runs in a virtual machine it is no address of
    ours, and leads to our loopback.

    Args:
        image: that has `cat`.
    """
    added = ["--add-host", f"{HOST}:host-gateway", "--entrypoint", "cat"]
    hosts = docker("run", "--rm", *added, image, "/etc/hosts")
    [address] = [line.split()[0] for line in hosts.splitlines() if line.endswith(HOST)]
    try:
        socket.create_server((address, 0)).close()
    except OSError:
        return "127.0.0.1"
    return address


@contextmanager
def network() -> Iterator[str]:
    """Make a network of our own, and remove it afterwards with whatever container is left on it."""
    name = f"api-keys-e2e-{uuid.uuid4().hex[:8]}"
    docker("network", "create", name)
    try:
        yield name
    finally:
        left = docker("ps", "--all", "--quiet", "--filter", f"network={name}").split()
        if left:
            docker("rm", "--force", *left)
        docker("network", "rm", name)
