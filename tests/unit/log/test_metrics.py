"""A metric is a line in CloudWatch's embedded metric format."""

import io
import time

from jsonschema import Draft202012Validator

from apikeys import log as logging
from tests.unit.log.lines import lines

# What AWS publishes, the parts that concern us:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
NAME = {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^[\\x00-\\x7f]+$"}


METRIC = {
    "type": "object",
    "required": ["Name"],
    "additionalProperties": False,
    "properties": {
        "Name": NAME,
        "Unit": {"enum": ["Count", "Count/Second", "Milliseconds", "Seconds", "Bytes", "Percent", "None"]},
        "StorageResolution": {"enum": [1, 60]},
    },
}


DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "additionalProperties": False,
    "properties": {
        "Namespace": NAME,
        "Dimensions": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "array", "maxItems": 30, "items": NAME | {"maxLength": 250}},
        },
        "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": METRIC},
    },
}


EMBEDDED_METRIC_FORMAT = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 1},
                "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": DIRECTIVE},
            },
        }
    },
}


def test_a_metric_is_in_the_format_that_cloudwatch_reads(log: io.StringIO) -> None:
    logging.begin(route="GET /")
    logging.metric("RevokedKeyUsed", "a revoked key was used", stack="api-keys-eu", source="192.0.2.1")
    [line] = lines(log)
    validator = Draft202012Validator(EMBEDDED_METRIC_FORMAT)
    assert [error.message for error in validator.iter_errors(line)] == []
    [directive] = line["_aws"]["CloudWatchMetrics"]
    # Target members: on the root, metrics as numbers, dimensions as text.
    assert [line[metric["Name"]] for metric in directive["Metrics"]] == [1]
    assert [[line[name] for name in names] for names in directive["Dimensions"]] == [["api-keys-eu"]]
    assert abs(line["_aws"]["Timestamp"] - time.time() * 1000) < 10_000
    assert (line["level"], line["source"]) == ("WARNING", "192.0.2.1")
