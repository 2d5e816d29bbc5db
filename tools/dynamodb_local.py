"""AWS's own DynamoDB Local, for every claim about concurrency: moto's writes are not atomic."""

import argparse
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.template import ROOT
from tools.npm import npm_package

# An npm package that carries DynamoDB Local 1.25.1, so that no container registry is needed.
PACKAGE = "amplify-dynamodb-simulator@2.9.30"
SHA512 = "xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ=="
FOLDER = ROOT / ".dynamodb"
READY = FOLDER / "ready"
JAR = FOLDER / "DynamoDBLocal.jar"
LAUNCHER = ROOT / "tools" / "DynamoDbLocal.java"
PATIENCE = 90  # seconds for a Java start on a busy machine


@contextmanager
def dynamodb_local(host: str = "127.0.0.1", port: int = 0, folder: Path | None = None) -> Iterator[str]:
    """Run a DynamoDB, from when it answers until the block ends; in memory and empty, unless a folder is given.

    Args:
        host: address to listen on; containers reach the one of Docker's bridge.
        port: to listen on; 0 for any free one.
        folder: for its tables, as a SQLite file; None for memory.

    Yields:
        The URL of its endpoint.
    """
    if not READY.exists():
        sys.exit("DynamoDB Local is not there. Fetch it with: make .dynamodb/ready")
    port = port or _free_port(host)
    library = FOLDER / "DynamoDBLocal_lib"
    # Its second compiler would take as much of the processor again, for a server that lives for minutes.
    options = [
        "-Xmx256m",
        "-XX:TieredStopAtLevel=1",
        f"-Djava.library.path={library}",
        "-cp",
        f"{FOLDER}:{JAR}",
    ]
    command = [_find_java(), *options, LAUNCHER.stem, host, str(port)]
    command += [str(folder)] if folder else []
    with tempfile.TemporaryFile("w+") as said:
        # A session of its own, so that a Ctrl-C in the terminal is ours to handle.
        process = subprocess.Popen(  # noqa: S603 -- our own words
            command,
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_it_answers(process, host, port)
            yield f"http://{host}:{port}"
        except TimeoutError:
            said.seek(0)
            sys.exit(f"DynamoDB Local did not start:\n{said.read()}")
        finally:
            process.kill()  # there is nothing to save
            process.communicate()


def fetch() -> None:
    """Fetch DynamoDB Local into its folder, and compile its launcher there."""
    print(f"Fetching DynamoDB Local ({PACKAGE}, 54 MiB) into {FOLDER.name} (once)")
    with npm_package(PACKAGE, SHA512) as package:
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.move(package / "emulator", FOLDER)
    # By module, because what Debian calls a JRE has the compiler, though not under the name of javac.
    compiler = ["-m", "jdk.compiler/com.sun.tools.javac.Main"]
    _java(*compiler, "-cp", f"{JAR}:{FOLDER}/DynamoDBLocal_lib/*", "-d", str(FOLDER), str(LAUNCHER))
    READY.touch()


def _java(*arguments: str) -> None:
    command = [_find_java(), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 -- our own words


def _find_java() -> str:
    found = shutil.which("java")
    if not found:
        sys.exit("java is needed; on Debian and Ubuntu: apt install default-jre-headless")
    return found


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", host: str, port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def main() -> None:
    """With --fetch, fetch it; otherwise run it until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fetch", action="store_true", help="only fetch it")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000)
    args = parser.parse_args()
    if args.fetch:
        fetch()
        return
    try:
        with dynamodb_local(args.host, args.port) as url:
            print(f"DynamoDB Local is at {url} (Ctrl-C stops it)", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("\nStopped.")


if __name__ == "__main__":
    main()
