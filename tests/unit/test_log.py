"""The log: one JSON object a line, and nothing in it that could be a secret."""

import io
import json
import subprocess
import sys
import time
import uuid
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from apikeys import log as logging
from apikeys.keys import ALPHABET, ApiKey

TOKEN = jwt.encode({"sub": "alice", "scope": "api-keys:revoke"}, "x" * 64, "HS512", {"kid": "a" * 32})
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


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def shares(secret: str, text: str, length: int = 12) -> bool:
    """Tell whether a text has as many characters in a row of a secret."""
    return any(secret[at : at + length] in text for at in range(len(secret) - length + 1))


def test_a_line_is_an_object_with_the_members_of_the_request_and_its_own(log: io.StringIO) -> None:
    request_id = str(uuid.uuid4())
    logging.begin(route="GET /things/{id}", aws_request_id=request_id, key_id=None)
    logging.add(subject="alice")
    logging.info("answered", status=200)
    logging.begin(route="GET /")
    logging.info("refused", status=401, reason="no Authorization header", allowed=False)
    first, second = lines(log)
    at = first.pop("timestamp")
    assert first == {
        "level": "INFO",
        "service": "api-keys",
        "message": "answered",
        "route": "GET /things/{id}",
        "aws_request_id": request_id,
        "subject": "alice",
        "status": 200,
    }
    assert at.endswith("Z")
    assert "subject" not in second
    assert (second["status"], second["allowed"], second["reason"]) == (401, False, "no Authorization header")


def test_a_fault_is_told_in_full(log: io.StringIO) -> None:
    def broken() -> None:
        raise LookupError("the index is gone") from KeyError(TOKEN)

    try:
        broken()
    except LookupError as error:
        logging.fault("fault", error, status=500)
    [line] = lines(log)
    assert (line["level"], line["status"], line["exception_name"]) == ("ERROR", 500, "LookupError")
    assert "the index is gone" in line["exception"]
    assert "test_log.py" in line["exception"]
    assert not shares(TOKEN, log.getvalue())


@pytest.mark.parametrize(
    "harmless",
    [
        "123e4567-e89b-12d3-a456-426614174000",
        "1-5759e988-bd862e3fe1be46a994272793",
        "DELETE /api/v1/applications/{id}/api-keys/{keyId}",
        "ProvisionedThroughputExceededException",
        'File "/opt/python/apikeys/endpoint.py", line 50, in for_verified_callers',
        "arn:aws:dynamodb:eu-central-1:123456789012:table/api-keys",
        "2026-11-22T12:00:00.000Z",
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
    ],
)
def test_what_operators_need_stays_readable(harmless: str) -> None:
    assert logging.redacted(harmless) == harmless


def ways_to_write(key: str) -> dict[str, str]:
    _, body = key.split("_")
    return {
        "whole": key,
        "without its last characters": key[:-7],
        "without its first": key[20:],
        "without its prefix": body,
        "in lower case": key.lower(),
        "in upper case": key.upper(),
        "encoded": quote(key).replace("_", "%5F"),
        "in lower case, encoded": f"ak%5f{body}",
        "with another prefix": f"sk_live_{body}",
        "in a path": f"/api/v1/applications/{key}/api-keys/{key}?x={key}",
        "twice": key + key,
        "in JSON": json.dumps({"key": key}),
        "in a header": f"Bearer {key},Bearer {key}",
        "its secret": body[22:65],
        "half of its secret": body[22:44],
    }


@given(st.uuids(), st.text(ALPHABET, min_size=43, max_size=43).filter(lambda secret: secret.strip(secret[0])))
def test_no_key_however_it_is_written(key_id: uuid.UUID, secret: str) -> None:
    """Guarantee: no twelve characters in a row of a key string get through, also of one that is cut or changed."""
    whole = ApiKey(str(key_id), secret).reveal()
    # A secret that spells words, such as AaaAaaAaa…, would pass for a name. Random ones do so once in a billion times.
    if logging.HARMLESS.fullmatch(whole[25:47]):
        return
    for way, text in ways_to_write(whole).items():
        shown = logging.redacted(text)
        for spelling in (whole[25:], whole[25:].lower(), whole[25:].upper()):
            assert not shares(spelling, shown), way


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        *TOKEN.split("."),
        TOKEN[:-9],
        TOKEN.rsplit(".", 1)[0],
        TOKEN.replace(".", "%2E"),
        f"Bearer {TOKEN}",
        TOKEN.split(".")[2][:20],
        TOKEN[10:60],
    ],
)
def test_no_part_of_a_token(text: str) -> None:
    """Guarantee: no twelve characters in a row of a JWT get through."""
    assert not shares(TOKEN, logging.redacted(f"said {text} to us"))


@pytest.mark.parametrize(
    "subject", ["alice", "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "Zq1" * 10 + "Ab@clients", "Zo\u00eb"]
)
def test_a_subject_is_whatever_the_issuer_calls_somebody(log: io.StringIO, subject: str) -> None:
    logging.begin(subject=subject)
    logging.info("answered")
    assert lines(log)[0]["subject"] == subject


def test_a_subject_that_is_a_key_is_not_shown(log: io.StringIO) -> None:
    for subject, secret in ((key := ApiKey.generate().reveal(), key), (TOKEN, TOKEN.split(".")[2])):
        logging.begin(subject=subject)
        logging.info("answered")
        assert not shares(secret, log.getvalue())


@pytest.mark.parametrize(
    "of",
    ["a", "A", "_", "-", "Aaa", "a_", "a-a", "0", "%5F", ".", "Ab", "a" * 15 + ".", "a" * 16 + " ", "\u00e9"],
)
def test_redaction_takes_linear_time(of: str) -> None:
    """Guarantee: nobody can keep us busy by what we log. Text eight times as long takes about eight times as long."""

    def seconds(length: int) -> float:
        text = of * (length // len(of))
        spent = []
        for _ in range(5):
            started = time.process_time()
            logging.redacted(text)
            spent.append(time.process_time() - started)
        return min(spent)

    once, longer = seconds(20_000), seconds(160_000)
    assert longer < 24 * max(once, 0.0001)


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


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("", ["info", "warning", "metric"]),
        ("info", ["info", "warning", "metric"]),
        ("WARNING", ["warning", "metric"]),
        ("ERROR", ["metric"]),
        ("nonsense", ["info", "warning", "metric"]),
    ],
)
def test_the_level_leaves_out_what_is_less_but_never_a_metric(level: str, written: list[str]) -> None:
    code = """
from apikeys import log
log.info("info")
log.warning("warning")
log.metric("RevokedKeyUsed", "metric", stack="x")
"""
    run = subprocess.run(
        [sys.executable, "-c", code], env={"LOG_LEVEL": level}, check=True, capture_output=True, text=True
    )
    assert [json.loads(line)["message"] for line in run.stdout.splitlines()] == written
