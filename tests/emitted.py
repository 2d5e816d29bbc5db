"""Which metrics there are: those that the functions' code emits, and those that AWS documents."""

import io
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import time_machine

from apikeys import log as logging
from apikeys.errors import ServiceUnavailable
from apikeys.github import GithubKeys
from apikeys.issuer import IssuerKeys
from local.template import Template
from tests.cached_authorizers import look_for_caches, of_rest
from tests.canary import Canary
from tests.deployment import Deployment, RecordedDynamoDb
from tests.embedded import read
from tests.faulty_issuer import FaultyIssuer
from tests.infrastructure.test_permissions import ALLOWED

if TYPE_CHECKING:
    from collections.abc import Callable

    from apikeys.published_keys import PublishedKeys

LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"
HTTP_API = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html"
DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html"
SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html"
LOGS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html"

# By namespace and name: the dimensions with which AWS emits it, and where it says so. Some it emits with others too.
DOCUMENTED: dict[tuple[str, str], tuple[set[str], str]] = {
    ("AWS/Lambda", "Invocations"): ({"FunctionName"}, LAMBDA),
    ("AWS/Lambda", "Errors"): ({"FunctionName"}, LAMBDA),
    ("AWS/Lambda", "Throttles"): ({"FunctionName"}, LAMBDA),
    ("AWS/Lambda", "Duration"): ({"FunctionName"}, LAMBDA),
    ("AWS/Lambda", "IteratorAge"): ({"FunctionName"}, LAMBDA),  # of functions that read a stream
    ("AWS/ApiGateway", "Count"): ({"ApiId", "Stage"}, HTTP_API),
    ("AWS/ApiGateway", "4xx"): ({"ApiId", "Stage"}, HTTP_API),
    ("AWS/ApiGateway", "5xx"): ({"ApiId", "Stage"}, HTTP_API),
    ("AWS/ApiGateway", "Latency"): ({"ApiId", "Stage"}, HTTP_API),
    ("AWS/DynamoDB", "ReadThrottleEvents"): ({"TableName"}, DYNAMODB),
    ("AWS/DynamoDB", "WriteThrottleEvents"): ({"TableName"}, DYNAMODB),
    ("AWS/DynamoDB", "ConsumedReadCapacityUnits"): ({"TableName"}, DYNAMODB),
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"): ({"TableName"}, DYNAMODB),
    ("AWS/DynamoDB", "SystemErrors"): ({"TableName", "Operation"}, DYNAMODB),
    ("AWS/DynamoDB", "SuccessfulRequestLatency"): ({"TableName", "Operation"}, DYNAMODB),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): ({"QueueName"}, SQS),
    ("AWS/Logs", "IncomingBytes"): ({"LogGroupName"}, LOGS),
}
STAGE = "$default"  # as SAM names it; a test of the transformed template holds it
# What is asked of each table, by the roles.
ASKED = {
    (resource, action.removeprefix("dynamodb:"))
    for role in ALLOWED.values()
    for action, resource in role
    if resource.endswith("Table")
}

type Dimensions = dict[str, str]


def dimensions_of(alarm: dict[str, Any]) -> Dimensions:
    """Return the dimensions of the metric that an alarm watches."""
    return {one["Name"]: one["Value"] for one in alarm["Dimensions"]}


def is_documented(template: Template, namespace: str, name: str, dimensions: Dimensions) -> bool:
    """Tell whether AWS emits a metric with these dimensions, of what the stack has."""
    names, _ = DOCUMENTED.get((namespace, name), (None, ""))
    of: dict[str, Callable[[str], bool]] = {
        "FunctionName": lambda value: value in template.resources("AWS::Serverless::Function"),
        "ApiId": lambda value: value in template.resources("AWS::Serverless::HttpApi"),
        "Stage": lambda value: value == STAGE,
        "TableName": lambda value: value in template.resources("AWS::DynamoDB::Table"),
        "Operation": lambda value: (dimensions["TableName"], value) in ASKED,
        "QueueName": lambda value: value in template.resources("AWS::SQS::Queue"),
        "LogGroupName": lambda value: value in template.resources("AWS::Logs::LogGroup"),
    }
    return dimensions.keys() == names and all(of[name](value) for name, value in dimensions.items())


def lines(deployment: Deployment, clock: time_machine.Traveller) -> list[dict[str, Any]]:
    """Let the code do what is logged and counted, each thing once, and return the lines of its log."""
    stream = io.StringIO()
    with logging.written_to(stream):
        issued = deployment.issue()
        path = {"id": issued["applicationId"], "keyId": issued["id"]}
        deployment.accepts(issued["key"])
        deployment.revoke(issued["applicationId"], issued["id"], deployment.token())
        deployment.accepts(issued["key"])
        deployment.call("ReadApiKey", path=path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(RecordedDynamoDb, "call", _broken)
            deployment.call("ReadApiKey", deployment.token(), path=path)
        with pytest.MonkeyPatch.context() as patch:
            Canary(deployment, patch).run()
        look_for_caches(rest=[of_rest()])
        _without_keys(clock)
    logging.begin()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def emitted(deployment: Deployment, clock: time_machine.Traveller) -> list[tuple[str, Dimensions]]:
    """Return the metrics that are in the log then, with their dimensions."""
    logged = lines(deployment, clock)
    return [(name, dimensions) for line in logged for name, (dimensions, _) in read(line).items()]


def _broken(*_: object) -> None:
    raise RuntimeError("a fault of ours")


def _without_keys(clock: time_machine.Traveller) -> None:
    """Let the issuer and GitHub give their keys once, and then no more."""
    publisher = FaultyIssuer()
    publisher.start()
    published: list[PublishedKeys[Any]] = [
        IssuerKeys(publisher.url, publisher.jwks_url),
        GithubKeys(publisher.github_keys_url),
    ]
    logging.begin("local")
    for keys in published:
        keys.keys_that(lambda _: False)
    publisher.down = True
    clock.shift(IssuerKeys.FRESH_FOR)
    for keys in published:
        with suppress(ServiceUnavailable):
            keys.keys_that(lambda _: False)
    publisher.stop()
