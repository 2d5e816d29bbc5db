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
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from apikeys import log
from apikeys.dynamodb import DynamoDb
from local.demo import OTHER, OWNER, seed
from local.description import STACK, log_beside, remove_if_unchanged, write_private
from local.functions import FunctionsServer
from local.issuer import AUDIENCE, LocalIssuer
from local.template import ROOT, Template, environment

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
TOUR = """
The API reference, to read and to try: {base_url}/

API Keys is running at {base_url} (Ctrl-C stops it)
A token for the page: {owner}

Revoke a key: the documented call, with a real token and real ids. It prints {{}}, and so does repeating it.

curl -X DELETE "{base_url}/api/v1/applications/{application}/api-keys/{key}" \\
-H "Content-Type: application/json" \\
-H "Authorization: Bearer {owner}"

The story of a key. Who asks, and where:

ALICE={owner}
API={base_url}/api/v1
KEYS=$API/applications/{application}/api-keys

Issue one (its string is shown this once); take id and string from the answer:

ISSUED=$(curl -s $KEYS -H "Authorization: Bearer $ALICE" \\
-H "Content-Type: application/json" -d '{{"name": "tour"}}')
echo "$ISSUED"
ID=$(echo "$ISSUED" | grep -oE '"id": "[^"]+' | cut -d '"' -f 4)
KEY=$(echo "$ISSUED" | grep -oE '"key": "[^"]+' | cut -d '"' -f 4)

It works; it is revoked; from then on it is refused, while its sibling still works; the list shows its tombstone:

curl -sw "\\n" $API/whoami -H "Authorization: Bearer $KEY"
curl -sw "\\n" -X DELETE "$KEYS/$ID?reason=compromised" -H "Authorization: Bearer $ALICE"
curl -sw "\\n" $API/whoami -H "Authorization: Bearer $KEY"
curl -sw "\\n" $API/whoami -H "Authorization: Bearer {sibling}"
curl -sw "\\n" "$KEYS?status=revoked" -H "Authorization: Bearer $ALICE"

All ids, keys and tokens: {path}    Another token: make token SUB=alice SCOPE="api-keys:revoke"
DynamoDB: {dynamodb}    The functions' own log: {log}

Requests:"""


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=3000, help="of the API; issuer and DynamoDB take the next two"
    )
    parser.add_argument("--dynamodb-host", default="127.0.0.1", help="address that DynamoDB listens on")
    parser.add_argument(
        "--description",
        type=Path,
        default=STACK,
        help="file to describe the stack in; its log goes beside it",
    )
    args = parser.parse_args()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        with stack(args.port, args.dynamodb_host, args.description) as description:
            print_tour(description, f"http://{args.dynamodb_host}:{args.port + 2}", args.description)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        print("\nStopped.")


@contextmanager
def stack(port: int, dynamodb_host: str, path: Path) -> Iterator[dict[str, Any]]:
    """Bring the stack up, and take it down again.

    Args:
        port: of the API; the next two are the issuer's and DynamoDB's.
        dynamodb_host: address that DynamoDB listens on.
        path: of the file that describes the stack.

    Yields:
        What that file says.
    """
    require_free(port, port + 1, port + 2)
    path.parent.mkdir(exist_ok=True)
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
            "CorsOrigins": f"http://127.0.0.1:{port},http://localhost:{port}",
            "ReferenceServers": "http://127.0.0.1:* http://localhost:*",
        }
        template = Template(parameters)
        cleanup.enter_context(environment(AWS_ENVIRONMENT))
        client = boto3.client("dynamodb", endpoint_url=dynamodb)
        template.create_tables(client)
        applications = seed(DynamoDb(dynamodb))
        stream = cleanup.enter_context(log_beside(path).open("w"))
        cleanup.enter_context(log.written_to(stream))
        handlers = {name: function.load() for name, function in template.functions().items()}
        functions = FunctionsServer(handlers, print_request)
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
        text = json.dumps(description, indent=2) + "\n"
        write_private(path, text)
        cleanup.callback(remove_if_unchanged, path, text)
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


def print_tour(description: dict[str, Any], dynamodb: str, path: Path) -> None:
    """Print what a newcomer can copy and paste."""
    application = description["applications"][0]
    print(
        TOUR.format(
            **description,
            **description["tokens"],
            dynamodb=dynamodb,
            path=os.path.relpath(path),
            log=os.path.relpath(log_beside(path)),
            application=application["id"],
            key=application["api_keys"][0]["id"],
            sibling=application["api_keys"][1]["key"],
        ),
        flush=True,
    )


def print_request(event: dict[str, Any], result: dict[str, Any], milliseconds: float) -> None:
    """Print one line for a request; the authorizer's verdict has its own."""
    http = event["requestContext"]["http"]
    status = result.get("statusCode", FAULT)
    if "isAuthorized" in result:
        status = "key " + ("accepted" if result["isAuthorized"] else "refused")
    hint = "  see functions.log" if status == FAULT else ""
    clock = time.strftime("%H:%M:%S")
    print(f"{clock}  {status}  {http['method']} {http['path']}  {milliseconds:.0f} ms{hint}", flush=True)


if __name__ == "__main__":
    main()
