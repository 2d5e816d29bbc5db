"""The alarms of template.yaml watch what is really emitted, and on-call finds what to do."""

import re

import pytest
import time_machine

from local.template import ROOT, Template
from tests.deployment import EVERYTHING, Deployment
from tests.emitted import ASKED, DOCUMENTED, dimensions_of, emitted, is_documented

TEMPLATE = Template(EVERYTHING)
ALARMS = TEMPLATE.resources("AWS::CloudWatch::Alarm")
OPERATION = (ROOT / "docs" / "operation.md").read_text()
TOPIC = "arn:aws:sns:eu-central-1:123456789012:on-call"


def test_every_alarm_watches_a_metric_that_is_emitted_with_these_very_dimensions(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    """Guarantee: no alarm is silent because of a name that nobody emits. Ours are read from the real code's log."""
    ours = emitted(deployment, clock)
    for name, alarm in ALARMS.items():
        namespace, metric, dimensions = alarm["Namespace"], alarm["MetricName"], dimensions_of(alarm)
        if namespace == "ApiKeys":
            assert (metric, dimensions) in ours, name
        else:
            assert is_documented(TEMPLATE, namespace, metric, dimensions), name


def test_what_aws_emits_is_as_aws_says() -> None:
    assert all(
        source.startswith("https://docs.aws.amazon.com/") and names for names, source in DOCUMENTED.values()
    )


def test_every_table_is_watched_for_throttles_and_all_that_is_asked_of_it_for_errors() -> None:
    watched = [(alarm["MetricName"], dimensions_of(alarm)) for alarm in ALARMS.values()]
    for table in TEMPLATE.resources("AWS::DynamoDB::Table"):
        for metric in ("ReadThrottleEvents", "WriteThrottleEvents"):
            assert (metric, {"TableName": table}) in watched
    for table, operation in ASKED:
        assert ("SystemErrors", {"TableName": table, "Operation": operation}) in watched


@pytest.mark.parametrize("name", ALARMS)
def test_no_data_is_no_alarm(name: str) -> None:
    """Guarantee: each counts what goes wrong, and an hour in which nothing does has no data.

    Only of the canary no news is bad news: what it does not measure nobody knows.
    """
    assert ALARMS[name]["TreatMissingData"] == ("breaching" if name == "CanaryFails" else "notBreaching")


@pytest.mark.parametrize("name", ["TimeToLoseAccess", "TimeToLoseAccessAtBorder"])
def test_the_promise_has_no_margin(name: str) -> None:
    """Guarantee: a single measurement of a single millisecond is an alarm."""
    alarm = ALARMS[name]
    assert (alarm["Statistic"], alarm["DatapointsToAlarm"]) == ("Maximum", 1)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


def test_the_canarys_alarms_expect_a_measurement_as_often_as_it_makes_one() -> None:
    seconds = TEMPLATE.document["Mappings"]["Canary"]
    allowed = TEMPLATE.document["Parameters"]["CanaryMinutes"]["AllowedValues"]
    assert {name: one["Seconds"] / 60 for name, one in seconds.items() if name != "0"} == {
        name: int(name) for name in allowed if name != "0"
    }
    for name in ("TimeToLoseAccess", "TimeToLoseAccessAtBorder", "CanaryFails"):
        assert ALARMS[name]["Period"] == {"Fn::FindInMap": ["Canary", "5", "Seconds"]}


def test_every_alarm_has_its_runbook_and_every_runbook_its_alarm() -> None:
    [section] = re.findall(r"^## Alarms$(.*?)^## ", OPERATION, re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^### (.*)$", section, re.MULTILINE)
    named = [name for heading in headings for name in re.findall(r"`(\w+)`", heading)]
    assert sorted(named) == sorted(ALARMS)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({}, None),
        ({"AlarmTopicArn": TOPIC}, [TOPIC]),
        ({"AlarmEmail": "on-call@example.com"}, ["AlarmTopic"]),
    ],
)
def test_who_is_told_is_a_choice(parameters: dict[str, str], told: list[str] | None) -> None:
    template = Template(EVERYTHING | parameters)
    for alarm in template.resources("AWS::CloudWatch::Alarm").values():
        assert (alarm.get("AlarmActions"), alarm.get("OKActions")) == (told, told)
    ours = template.resources("AWS::SNS::Topic") | template.resources("AWS::SNS::TopicPolicy")
    assert bool(ours) is ("AlarmEmail" in parameters)


def test_a_topic_of_the_stacks_own_takes_alarms_of_this_account_and_nothing_else() -> None:
    """Guarantee: nobody else's CloudWatch can page on-call."""
    template = Template({"AlarmEmail": "on-call@example.com"})
    [topic] = template.resources("AWS::SNS::Topic").values()
    assert topic["Subscription"] == [{"Protocol": "email", "Endpoint": "on-call@example.com"}]
    [policy] = template.resources("AWS::SNS::TopicPolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert (statement["Action"], statement["Resource"]) == ("sns:Publish", "AlarmTopic")
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "AWS::AccountId"}


@pytest.mark.parametrize("wrong", ["on-call", "a b@c", "@", "arn:aws:sqs:eu-central-1:123456789012:queue"])
def test_what_is_no_topic_and_no_address_is_refused_before_anything_is_deployed(wrong: str) -> None:
    for name in ("AlarmTopicArn", "AlarmEmail"):
        assert not re.search(TEMPLATE.document["Parameters"][name]["AllowedPattern"], wrong)
