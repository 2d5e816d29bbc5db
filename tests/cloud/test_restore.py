"""The runbook of a restore, rehearsed: restored tables are adopted by the stack, and no revoked key with them.

MiniStack restores a table to now instead of to a time, has no delay before an archive has an event, and lets everybody
do everything, so that --close closes nothing here (tests/integration/test_adopt.py holds its policy). The table in use
counts as lost: what was revoked is known by the archive alone.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.issuer import LocalIssuer
from tests.cloud.audit_events import inbox
from tests.cloud.deployed import Deployed, reach
from tests.cloud.deployment import Deployment
from tests.cloud.emulator import Emulator
from tests.over_http.application import Application, whoami
from tests.over_http.fixtures import Step
from tools.adopt import IN_TEMPLATE

NAME = "restoring"
RUN = "import sys, tools.{0} as tool; tool.SETTLED = 0; tool.WAIT = 1; tool.main()"


@pytest.fixture
def deployment(account: Emulator, issuer: LocalIssuer, step: Step, tmp_path: Path) -> Iterator[Deployment]:
    """A stack that keeps its data, with an archive, which MiniStack makes only when it is asked by itself."""
    deployment = Deployment(account, NAME, tmp_path)
    with step("sam deploy, of a stack to restore"):
        deployment.deploy(Issuer=issuer.url)
    bridge, bus = account.client("events"), deployment.outputs()["AuditBusName"]
    arn = bridge.describe_event_bus(Name=bus)["Arn"]
    bridge.create_archive(ArchiveName=NAME, EventSourceArn=arn)
    yield deployment
    with step("sam delete"):
        deployment.delete()
    bridge.delete_archive(ArchiveName=NAME)
    dynamodb = account.client("dynamodb")
    for name in dynamodb.list_tables()["TableNames"]:
        if NAME in name:
            dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
            dynamodb.delete_table(TableName=name)


def run(deployment: Deployment, tool: str, *options: str) -> str:
    """Run a tool as the runbook says, without its waiting; return what it prints."""
    run = subprocess.run(
        [sys.executable, "-c", RUN.format(tool), *options],
        env={**os.environ, **deployment.emulator.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def restore_to_now(stack: Deployed) -> list[str]:
    """Restore all three tables; return the options that name them to the tool."""
    options = []
    for kind, (logical_id, parameter) in IN_TEMPLATE.items():
        restored = f"{NAME}-restored-{logical_id}"
        stack.dynamodb.restore_table_to_point_in_time(
            SourceTableName=stack.deployment.outputs()[parameter],
            TargetTableName=restored,
            UseLatestRestorableTime=True,
        )
        # Which on AWS comes along.
        encryption: Any = {"Enabled": True, "SSEType": "KMS"}
        stack.dynamodb.update_table(TableName=restored, SSESpecification=encryption)
        options += [f"--{kind}", restored]
    return options


def test_a_stack_adopts_restored_tables_and_no_revoked_key_comes_back(
    deployment: Deployment, issuer: LocalIssuer, step: Step
) -> None:
    """Guarantee: what was revoked since the point in time is refused; the rest works as before."""
    before = reach(deployment, issuer)
    application = Application.create(before)
    kept, revoked = application.issue(), application.issue()
    options = restore_to_now(before)
    with inbox(deployment) as events:
        application.revoke(revoked["id"], query="?reason=compromised")
        late = application.issue()
        events.wait_for(late["id"], "ApiKeyIssued")  # after the other one
    tombstone = before.stored(revoked["id"])

    file = deployment.folder / "events.jsonl"
    file.write_text(
        run(deployment, "archive", deployment.outputs()["AuditBusName"], "--since", "2020-01-01T00:00:00Z")
    )
    said = run(deployment, "adopt", *options, "--events", str(file), "--close")
    assert f"key {late['id']} of application {application.id}" in said
    assert "1 ended, 0 left" in said
    parameters = dict(word.split("=") for word in shlex.split(said.splitlines()[-1])[3:])
    with step("sam deploy, with the restored tables"):
        deployment.deploy(Issuer=issuer.url, **parameters)
    assert "0 ended, 0 left" in run(deployment, "adopt", *options, "--events", str(file))

    stack = reach(deployment, issuer)
    assert stack.keys_table == parameters["ApiKeysTableName"]
    assert whoami(stack, kept["key"], api=0) is not None
    assert whoami(stack, revoked["key"], api=0) is None
    assert whoami(stack, late["key"], api=0) is None
    assert stack.stored(revoked["id"]) == tombstone
    adopted = Application(stack, application.id, application.token)
    with inbox(deployment) as events:
        adopted.revoke(kept["id"])
        assert whoami(stack, kept["key"], api=0) is None
        events.wait_for(kept["id"], "ApiKeyRevoked")
    kept_tables = before.dynamodb.list_tables()["TableNames"]
    assert before.keys_table in kept_tables, "the table that was replaced outlives its place in the stack"
