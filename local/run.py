"""`make run`: SAM CLI's gateway on template.yaml, the functions in this process, moto, an issuer."""

import argparse
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from apikeys.log import logger
from local.demo import OTHER, OWNER, seed
from local.functions import FunctionsServer
from local.issuer import AUDIENCE, LocalIssuer
from local.template import ROOT, Template, environment

STACK = ROOT / ".local" / "stack.json"
LOG = ROOT / ".local" / "functions.log"
SAM_PYTHON = ROOT / ".venv-sam" / "bin" / "python"
FAULT = 500

# moto accepts any credentials. AWS_CONFIG_FILE: no profile of the user's has a say here.
AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
TOUR = """
API Keys is running at {base_url} (Ctrl-C stops it)

Revoke a key: the documented call, with a real token and real ids.

curl -X DELETE "{base_url}/api/v1/applications/{application}/api-keys/{key}" \\
-H "Content-Type: application/json" \\
-H "Authorization: Bearer {owner}"

It prints {{}}, and so does repeating it. What else can be answered; first, who asks and for what:

ALICE={owner}
BOB={other}
KEYS={base_url}/api/v1/applications/{application}/api-keys

curl -iw "\\n" -X DELETE $KEYS/{key}                                       # 401: no token
curl -iw "\\n" -X DELETE $KEYS/42 -H "Authorization: Bearer $ALICE"        # 400: not a UUID
curl -iw "\\n" -X DELETE $KEYS/{key} -H "Authorization: Bearer $BOB"       # 403: somebody else's application
curl -iw "\\n" -X DELETE $KEYS/{absent} -H "Authorization: Bearer $ALICE"  # 404: no such key

All ids, keys and tokens: .local/stack.json    Another token: make token SUB=alice SCOPE="api-keys:revoke"
DynamoDB: {dynamodb}    The functions' own log: .local/functions.log

Requests:"""


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=3000, help="of the API; issuer and DynamoDB take the next two"
    )
    parser.add_argument("--dynamodb-host", default="127.0.0.1", help="address that DynamoDB listens on")
    args = parser.parse_args()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        with stack(args.port, args.dynamodb_host) as description:
            print_tour(description, f"http://{args.dynamodb_host}:{args.port + 2}")
            while True:
                signal.pause()
    except KeyboardInterrupt:
        print("\nStopped.")


@contextmanager
def stack(port: int, dynamodb_host: str = "127.0.0.1") -> Iterator[dict[str, Any]]:
    """Bring the stack up, and take it down again.

    Args:
        port: of the API; the next two are the issuer's and DynamoDB's.
        dynamodb_host: address that DynamoDB listens on.

    Yields:
        What `.local/stack.json` says.
    """
    require_free(port, port + 1, port + 2)
    STACK.parent.mkdir(exist_ok=True)
    with ExitStack() as cleanup:
        issuer = LocalIssuer(port + 1)
        issuer.start()
        cleanup.callback(issuer.stop)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        moto = ThreadedMotoServer(dynamodb_host, port + 2, verbose=False)
        moto.start()
        cleanup.callback(moto.stop)
        dynamodb = f"http://{dynamodb_host}:{port + 2}"
        template = Template({"Issuer": issuer.url, "Audience": AUDIENCE, "DynamoDbEndpoint": dynamodb})
        cleanup.enter_context(environment(AWS_ENVIRONMENT))
        client = boto3.client("dynamodb", endpoint_url=dynamodb)
        template.create_tables(client)
        applications = seed(client)
        logger.registered_handler.setStream(cleanup.enter_context(LOG.open("w", buffering=1)))  # type: ignore[attr-defined]
        handlers = {name: function.load() for name, function in template.functions().items()}
        functions = FunctionsServer(handlers, print_request)
        functions.start()
        cleanup.callback(functions.stop)
        cleanup.enter_context(gateway(port, functions.url))
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
        write_private(STACK, json.dumps(description, indent=2))
        cleanup.callback(STACK.unlink, missing_ok=True)
        yield description


@contextmanager
def gateway(port: int, functions_url: str, template: Path = ROOT / "template.yaml") -> Iterator[None]:
    """Run SAM CLI's gateway in a process of its own, from when it answers until the block ends."""
    options = ["--template", str(template), "--port", str(port), "--functions", functions_url]
    command = [str(SAM_PYTHON), "-m", "local.gateway", *options]
    # A session of its own, so that a Ctrl-C in the terminal is ours to handle.
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603
    try:
        while not is_listening(port):
            if process.poll() is not None:
                sys.exit("SAM CLI's gateway did not start; see above.")
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.communicate()


def require_free(*ports: int) -> None:
    """End with advice if one of these ports is taken."""
    taken = [port for port in ports if is_listening(port)]
    if taken:
        sys.exit(f"Port {taken[0]} is in use. Choose others with: make run PORT={ports[0] + 1000}")


def is_listening(port: int) -> bool:
    """Tell whether anything accepts connections to this port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def write_private(path: Path, text: str) -> None:
    """Write a file that holds secrets: readable by its owner only, and never seen half written."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text + "\n")
    draft.replace(path)


def print_tour(description: dict[str, Any], dynamodb: str) -> None:
    """Print what a newcomer can copy and paste."""
    application = description["applications"][0]
    print(
        TOUR.format(
            **description,
            **description["tokens"],
            dynamodb=dynamodb,
            application=application["id"],
            key=application["api_keys"][0]["id"],
            absent="00000000-0000-4000-8000-000000000000",
        ),
        flush=True,
    )


def print_request(event: dict[str, Any], result: dict[str, Any], milliseconds: float) -> None:
    """Print one line for a request."""
    http = event["requestContext"]["http"]
    status = result.get("statusCode", FAULT)
    hint = "  see .local/functions.log" if status == FAULT else ""
    clock = time.strftime("%H:%M:%S")
    print(f"{clock}  {status}  {http['method']} {http['path']}  {milliseconds:.0f} ms{hint}", flush=True)


if __name__ == "__main__":
    main()
