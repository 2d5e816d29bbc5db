"""A metric is a line in CloudWatch's embedded metric format."""

import io
import math
import time
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from apikeys import log as logging
from apikeys.metrics import (
    CHECKS,
    KEYS_AGE,
    KEYS_NOT_FETCHED,
    REVOKED_KEY_USED,
    Outcome,
)
from tests.embedded import METRICS, read
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


def well_formed(line: dict[str, Any]) -> dict[str, tuple[dict[str, str], int]]:
    """Return what CloudWatch reads from a line: of each metric its dimensions and its value."""
    validator = Draft202012Validator(EMBEDDED_METRIC_FORMAT)
    assert [error.message for error in validator.iter_errors(line)] == []
    return read(line)


def test_a_metric_is_in_the_format_that_cloudwatch_reads(log: io.StringIO) -> None:
    logging.begin("api-keys-eu", route="GET /")
    logging.count(REVOKED_KEY_USED)
    logging.warning("a revoked key was used", source="192.0.2.1")
    [line] = lines(log)
    assert well_formed(line) == {"RevokedKeyUsed": ({"Stack": "api-keys-eu"}, 1)}
    assert abs(line["_aws"]["Timestamp"] - time.time() * 1000) < 10_000
    assert (line["level"], line["source"]) == ("WARNING", "192.0.2.1")


def test_a_line_takes_what_was_counted_before_it_and_the_next_takes_none_of_it(log: io.StringIO) -> None:
    logging.count(KEYS_NOT_FETCHED, Publisher="issuer")
    logging.count(KEYS_AGE, 700, Publisher="issuer")
    logging.warning("first")
    logging.info("second")
    logging.count(CHECKS, Outcome=Outcome.ACCEPTED)
    logging.count(CHECKS, Outcome=Outcome.AMBIGUOUS_PATH)
    logging.info("third")
    first, second, third = lines(log)
    of_the_issuer = {"Stack": "api-keys", "Publisher": "issuer"}
    assert well_formed(first) == {"KeysNotFetched": (of_the_issuer, 1), "KeysAge": (of_the_issuer, 700)}
    assert read(second) == {}
    assert not {"_aws", "Stack", "Publisher"} & second.keys()
    assert well_formed(third) == {"Checks": ({"Stack": "api-keys", "Outcome": "ambiguous-path"}, 1)}


def test_what_a_request_counted_and_did_not_write_is_not_the_next_ones(log: io.StringIO) -> None:
    logging.count(CHECKS, Outcome=Outcome.ACCEPTED)
    logging.begin("api-keys")
    logging.info("next")
    assert [read(line) for line in lines(log)] == [{}]


@pytest.mark.parametrize("given", ["123e4567-e89b-12d3-a456-426614174000", "ak_secret", "", None])
def test_no_dimension_has_a_value_that_is_not_on_its_list(log: io.StringIO, given: str | None) -> None:
    """Guarantee: nobody makes metrics, which cost money, and no secret gets out by a dimension."""
    for metric in METRICS:
        for name in metric.values():
            dimensions: dict[str, Any] = {} if given is None else {name: given}
            logging.count(metric, **dimensions)
            logging.info("counted")
            [line] = lines(log)
            assert line[name] == "other"
            log.seek(0)
            log.truncate()


def test_all_metrics_together_are_few_enough_to_pay_for() -> None:
    """At most 38, each 0.30 USD a month at list price, and only while something is counted in it."""
    assert sum(math.prod(len(values) for values in metric.values().values()) for metric in METRICS) <= 38
