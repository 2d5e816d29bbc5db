"""Who else checks and revokes API keys, how each is started, and what is to be said for it."""

import hashlib
import json
import subprocess
from dataclasses import dataclass

from benchmarks import rounds
from benchmarks.stage import Stage
from benchmarks.work import Answers
from local.template import ROOT

PYTHON = str(ROOT / ".venv-bench" / "bin" / "python")
NODE = str(ROOT / ".venv" / "bin" / "node")
PEERS = ROOT / "benchmarks" / "peers"


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else's way.

    Args:
        name: for people.
        package: whose version is told.
        command: that it is, without what to do.
        differs: what it does differently, in fairness.
    """

    name: str
    package: str
    command: list[str]
    differs: str

    @property
    def version(self) -> str:
        """Of its package, as installed."""
        if self.command[0] == NODE:
            installed = PEERS / "node_modules" / self.package / "package.json"
            return f"{self.package} {json.loads(installed.read_text())['version']}"
        code = f"from importlib.metadata import version; print(version({self.package!r}))"
        run = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 -- ours
        return f"{self.package} {run.stdout.strip()}"


USUAL = ("9d7f3c1e-5b0a-4a53-8a54-0c9d5e0b7f11", "3f1d4d0e-6f0b-4f0e-9d43-2d7a6a3c8e55", "s" * 43)
# What DynamoDB has of that key, and what it says to a write.
USUAL_ITEM = {
    "id": {"S": USUAL[0]},
    "applicationId": {"S": USUAL[1]},
    "hash": {"S": hashlib.sha256(USUAL[2].encode()).hexdigest()},
    "status": {"S": "active"},
}
USUAL_ANSWERS: Answers = {
    "GetItem UsualKeys": [({}, json.dumps({"Item": USUAL_ITEM}, separators=(",", ":")))],
    "UpdateItem UsualKeys": [({}, "{}")],
}


def others(stage: Stage, *, real: bool = False) -> list[Other]:
    """Return all of them.

    Args:
        stage: that those which use DynamoDB use.
        real: whether to use its DynamoDB Local and not the responder.
    """
    usual = stage.folder / f"usual-{real}.json"
    known = json.loads(open(stage.specification("check")).read())  # noqa: PTH123, SIM115 -- a path as text
    endpoint = stage.dynamodb if real else stage.urls["usual"][0]
    environment = known["environment"] | {
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    usual.write_text(
        json.dumps({"environment": environment, "event": known["event"], "usual": None if real else USUAL})
    )

    def python(module: str, *arguments: str) -> list[str]:
        return rounds.python(f"peers.{module}", *arguments, interpreter=PYTHON)

    return [
        Other(
            "djangorestframework-api-key",
            "djangorestframework-api-key",
            python("rest_framework"),
            "SQLite in the same process instead of a database across a network; SHA-512; the permission alone, "
            "without Django's handling of a request; nobody is asked who may revoke",
        ),
        Other(
            "keyshield",
            "keyshield",
            python("keyshield_quick_start"),
            "a dictionary instead of a database; hashes with Argon2, which is meant for passwords and is slow on "
            "purpose, and waits 0.1 to 0.3 s besides, which is not counted here; it has a cache, off in its quick start, "
            "whose hits are cheaper and keep a revoked key's access; nobody is asked who may revoke",
        ),
        Other(
            "better-auth",
            "@better-auth/api-key",
            [NODE, str(PEERS / "better_auth.mjs")],
            "JavaScript; a store in memory instead of a database; a check also counts and limits the key's use, "
            "which is a write; nobody is asked who may revoke",
        ),
        Other(
            "the usual Lambda",
            "aws-lambda-powertools",
            python("usual", str(usual)),
            "Powertools' resolver with validation and boto3's resource; written by us; reads eventually consistently, "
            "which costs half a unit; a revoke reads, then writes without a condition, and leaves the caller's token to "
            "API Gateway",
        ),
    ]
