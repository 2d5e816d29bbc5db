"""The log: one JSON object a line."""

import io
import json
import os
import subprocess
import sys
import uuid

import pytest

from apikeys import log as logging
from apikeys.keys import ApiKey
from tests.unit.log.lines import TOKEN, lines, shares


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
    assert "test_lines.py" in line["exception"]
    assert not shares(TOKEN, log.getvalue())


@pytest.mark.parametrize(
    "subject", ["alice", "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "Zq1" * 10 + "Ab@clients", "Zo\u00eb"]
)
def test_a_subject_is_whatever_the_issuer_calls_somebody(log: io.StringIO, subject: str) -> None:
    logging.begin(subject=subject)
    logging.info("answered")
    assert lines(log)[0]["subject"] == subject


@pytest.mark.parametrize("name", ["reason", "source", "url"])
def test_nobody_vouches_for_another_member(log: io.StringIO, name: str) -> None:
    """Guarantee: only a subject may look like a part of a secret."""
    logging.info("answered", **{name: "Zq1" * 10})
    assert lines(log)[0][name] == "[redacted]"


def test_a_subject_that_is_a_key_is_not_shown(log: io.StringIO) -> None:
    for subject, secret in ((key := ApiKey.generate().reveal(), key), (TOKEN, TOKEN.split(".")[2])):
        logging.begin(subject=subject)
        logging.info("answered")
        assert not shares(secret, log.getvalue())


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
from apikeys.metrics import CHECKS
log.info("info")
log.warning("warning")
log.count(CHECKS, Outcome="accepted")
log.info("metric")
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"LOG_LEVEL": level},
        check=True,
        capture_output=True,
        text=True,
    )
    assert [json.loads(line)["message"] for line in run.stdout.splitlines()] == written
