"""`make tour`: the story of a key, told to the running stack by curl. What is shown is what is run."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from local.description import FOLDER, NoStack, describe, log_of
from local.ports import port_of

BEARER = '-H "Authorization: Bearer {}"'
ALICE, KEY, SIBLING = (BEARER.format(name) for name in ("$ALICE", "$KEY", "$SIBLING"))
JSON = '-H "Content-Type: application/json"'


@dataclass(frozen=True, slots=True)
class Step:
    """A request of the story.

    Attributes:
        says: what it is about.
        command: for the shell.
        status: of its answer.
    """

    says: str
    command: str
    status: int


ISSUE = Step(
    "Alice issues a key. Its string is shown this once; of its secret only the hash is stored.",
    f'curl $KEYS {ALICE} {JSON} -d \'{{"name": "tour"}}\'',
    201,
)
STORY = [
    Step("It works.", f"curl $API/whoami {KEY}", 200),
    Step(
        "It has leaked. Alice revokes it.",
        f'curl -X DELETE "$KEYS/$ID?reason=compromised" {ALICE} {JSON}',
        200,
    ),
    Step("From now on it is refused.", f"curl $API/whoami {KEY}", 403),
    Step("Its sibling keeps working.", f"curl $API/whoami {SIBLING}", 200),
    Step("Revoking it again is safe, and changes nothing.", f"curl -X DELETE $KEYS/$ID {ALICE} {JSON}", 200),
    Step("It still tells when, by whom and why it was revoked.", f"curl $KEYS/$ID {ALICE}", 200),
]
TRIPWIRE = "grep RevokedKeyUsed {log} | tail -n 1"
# For curl: quiet, and the status behind the body.
CURLRC = 'silent\nshow-error\nnoproxy = "*"\nmax-time = 30\nwrite-out = "\\n%{http_code}"\n'


def main() -> None:
    """Run the story's requests one after the other, and end where one is not answered as it should be."""
    parser = argparse.ArgumentParser(prog="make tour", description=__doc__)
    parser.add_argument("--port", default=os.environ.get("PORT"), help="of the stack's API (PORT=)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the files that describe stacks")
    args = parser.parse_args()
    try:
        stack = describe(args.folder, port_of(args.port) if args.port else None)
    except NoStack as error:
        sys.exit(str(error))
    application = stack["applications"][0]
    variables = {
        "API": f"{stack['base_url']}/api/v1",
        "KEYS": f"{stack['base_url']}/api/v1/applications/{application['id']}/api-keys",
        "ALICE": stack["tokens"]["owner"],
        "SIBLING": application["api_keys"][2]["key"],
    }
    port = stack["base_url"].rsplit(":", 1)[1]
    print(f"API={variables['API']}\nKEYS=$API/applications/{application['id']}/api-keys")
    print(f"ALICE=$(make -s token{f' PORT={port}' if args.port else ''})\nSIBLING={variables['SIBLING']}")
    with tempfile.TemporaryDirectory() as home:
        Path(home, ".curlrc").write_text(CURLRC)
        variables["CURL_HOME"] = home
        issued = json.loads(_run(ISSUE, variables))
        variables |= {"ID": issued["id"], "KEY": issued["key"]}
        print(f"\nID={issued['id']}\nKEY={issued['key']}")
        for step in STORY:
            _run(step, variables)
    _trip(args.folder, int(port))


def _run(step: Step, variables: dict[str, str]) -> str:
    print(f"\n# {step.says}\n$ {step.command}", flush=True)
    run = _shell(step.command, variables)
    body, _, status = run.stdout.rpartition("\n")
    body = body.strip()
    if run.returncode:
        sys.exit(f"The stack does not answer: {run.stderr.strip()}")
    print(f"{status} {body}", flush=True)
    if status != str(step.status):
        sys.exit(f"This should have been a {step.status}.")
    return body


def _trip(folder: Path, port: int) -> None:
    """Show the alarm that the revoked key's use has set off."""
    command = TRIPWIRE.format(log=os.path.relpath(log_of(folder, port)))
    print(
        "\n# That a revoked key was used did not go unseen: a line of the log, and on AWS a metric to alarm on."
    )
    print(f"$ {command}", flush=True)
    print(_shell(command, {}).stdout, end="")


def _shell(command: str, variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 -- the commands above, and what they need in the environment
        ["bash", "-c", command],  # noqa: S607 -- whichever bash the user has
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    main()
