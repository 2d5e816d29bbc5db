"""What the functions log, where CloudWatch keeps it, after everything that the other tests made them do."""

import json

from local.template import Template
from tests.cloud.deployed import Deployed
from tests.deployment import EVERYTHING

TEMPLATE = Template(EVERYTHING)
REVOKE = "DELETE /api/v1/applications/{id}/api-keys/{keyId}"


def messages(stack: Deployed, resource: str) -> list[str]:
    """Return what is in a log group, by its logical id."""
    logs, name = stack.deployment.emulator.client("logs"), stack.deployment.resources()[resource]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
    return [event["message"] for page in pages for event in page["events"]]


def test_logs_are_kept_for_the_time_asked_for(stack: Deployed) -> None:
    names, logs = stack.deployment.resources(), stack.deployment.emulator.client("logs")
    groups = {group["logGroupName"]: group for group in logs.describe_log_groups()["logGroups"]}
    for name in TEMPLATE.resources("AWS::Logs::LogGroup"):
        assert groups[names[name]]["retentionInDays"] == 90


def test_each_function_logs_into_its_own_group_and_no_secret_gets_there(stack: Deployed) -> None:
    """Guarantee: of all tokens and keys of this run, no part that is secret was logged."""
    key, token = stack.put_key(), stack.token("carol", "api-keys:admin")
    assert stack.revoke(key.application_id, key.key_id, token).status_code == 200
    said = [json.loads(one) for one in messages(stack, "RevokeApiKeyLogs") if one.startswith("{")]
    line = [one for one in said if one.get("subject") == "carol"][-1]
    assert (line["route"], line["status"]) == (REVOKE, 200)
    everything = "".join("".join(messages(stack, name)) for name in TEMPLATE.resources("AWS::Logs::LogGroup"))
    assert everything.count('"route"') > 20
    for secret in stack.secrets:
        # Of a token the signature, of a key all that follows its public beginning.
        assert (secret.split(".")[-1] if "." in secret else secret[10:]) not in everything
