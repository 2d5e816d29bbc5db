"""How long a revoked key is accepted, measured the same way for all: many checks in flight while it is revoked."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import boto3

from benchmarks import rounds
from benchmarks.others import others
from benchmarks.stage import Stage
from local.template import ROOT


@dataclass(frozen=True, slots=True)
class Access:
    """What was seen of one of them.

    Args:
        name: whose.
        last: seconds from the revoke's success to the end of the last check that accepted, the longest of all.
        late: checks that accepted, and had begun after the success.
        checks: how many there were.
        revokes: how many there were.
    """

    name: str
    last: float
    late: int
    checks: int
    revokes: int


def lose_access(stage: Stage) -> list[Access]:
    """Measure all of them."""
    boto3.client("dynamodb", endpoint_url=stage.dynamodb).create_table(
        TableName="UsualKeys",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    found = [_of("API Keys", rounds.python("ours", stage.revoked_while_checked(), "access"))]
    found += [_of(other.name, [*other.command, "access"]) for other in others(stage, real=True)]
    return found


def _of(name: str, command: Sequence[str]) -> Access:
    run = subprocess.run(  # noqa: S603 -- our own words
        command,
        cwd=ROOT,
        env=rounds.environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=2 * rounds.PATIENCE,
    )
    runs = json.loads(run.stdout.splitlines()[-1])
    last = max(seen["last"] for seen in runs)
    late, checks = sum(seen["late"] for seen in runs), sum(seen["checks"] for seen in runs)
    return Access(name, last, late, checks, len(runs))
