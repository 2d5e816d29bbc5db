"""What a function on a schedule counts, where an alarm sees it: this emulator makes no metrics of log lines."""

import json
from typing import Any

from tests.cloud.deployment import Deployment
from tests.embedded import read


def measure(deployment: Deployment, name: str) -> dict[str, Any]:
    """Invoke a function as its schedule does, put the metrics of its lines, and return its answer.

    Args:
        deployment: whose it is.
        name: its logical id, without `Function`.
    """
    client, names = deployment.emulator.client, deployment.resources()
    before = len(lines(deployment, name))
    answer = client("lambda").invoke(FunctionName=names[f"{name}Function"], Payload="{}")
    said = json.load(answer["Payload"])
    assert "FunctionError" not in answer, said
    for line in lines(deployment, name)[before:]:
        for metric, (dimensions, value) in read(line).items():
            of = [{"Name": key, "Value": text} for key, text in dimensions.items()]
            datum = {"MetricName": metric, "Dimensions": of, "Value": value}
            client("cloudwatch").put_metric_data(Namespace="ApiKeys", MetricData=[datum])
    assert isinstance(said, dict)
    return said


def lines(deployment: Deployment, name: str) -> list[dict[str, Any]]:
    """Return all that a function has logged."""
    logs, group = deployment.emulator.client("logs"), deployment.resources()[f"{name}Logs"]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    said = [event["message"] for page in pages for event in page["events"]]
    return [json.loads(message) for message in said if message.startswith("{")]


def begin_well(deployment: Deployment, *alarms: str) -> None:
    """Set alarms to OK: this emulator adds up a metric of all stacks, and other tests drive the same one."""
    cloudwatch, names = deployment.emulator.client("cloudwatch"), deployment.resources()
    for alarm in alarms:
        cloudwatch.set_alarm_state(AlarmName=names[alarm], StateValue="OK", StateReason="to begin with")


def is_in_alarm(deployment: Deployment, alarm: str) -> bool:
    """Tell whether an alarm is on."""
    cloudwatch, name = deployment.emulator.client("cloudwatch"), deployment.resources()[alarm]
    [found] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return bool(found["StateValue"] == "ALARM")
