"""Each alarm fires when its metric says so, and tells the topic; the dashboard shows what was deployed.

What this proves: CloudFormation takes each alarm; its metric, statistic, threshold and direction are such that what
goes wrong drives it into ALARM; its action reaches the topic. What it does not: this emulator adds up a metric of all
dimensions, over all periods at once, and makes no metrics of log lines. That dimensions and names are right is held
by tests/integration/test_alarms.py, against what the code emits and AWS documents.
"""

import json

from local.template import Template
from tests.cloud.deployed import Deployed
from tests.cloud.measured import begin_well
from tests.cloud.queues import Queue
from tests.cloud.test_fault import authorizer_without_its_table
from tests.deployment import EVERYTHING, sample_event
from tests.over_http.application import Application

ALARMS = Template(EVERYTHING).resources("AWS::CloudWatch::Alarm")

BY_A_REAL_FAULT = "AuthorizerErrors"


def states(stack: Deployed, names: dict[str, str]) -> dict[str, str]:
    """Return the state of each alarm by its logical id, after all were evaluated."""
    cloudwatch = stack.deployment.emulator.client("cloudwatch")
    # The emulator evaluates when a metric is put.
    cloudwatch.put_metric_data(Namespace="Tests", MetricData=[{"MetricName": "Any", "Value": 1}])
    described = cloudwatch.describe_alarms(AlarmNames=[names[name] for name in ALARMS])["MetricAlarms"]
    by_name = {alarm["AlarmName"]: alarm["StateValue"] for alarm in described}
    return {name: by_name[names[name]] for name in ALARMS}


def told(queue: Queue) -> set[tuple[str, str]]:
    """Return what the topic has said, until it says no more: of each alarm its name and state."""
    found = set()
    while notices := queue.take():
        for said in (json.loads(notice["Message"]) for notice in notices):
            found.add((said["AlarmName"], said["NewStateValue"]))
    return found


def on_call(stack: Deployed, topic: str) -> Queue:
    """Return a queue that is told what the topic is told."""
    queue = Queue.create(stack.deployment.emulator, "on-call")
    sns = stack.deployment.emulator.client("sns")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    return queue


def test_what_goes_wrong_drives_each_alarm_and_on_call_is_told(stack: Deployed) -> None:
    names, cloudwatch = stack.deployment.resources(), stack.deployment.emulator.client("cloudwatch")
    begin_well(stack.deployment, *ALARMS)
    queue = on_call(stack, names["AlarmTopic"])
    driven = ALARMS.keys() - {BY_A_REAL_FAULT}
    for name in driven:
        alarm = ALARMS[name]
        # So often that a percentile is this, whatever else the emulator has counted.
        breach = {"Values": [float(alarm["Threshold"]) + 1], "Counts": [100_000.0]}
        dimensions = [one | {"Value": names.get(one["Value"], one["Value"])} for one in alarm["Dimensions"]]
        datum = {"MetricName": alarm["MetricName"], "Dimensions": dimensions, **breach}
        cloudwatch.put_metric_data(Namespace=alarm["Namespace"], MetricData=[datum])
    found = states(stack, names)
    assert {name for name in driven if found[name] != "ALARM"} == set()
    assert {(names[name], "ALARM") for name in driven} <= told(queue)


def test_a_real_fault_of_the_authorizer_drives_its_alarm(stack: Deployed, application: Application) -> None:
    """As AWS counts it; this emulator counts invocations of its Invoke API only, and none that its gateway makes."""
    names, event = stack.deployment.resources(), sample_event("authorize_request/refused")
    event["headers"] = {"x-api-key": application.issue()["key"]}
    invocation = {
        "FunctionName": names["AuthorizeRequestFunction"],
        "Payload": json.dumps(event).encode(),
    }
    function = stack.deployment.emulator.client("lambda")
    assert "FunctionError" not in function.invoke(**invocation)
    begin_well(stack.deployment, *ALARMS)
    with authorizer_without_its_table(stack):
        assert "FunctionError" in function.invoke(**invocation)
    assert states(stack, names)[BY_A_REAL_FAULT] == "ALARM"


def test_the_dashboard_is_of_what_was_deployed(stack: Deployed) -> None:
    cloudwatch, names = stack.deployment.emulator.client("cloudwatch"), stack.deployment.resources()
    body = cloudwatch.get_dashboard(DashboardName=names["Dashboard"])["DashboardBody"]
    shown = json.dumps(json.loads(body)["widgets"])
    assert "${" not in shown
    for part in ("HttpApi", "AuthorizeRequestFunction", "ApiKeysTable", "AccessLogs"):
        assert f'"{names[part]}"' in shown
    assert names["Dashboard"] in stack.deployment.outputs()["DashboardUrl"]
