"""What template.yaml promises, read from it."""

import re
from typing import Any

import pytest

from local.template import ROOT, Template

TEMPLATE = Template({})
FUNCTIONS = TEMPLATE.resources("AWS::Serverless::Function")
TABLES = TEMPLATE.resources("AWS::DynamoDB::Table")


def routes() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for function in FUNCTIONS.values():
        for event in function.get("Events", {}).values():
            properties: dict[str, Any] = event["Properties"]
            if "Path" in properties:
                path = properties["Path"]
                found[path] = (*found.get(path, ()), properties["Method"])
    return {path: tuple(sorted(methods)) for path, methods in found.items()}


def test_the_405s_know_the_routes_of_the_template() -> None:
    handler = TEMPLATE.functions()["RefuseUnknownRouteFunction"].load()
    assert handler.__wrapped__.__globals__["ROUTES"] == routes()  # type: ignore[attr-defined]


def test_exactly_one_function_answers_what_no_route_matches() -> None:
    default = [
        name
        for name, f in FUNCTIONS.items()
        for e in f.get("Events", {}).values()
        if "Path" not in e["Properties"]
    ]
    assert default == ["RefuseUnknownRouteFunction"]


def test_every_capability_has_its_function_and_every_function_its_capability() -> None:
    folders = {f"functions/{path.name}" for path in (ROOT / "functions").iterdir()}
    assert {function["CodeUri"] for function in FUNCTIONS.values()} == folders


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_on_demand_encrypted_recoverable_and_protected(name: str) -> None:
    table = TABLES[name]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize(
    ("keep", "policy", "protected"), [("true", "Retain", True), ("false", "Delete", False)]
)
def test_whether_data_outlives_the_stack_is_a_parameter(keep: str, policy: str, protected: bool) -> None:
    template = Template({"KeepData": keep})
    for name, properties in template.resources("AWS::DynamoDB::Table").items():
        resource = template.document["Resources"][name]
        assert template.resolve(resource["DeletionPolicy"]) == policy
        assert template.resolve(resource["UpdateReplacePolicy"]) == policy
        assert properties["DeletionProtectionEnabled"] is protected


def test_data_is_kept_unless_asked_otherwise() -> None:
    assert TEMPLATE.document["Parameters"]["KeepData"]["Default"] == "true"


def test_a_revoke_writes_no_index() -> None:
    """What is projected is only the keys, and a revoke changes none of them: one write unit."""
    [index] = TABLES["ApiKeysTable"]["GlobalSecondaryIndexes"]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    keys = {key["AttributeName"] for key in index["KeySchema"]}
    assert keys.isdisjoint({"revokedAt", "revokedBy"})


def test_every_log_is_kept_for_the_time_asked_for() -> None:
    groups = Template({"LogRetentionDays": "7"}).resources("AWS::Logs::LogGroup")
    assert {group["RetentionInDays"] for group in groups.values()} == {"7"}
    assert {function["LoggingConfig"]["LogGroup"] for function in FUNCTIONS.values()} <= groups.keys()


def test_the_access_log_holds_no_header() -> None:
    """Guarantee: no token reaches the access log."""
    [api] = TEMPLATE.resources("AWS::Serverless::HttpApi").values()
    fields = re.findall(r"\$context\.[\w.]+", api["AccessLogSettings"]["Format"])
    assert fields
    assert not [field for field in fields if "header" in field.lower() or "authorizer" in field.lower()]


def test_every_parameter_is_described() -> None:
    parameters = TEMPLATE.document["Parameters"]
    assert [name for name, parameter in parameters.items() if not parameter.get("Description")] == []


def test_only_the_issuer_and_the_audience_have_to_be_given() -> None:
    parameters = TEMPLATE.document["Parameters"]
    assert [name for name, parameter in parameters.items() if "Default" not in parameter] == [
        "Issuer",
        "Audience",
    ]


@pytest.mark.parametrize(
    "url", ["http://keys.example.com", "data:,{}", "file:///etc/passwd", "https://a b", "x"]
)
def test_a_deployment_reads_keys_over_https_only(url: str) -> None:
    pattern = TEMPLATE.document["Parameters"]["JwksUrl"]["AllowedPattern"]
    assert not re.search(pattern, url)
    assert re.search(pattern, "https://issuer.example.com/.well-known/jwks.json")
