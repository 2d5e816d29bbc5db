"""In SAM's containers: cold and warm, from REPORT lines, beside a function that only makes the bare call."""

import json
import platform
import re
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config

from apikeys.records import strings
from benchmarks.work import JSON, deployment, record, specification
from local.ports import is_listening
from local.template import ROOT
from tests.e2e import docker, sam
from tools.dynamodb_local import dynamodb_local

BUILD = ROOT / ".aws-sam" / "build"
COLD, WARM = 3, 30
DURATION = re.compile(r"REPORT .*?\tDuration: ([\d.]+) ms")
BARE = "BareCallFunction"
PROCESSOR = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


@dataclass(frozen=True, slots=True)
class Reported:
    """What REPORT lines say, in milliseconds: the middle one of each.

    Args:
        cold: of containers that were started for it, init included.
        warm: of one container, request after request.
        image: whose base image it was.
    """

    cold: float
    warm: float
    image: str


@dataclass(frozen=True, slots=True)
class Payloads:
    """What a function is invoked with, one time after the other.

    Args:
        function: logical id.
        events: as many as are asked for.
    """

    function: str
    events: Iterator[JSON]


def template() -> str:
    """Return the template as built, with the bare function beside the others."""
    built: JSON = yaml.safe_load((BUILD / "template.yaml").read_text())
    function = {"CodeUri": str(ROOT / "benchmarks" / "bare")}
    built["Globals"]["Function"]["Timeout"] = sam.PATIENCE  # for a cold start on a busy machine
    resources: dict[str, Any] = built["Resources"]
    resources[BARE] = {"Type": "AWS::Serverless::Function", "Properties": function}
    for name in ("CoreLayer", "BodiesLayer"):
        resources[name]["Properties"]["ContentUri"] = str(BUILD / name)
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Serverless::Function" and name != BARE:
            resource["Properties"]["CodeUri"] = str(BUILD / name)
    return json.dumps(built)


@contextmanager
def lambda_service(path: Path, variables: Path, said: Path) -> Iterator[Any]:
    """Run SAM's Lambda, and yield a client of it.

    Args:
        path: of the template.
        variables: file of the functions' environment.
        said: file for what it says.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    command = [sam.SAM, "local", "start-lambda", "--template", str(path), "--port", str(port)]
    command += ["--env-vars", str(variables), "--skip-pull-image", "--warm-containers", "LAZY"]
    command += [
        "--parameter-overrides",
        f"Architecture={PROCESSOR}",
        "--region",
        "eu-central-1",
        "--add-host",
        f"{docker.HOST}:host-gateway",
    ]
    with said.open("w") as log:
        process = subprocess.Popen(  # noqa: S603 -- our own words
            command,
            cwd=ROOT,
            env=sam.ENVIRONMENT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + sam.PATIENCE
        while not is_listening(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(said.read_text())
            time.sleep(0.1)
        config = Config(read_timeout=sam.PATIENCE, retries={"max_attempts": 0})
        yield boto3.client(
            "lambda",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="eu-central-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 -- nobody's
            config=config,
        )
    finally:
        process.terminate()
        process.wait(timeout=60)


def durations(said: Path) -> list[float]:
    """Return all that was reported, in order."""
    return [float(found) for found in DURATION.findall(said.read_text())]


def in_containers() -> dict[str, Reported]:
    """Return what is reported of check, revoke and the bare calls of each."""
    docker.require_docker()
    image, origin = docker.lambda_image()
    sam.build()
    host = docker.host_address(image)
    with tempfile.TemporaryDirectory() as temporary, dynamodb_local(host) as url, deployment(url) as deployed:
        folder, recording = Path(temporary), record(deployed)
        endpoint = f"http://{docker.HOST}:{url.rsplit(':', 1)[1]}"
        work = {name: recording.work[name] for name in ("check", "revoke")}
        known = {name: specification(recording, work[name], endpoint) for name in work}
        # Another active key each time: a second revoke of one is refused to the bare call, and does more in ours.
        keys = [key_id for key_id, _ in recording.keys]
        both: dict[str, tuple[Iterator[JSON], Iterator[JSON]]] = {
            "check": (repeat(work["check"].event), repeat(_bare(known["check"]))),
            "revoke": (
                (_about(key_id, work["revoke"].event) for key_id in keys[::2]),
                (_bare(known["revoke"], Key=strings({"keyId": key_id})) for key_id in keys[1::2]),
            ),
        }
        payloads: dict[str, Payloads] = {}
        for name, (own, bare) in both.items():
            payloads[name] = Payloads(work[name].function, own)
            payloads[f"{name}, bare call"] = Payloads(BARE, bare)
        # Of the deployment's own, so that what the functions do not set is not inherited.
        variables = folder / "variables.json"
        variables.write_text(json.dumps({"Parameters": known["revoke"]["environment"]}))
        path = BUILD / "benchmark.json"
        path.write_text(template())
        taken = _durations(path, variables, folder, payloads)
    return {
        name: Reported(statistics.median(taken[name][0]), statistics.median(taken[name][1]), origin)
        for name in payloads
    }


def _bare(known: JSON, **other: Any) -> JSON:
    [(method, request)] = known["bare_calls"]
    return {"method": method, "request": request | other}


def _about(key_id: str, event: JSON) -> JSON:
    return event | {"pathParameters": event["pathParameters"] | {"keyId": key_id}}


def _durations(
    path: Path, variables: Path, folder: Path, payloads: dict[str, Payloads]
) -> dict[str, tuple[list[float], list[float]]]:
    """Start anew several times, for the cold ones; stay, the last time, for the warm ones."""
    taken: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in payloads}
    # The bare calls share a function, and so a container, which only one of them finds cold.
    for start in range(2 * COLD):
        cold = [name for number, name in enumerate(payloads) if number // 2 == start % 2]
        said = folder / f"{start}.log"
        with lambda_service(path, variables, said) as client:
            order = list(cold)
            for name in order:
                _invoke(client, payloads[name])
            if start >= 2 * COLD - 2:
                order += list(cold) * WARM
                for name in order[len(cold) :]:
                    _invoke(client, payloads[name])
        for number, (name, milliseconds) in enumerate(zip(order, durations(said), strict=True)):
            taken[name][number >= len(cold)].append(milliseconds)
    return taken


def _invoke(client: Any, payloads: Payloads) -> None:
    function, payload = payloads.function, next(payloads.events)
    answer = client.invoke(FunctionName=function, Payload=json.dumps(payload))
    said = json.loads(answer["Payload"].read())
    if said.get("isAuthorized") is not True and said.get("statusCode") != 200:  # noqa: PLR2004 -- OK
        raise RuntimeError(f"{function} answers {said}")
