"""Lock the requirements from pyproject.toml: with hashes, without addresses, for every platform."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

UV = Path(".tools/bin/uv")
# Which part of pyproject.toml each file locks. The tests run on exactly what the layer carries.
FILES = {
    Path("layers/core/requirements.txt"): ["pyproject.toml"],
    Path("layers/bodies/requirements.txt"): ["--group", "bodies", "-c", "layers/core/requirements.txt"],
    Path("requirements/dev.txt"): [
        *("pyproject.toml", "--group", "dev", "--group", "bodies"),
        *("-c", "layers/core/requirements.txt", "-c", "layers/bodies/requirements.txt"),
    ],
    Path("requirements/bench.txt"): ["--group", "bench", "-c", "requirements/dev.txt"],
    Path("requirements/cloud.txt"): ["--group", "cloud"],
    Path("requirements/hostile.txt"): ["--group", "hostile"],
    Path("requirements/lambda-image.txt"): ["--group", "lambda-image", "-c", "requirements/dev.txt"],
    Path("requirements/lint.txt"): ["--group", "lint"],
    Path("requirements/sam.txt"): ["--group", "sam"],
    Path("requirements/uv.txt"): ["--group", "uv"],
}


def compile_file(source: list[str], target: Path, *, upgrade: bool) -> None:
    """Resolve one file; pins that it holds already are kept unless they are to be upgraded."""
    words = f"--output-file {target} --python-version 3.13 --universal --generate-hashes --no-emit-index-url"
    command = [str(UV), "pip", "compile", *source, *words.split(), "--no-annotate", "--quiet"]
    command += ["--custom-compile-command", "make lock"]
    subprocess.run([*command, *(["--upgrade"] if upgrade else [])], check=True)  # noqa: S603 -- our own words


def drifted(target: Path, source: list[str]) -> bool:
    """Tell whether locking again would change the file."""
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / target.name
        shutil.copy(target, again)
        compile_file(source, again, upgrade=False)
        return again.read_text() != target.read_text()


def main() -> None:
    """Lock, or with --check only tell what has drifted."""
    parser = argparse.ArgumentParser(prog="make lock", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a file does not match")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions allowed")
    args = parser.parse_args()
    if not args.check:
        for target, source in FILES.items():
            print(f"Locking {target}")
            compile_file(source, target, upgrade=args.upgrade)
        return
    stale = [str(target) for target, source in FILES.items() if drifted(target, source)]
    if stale:
        sys.exit(f"Not what pyproject.toml asks for: {', '.join(stale)}. Run: make lock")
    print("Success: requirements match pyproject.toml")


if __name__ == "__main__":
    main()
