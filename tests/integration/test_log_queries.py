"""The queries that docs/ gives for CloudWatch Logs Insights ask for members that the log really has.

No emulator runs them: MiniStack and moto leave out what they do not know, filters by member and `stats` among it. So
their names are read from them, and held against lines that the code wrote, and against the access log's format.
"""

import re
from typing import Any

import pytest
import time_machine

from local.template import ROOT, Template
from tests.deployment import Deployment
from tests.emitted import lines

WORDS = {"filter", "stats", "fields", "sort", "limit", "by", "as", "and", "or", "not", "asc", "desc", "like"}
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
AWS_OWN = {"@timestamp", "@message", "@type", "@duration", "@initDuration"}
OPERATION = (ROOT / "docs" / "operation.md").read_text()
LEAKED = (ROOT / "docs" / "leaked-key.md").read_text()


def queries() -> dict[str, str]:
    """Return each query by the question before it."""
    found = dict(re.findall(r"^# (.*\?.*)\n((?:filter|fields|stats) .*)$", OPERATION, re.MULTILINE))
    [of_a_leak] = re.findall(r"^(fields .*(?:\n\| .*)+)$", LEAKED, re.MULTILINE)
    return found | {"Who used it?": of_a_leak}


def names_in(query: str) -> set[str]:
    """Return the members that a query asks for."""
    bare = re.sub(r'"[^"]*"', "", query)
    bare = re.sub(r"\bas \w+", "", bare)
    aliases = set(re.findall(r"\bas (\w+)", query))
    return set(re.findall(r"(?<![\w@])@?[A-Za-z_]\w*\b(?!\()", bare)) - WORDS - aliases


def values_in(query: str) -> set[tuple[str, str]]:
    """Return the members that a query compares, each with what it has to be."""
    return set(re.findall(r'(@?\w+) = "([^"]*)"', query))


@pytest.fixture
def logged(deployment: Deployment, clock: time_machine.Traveller) -> list[dict[str, Any]]:
    return lines(deployment, clock)


def test_every_member_that_is_asked_for_is_in_a_log(logged: list[dict[str, Any]]) -> None:
    """Guarantee: on-call does not type a query at night that finds nothing because a name changed."""
    functions = {name for line in logged for name in line} | AWS_OWN
    [api] = Template({}).resources("AWS::Serverless::HttpApi").values()
    access = set(re.findall(r'"(\w+)":', api["AccessLogSettings"]["Format"]))
    assert len(queries()) > 10
    for question, query in queries().items():
        assert names_in(query) <= (access if "(in the access log)" in question else functions), question


def test_what_is_compared_is_what_is_logged(logged: list[dict[str, Any]]) -> None:
    for question, query in queries().items():
        for name, value in values_in(query):
            if name not in ("key_id", "@type"):
                assert any(line.get(name) == value for line in logged), (question, name, value)


def test_a_query_is_read_as_it_is_meant() -> None:
    query = 'filter message = "a b" and allowed | stats count(*) as n, pct(@duration, 99) by bin(1m), key_id | sort n'
    assert names_in(query) == {"message", "allowed", "@duration", "key_id"}
    assert values_in(query) == {("message", "a b")}
