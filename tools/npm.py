"""Packages of the npm registry: fetched by the ordinary client, and only as they were when chosen."""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def npm_package(name: str, sha512: str) -> Iterator[Path]:
    """Fetch a package, without what it depends on and without running anything of it.

    Args:
        name: with its version, such as `left-pad@1.3.0`.
        sha512: of its archive, in Base64, as `npm view NAME dist.integrity` and lock files have it.

    Yields:
        A folder with its files, until the block ends.
    """
    # npm stands beside this Python: a dev dependency, so that nobody has to install it.
    npm = shutil.which("npm", path=str(Path(sys.executable).parent))
    if not npm:
        sys.exit("npm is not in this environment. Make it anew with: make .venv/ready")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", "--ignore-scripts", name, "--pack-destination", folder]
        run = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)  # noqa: S603 -- our own words
        if run.returncode:
            sys.exit(f"{name} could not be fetched. Is there a network?")
        [archive] = Path(folder).glob("*.tgz")
        if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != sha512:
            sys.exit(f"{name} is not what it was when this project chose it.")
        with tarfile.open(archive) as package:
            package.extractall(folder, filter="data")
        yield Path(folder) / "package"
