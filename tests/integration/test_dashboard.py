"""The dashboard of template.yaml shows what is really emitted, in the order of on-call's questions."""

import json
import re
from typing import Any

import time_machine

from apikeys.metrics import CHECKS, OTHER, REVOCATIONS
from local.template import Template
from tests.deployment import EVERYTHING, Deployment
from tests.embedded import METRICS
from tests.emitted import dimensions_of, emitted, is_documented

TEMPLATE = Template(EVERYTHING)
QUESTIONS = [
    "Is the promise kept?",
    "Are checks answered?",
    "Who is refused, and why?",
    "Is the issuer there?",
    "Is DynamoDB there?",
    "What does it cost?",
]


def widgets() -> list[dict[str, Any]]:
    """Return the widgets, with what CloudFormation puts in."""
    [dashboard] = TEMPLATE.resources("AWS::CloudWatch::Dashboard").values()
    template, variables = dashboard["DashboardBody"]["Fn::Sub"]

    def value(name: str) -> str:
        reference = {"Fn::GetAtt" if "." in name else "Ref": name}
        return str(variables[name] if name in variables else TEMPLATE.resolve(reference))

    body = re.sub(r"\$\{([\w:.]+)\}", lambda found: value(found[1]), template)
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


def series() -> list[tuple[str, str, dict[str, str]]]:
    """Return all that is drawn: namespace, name and dimensions."""
    drawn = []
    for widget in widgets():
        for metric in widget["properties"].get("metrics", []):
            if isinstance(metric[0], dict):
                continue  # an expression
            namespace, name, *dimensions = [part for part in metric if isinstance(part, str)]
            drawn.append((namespace, name, dict(zip(dimensions[::2], dimensions[1::2], strict=True))))
    return drawn


def test_every_widget_shows_what_is_emitted(deployment: Deployment, clock: time_machine.Traveller) -> None:
    """Guarantee: no widget is empty because of a name that nobody emits."""
    names = {(name, frozenset(dimensions)) for name, dimensions in emitted(deployment, clock)}
    allowed = {metric.name: metric.values() for metric in METRICS}
    assert len(series()) > 60
    for namespace, name, dimensions in series():
        if namespace == "ApiKeys":
            assert (name, frozenset(dimensions)) in names
            assert dimensions.pop("Stack") == "local"
            assert all(value in allowed[name][of] for of, value in dimensions.items()), (name, dimensions)
        else:
            assert is_documented(TEMPLATE, namespace, name, dimensions), (namespace, name, dimensions)


def test_every_border_of_the_canary_is_found(deployment: Deployment, clock: time_machine.Traveller) -> None:
    """By a search, since whoever deploys the stack names them."""
    metrics = [metric for widget in widgets() for metric in widget["properties"].get("metrics", [])]
    [search] = [metric[0]["expression"] for metric in metrics if isinstance(metric[0], dict)]
    found = re.fullmatch(
        r"SEARCH\('\{ApiKeys,(\S+)\} MetricName=\"(\w+)\" Stack=\"local\"', 'Maximum', 300\)", search
    )
    assert found
    assert (found[2], set(found[1].split(","))) in [
        (name, set(dimensions)) for name, dimensions in emitted(deployment, clock)
    ]


def test_it_shows_every_outcome_of_a_check_and_every_reason_of_a_revocation() -> None:
    for metric, dimension in ((CHECKS, "Outcome"), (REVOCATIONS, "Reason")):
        shown = {dimensions[dimension] for _, name, dimensions in series() if name == metric.name}
        assert shown == set(metric.values()[dimension]) - ({OTHER} if metric is CHECKS else set())


def test_whatever_has_an_alarm_is_shown() -> None:
    shown = series()
    for name, alarm in TEMPLATE.resources("AWS::CloudWatch::Alarm").items():
        assert (alarm["Namespace"], alarm["MetricName"], dimensions_of(alarm)) in shown, name


def test_it_answers_on_calls_questions_from_top_to_bottom() -> None:
    ordered = sorted(widgets(), key=lambda widget: widget["y"])
    headings = [re.match("## (.*)", one["properties"].get("markdown", "")) for one in ordered]
    assert [heading[1] for heading in headings if heading] == QUESTIONS


def test_no_widget_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in widgets():
        columns, rows = range(widget["x"], widget["x"] + widget["width"]), range(widget["height"])
        cells = {(column, widget["y"] + row) for column in columns for row in rows}
        assert not cells & taken
        assert max(columns) < 24
        taken |= cells


def test_it_can_be_left_out() -> None:
    assert Template(EVERYTHING | {"CreateDashboard": "false"}).resources("AWS::CloudWatch::Dashboard") == {}
