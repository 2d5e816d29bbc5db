"""`make run`: SAM CLI's gateway on template.yaml, the functions in this process, moto, an issuer."""

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import boto3
from moto.server import ThreadedMotoServer

from apikeys import log
from apikeys.dynamodb import DynamoDb
from local import ports
from local.data import DataFolder, may_write
from local.demo import OTHER, OWNER, seed
from local.description import FOLDER, announce, log_of, withdraw
from local.functions import FunctionsServer
from local.issuer import AUDIENCE, LocalIssuer
from local.template import ROOT, Template, environment
from local.tripwire import FunctionsLog

SAM_PYTHON = ROOT / ".venv-sam" / "bin" / "python"
FAULT = 500
NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})

# moto accepts any credentials. AWS_CONFIG_FILE: no profile of the user's has a say here.
AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
# One screen of 24 rows, 80 columns.
SCREEN = """
API Keys is running. Ctrl-C stops it{kept}.

In another terminal, here: `make tour{port}` tells the story of a key, or
ALICE=$(make -s token{port})
curl -X DELETE "{base_url}/api/v1/applications/{application}/api-keys/{key}" \\
-H "Content-Type: application/json" -H "Authorization: Bearer $ALICE"
revokes one; it prints {{}}, and so does repeating it.

All ids, keys and tokens: {description}
The functions' log: {log}
DynamoDB: {dynamodb}    Issuer: {issuer}

The API reference, to read and to try: {base_url}/
A token for it:
{owner}
"""


def main() -> None:
    """Serve until Ctrl-C, SIGTERM, or the terminal is closed."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    # Make hands these on by the environment, so that no shell reads them.
    parser.add_argument(
        "--port",
        default=os.environ.get("PORT") or str(ports.DEFAULT),
        help="of the API (PORT=); issuer and DynamoDB take the next two",
    )
    parser.add_argument(
        "--data", default=os.environ.get("DATA", ""), help="folder that keeps the data between runs (DATA=)"
    )
    parser.add_argument(
        "--dynamodb-host",
        default=os.environ.get("DYNAMODB_HOST") or "127.0.0.1",
        help="address that DynamoDB listens on (DYNAMODB_HOST=)",
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the description and the log")
    args = parser.parse_args()
    port, data = ports.port_of(args.port), Path(args.data) if args.data else None
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(ending, end)
    try:
        with stack(port, args.dynamodb_host, args.folder, data) as description:
            show(description, f"http://{args.dynamodb_host}:{port + 2}", args.folder, port, data)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        with suppress(OSError):  # the terminal may be closed
            print("\nStopped.", flush=True)


def end(*_: object) -> NoReturn:
    """Let the stack be taken down, once, without being disturbed."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def stack(port: int, dynamodb_host: str, folder: Path, data: Path | None = None) -> Iterator[dict[str, Any]]:
    """Bring the stack up, and take it down again.

    Args:
        port: of the API; the next two are the issuer's and DynamoDB's.
        dynamodb_host: address that DynamoDB listens on.
        folder: of the files that describe stacks, and of their logs.
        data: folder that keeps the data; None for none, so that it ends with the stack.

    Yields:
        What its description says.
    """
    ports.require_free(port)
    print(f"Starting the stack on port {port}, which takes some seconds.", flush=True)
    folder.mkdir(exist_ok=True)
    with ExitStack() as cleanup:
        issuer = LocalIssuer(port + 1)
        issuer.start()
        cleanup.callback(issuer.stop)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        moto = ThreadedMotoServer(dynamodb_host, port + 2, verbose=False)
        moto.start()
        cleanup.callback(moto.stop)
        dynamodb = f"http://{dynamodb_host}:{port + 2}"
        parameters = {
            "Issuer": issuer.url,
            "Audience": AUDIENCE,
            "DynamoDbEndpoint": dynamodb,
            "GithubAlerts": "true",
            "GithubKeysUrl": issuer.github_keys_url,
            "CorsOrigins": f"http://127.0.0.1:{port},http://localhost:{port}",
            "ReferenceServers": "http://127.0.0.1:* http://localhost:*",
        }
        template = Template(parameters)
        cleanup.enter_context(environment(AWS_ENVIRONMENT))
        template.create_tables(boto3.client("dynamodb", endpoint_url=dynamodb))
        client = DynamoDb(dynamodb)
        kept = DataFolder(data, list(template.resources("AWS::DynamoDB::Table"))) if data else None
        if kept:
            cleanup.callback(kept.close)
        applications = (kept and kept.restore(client)) or seed(client)
        observe = print_request
        if kept:
            kept.keep(client, applications)
            cleanup.callback(kept.save, client)
            observe = partial(print_and_keep, kept, client)
        stream = cleanup.enter_context(FunctionsLog(log_of(folder, port).open("wb"), encoding="utf-8"))
        cleanup.enter_context(log.written_to(stream))
        handlers = {name: function.load() for name, function in template.answering().items()}
        functions = FunctionsServer(handlers, observe)
        functions.start()
        cleanup.callback(functions.stop)
        cleanup.enter_context(gateway(port, functions.url, parameters=parameters))
        description = {
            "base_url": f"http://127.0.0.1:{port}",
            "issuer": issuer.url,
            "audience": AUDIENCE,
            "jwks_url": issuer.jwks_url,
            "applications": applications,
            "tokens": {
                "owner": issuer.token(OWNER),
                "other": issuer.token(OTHER),
                "admin": issuer.token("admin", "api-keys:admin"),
                "no_scope": issuer.token(OWNER, None),
                "expired": issuer.token(OWNER, changes={"exp": int(time.time()) - 60 * 60}),
            },
        }
        announce(folder, port, description)
        cleanup.callback(withdraw, folder, port)
        yield description


