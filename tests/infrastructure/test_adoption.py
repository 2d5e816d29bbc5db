"""Tables that are there already, such as restored ones, take the place of the stack's own, by parameter."""

import json
from typing import Any

import pytest

from local.template import Template
from tests.deployment import EVERYTHING
from tests.emitted import dimensions_of
from tests.infrastructure.conftest import Settle, of_type

NAMES = {
    "ApiKeysTable": "restored-ApiKeys",
    "ApplicationsTable": "restored-Applications",
    "ListingsTable": "restored-Listings",
}
LABEL = "2026-11-27T12:00:00.000"
ADOPTED = {f"{table}Name": name for table, name in NAMES.items()} | {"ApiKeysStreamLabel": LABEL}
ARN = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/"


@pytest.fixture
def adopted(settled: Settle) -> dict[str, Any]:
    return settled(**EVERYTHING, **ADOPTED)


def test_nothing_is_left_of_the_stacks_own_tables(adopted: dict[str, Any]) -> None:
    """Guarantee: no function, role, alarm or widget stays with the table that was replaced."""
    assert of_type(adopted, "AWS::DynamoDB::Table") == {}
    for table in NAMES:
        for name, resource in adopted.items():
            text = json.dumps(resource).replace("${" + table + "Name}", "")
            assert f'"{table}' not in text, name
            assert "${" + table not in text, name


@pytest.mark.parametrize("table", NAMES)
def test_each_table_is_adopted_by_itself(settled: Settle, table: str) -> None:
    given = {f"{table}Name": NAMES[table]} | (
        {"ApiKeysStreamLabel": LABEL} if table == "ApiKeysTable" else {}
    )
    assert of_type(settled(**given), "AWS::DynamoDB::Table").keys() == NAMES.keys() - {table}


def test_functions_know_the_adopted_tables(adopted: dict[str, Any]) -> None:
    for function in of_type(adopted, "AWS::Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert variables["API_KEYS_TABLE"] == NAMES["ApiKeysTable"]
        assert variables["APPLICATIONS_TABLE"] == NAMES["ApplicationsTable"]
        assert variables["LISTINGS_TABLE"] == NAMES["ListingsTable"]


def test_roles_reach_the_adopted_tables_and_no_others(adopted: dict[str, Any]) -> None:
    """Guarantee: a role has exactly its table, whoever made it."""
    allowed = {json.dumps({"Fn::Sub": f"{ARN}${{{table}Name}}"}) for table in NAMES}
    allowed.add(json.dumps(stream()))
    found = set()
    for role in of_type(adopted, "AWS::IAM::Role").values():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if "dynamodb:" in json.dumps(statement["Action"]):
                    found.add(json.dumps(statement["Resource"]))
    assert found == allowed


def stream() -> dict[str, str]:
    return {"Fn::Sub": f"{ARN}${{ApiKeysTableName}}/stream/${{ApiKeysStreamLabel}}"}


def test_audit_events_come_from_the_adopted_tables_stream(adopted: dict[str, Any]) -> None:
    [mapping] = of_type(adopted, "AWS::Lambda::EventSourceMapping").values()
    assert mapping["EventSourceArn"] == stream()
    assert mapping["StartingPosition"] == "TRIM_HORIZON", (
        "nothing is left out between its making and the adoption"
    )


def test_alarms_dashboard_and_outputs_follow(adopted: dict[str, Any]) -> None:
    watched = [dimensions_of(alarm) for alarm in of_type(adopted, "AWS::CloudWatch::Alarm").values()]
    assert {one["TableName"] for one in watched if "TableName" in one} == set(NAMES.values())
    [dashboard] = of_type(adopted, "AWS::CloudWatch::Dashboard").values()
    _, variables = dashboard["DashboardBody"]["Fn::Sub"]
    assert set(variables.values()) == set(NAMES.values())
    template = Template(ADOPTED)
    for table, name in NAMES.items():
        assert template.resolve(template.document["Outputs"][f"{table}Name"]["Value"]) == name


def test_a_given_table_of_keys_needs_its_stream() -> None:
    """Guarantee: no adoption in which audit events stop in silence."""
    rule = Template({}).document["Rules"]["AGivenTableOfKeysHasAStream"]
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ApiKeysTableName"}, ""]}]}
    [assertion] = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ApiKeysStreamLabel"}, ""]}]}


def test_the_table_that_is_replaced_outlives_its_place_in_the_stack() -> None:
    """Guarantee: adopting another table deletes none. Its tombstones are what the next run of tools.adopt needs."""
    template = Template({})
    for table in NAMES:
        resource = template.document["Resources"][table]
        assert resource["Condition"] == f"{table}IsOurs"
        assert template.resolve(resource["DeletionPolicy"]) == "Retain"