@contextmanager
def gateway(
    port: int,
    functions_url: str,
    template: Path = ROOT / "template.yaml",
    parameters: Mapping[str, str] = NO_PARAMETERS,
) -> Iterator[None]:
    """Run SAM CLI's gateway in a process of its own, from when it answers until the block ends."""
    options = ["--template", str(template), "--port", str(port), "--functions", functions_url]
    for name, value in parameters.items():
        options += ["--parameter", f"{name}={value}"]
    command = [str(SAM_PYTHON), "-m", "local.gateway", *options]
    # A session of its own, so that a Ctrl-C in the terminal is ours to handle.
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603
    try:
        while not ports.is_listening(port):
            if process.poll() is not None:
                sys.exit("SAM CLI's gateway did not start; see above.")
            time.sleep(0.02)
        yield
    finally:
        process.communicate()  # it ends when its standard input does


def show(description: dict[str, Any], dynamodb: str, folder: Path, port: int, data: Path | None) -> None:
    """Print what a newcomer can do next: on one screen of 24 rows, address and token last."""
    application = description["applications"][0]
    print(
        SCREEN.format(
            base_url=description["base_url"],
            issuer=description["issuer"],
            owner=description["tokens"]["owner"],
            application=application["id"],
            key=application["api_keys"][0]["id"],
            port="" if port == ports.DEFAULT else f" PORT={port}",
            kept=f"; the data is kept in {data}"
            if data
            else "; the data is then gone (DATA=folder keeps it)",
            dynamodb=dynamodb,
            description=os.path.relpath(folder / "stack.json"),
            log=os.path.relpath(log_of(folder, port)),
        ),
        flush=True,
    )


def print_and_keep(
    kept: DataFolder, client: DynamoDb, event: dict[str, Any], result: dict[str, Any], milliseconds: float
) -> None:
    """Keep what a request may have changed before it is answered, and print its line."""
    if may_write(event):
        kept.save(client)
    print_request(event, result, milliseconds)


def print_request(event: dict[str, Any], result: dict[str, Any], milliseconds: float) -> None:
    """Print one line for a request; the authorizer's verdict has its own."""
    http = event["requestContext"]["http"]
    status = result.get("statusCode", FAULT)
    if "isAuthorized" in result:
        status = "key " + ("accepted" if result["isAuthorized"] else "refused")
    hint = "  see the functions' log" if status == FAULT else ""
    clock = time.strftime("%H:%M:%S")
    path = log.redacted(http["path"])  # into which people paste keys
    print(f"{clock}  {status}  {http['method']} {path}  {milliseconds:.0f} ms{hint}", flush=True)


if __name__ == "__main__":
    main()
