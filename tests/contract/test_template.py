"""What template.yaml promises, read from it."""

import json
import re
from typing import Any

import pytest

from local.template import ROOT, Template
from tests.deployment import EVERYTHING

TEMPLATE = Template(EVERYTHING)
FUNCTIONS = TEMPLATE.resources("AWS::Serverless::Function")
TABLES = TEMPLATE.resources("AWS::DynamoDB::Table")


UNKNOWN = "/{proxy+}"


def routes() -> dict[str, tuple[str, ...]]:
    """Return the methods of each path that is a capability's."""
    found: dict[str, tuple[str, ...]] = {}
    for function in FUNCTIONS.values():
        for event in function.get("Events", {}).values():
            if event["Type"] != "HttpApi":
                continue
            properties: dict[str, Any] = event["Properties"]
            path = properties.get("Path", UNKNOWN)
            if path != UNKNOWN:
                found[path] = (*found.get(path, ()), properties["Method"])
    return {path: tuple(sorted(methods)) for path, methods in found.items()}


def test_the_405s_know_the_routes_of_the_template() -> None:
    handler = TEMPLATE.functions()["RefuseUnknownRouteFunction"].load()
    assert handler.__wrapped__.__globals__["ROUTES"] == routes()  # type: ignore[attr-defined]


def test_exactly_one_function_answers_what_no_route_matches() -> None:
    answers = [
        (name, e["Properties"].get("Method"))
        for name, f in FUNCTIONS.items()
        for e in f.get("Events", {}).values()
        if e["Type"] == "HttpApi" and e["Properties"].get("Path", UNKNOWN) == UNKNOWN
    ]
    assert answers == [("RefuseUnknownRouteFunction", method) for method in (None, "ANY", "OPTIONS")]


def test_whatever_is_read_may_be_asked_for_by_head_alone() -> None:
    """On an HTTP API a HEAD is no GET: without a route of its own it would be answered 405."""
    reference = {path for path in routes() if not path.startswith("/api/")}
    assert len(reference) == 3
    assert {routes()[path] for path in reference} == {("GET", "HEAD")}


def test_the_reference_can_be_left_out_whole() -> None:
    left_out = Template(EVERYTHING | {"ReferencePage": "false"})
    assert FUNCTIONS.keys() - left_out.functions().keys() == {"ServeReferenceFunction"}
    for kind in ("AWS::IAM::Role", "AWS::Logs::LogGroup"):
        assert [name for name in left_out.resources(kind) if "Reference" in name] == []


@pytest.mark.parametrize(
    ("parameters", "function", "path"),
    [
        ({"RevokeByString": "off"}, "RevokeLeakedApiKey", "/api/v1/api-keys/revoke"),
        ({"GithubAlerts": "false"}, "RevokeApiKeysFoundByGithub", "/api/v1/api-keys/leaked/github"),
    ],
)
def test_who_may_revoke_by_string_is_a_choice_and_what_is_not_chosen_is_not_there(
    parameters: dict[str, str], function: str, path: str
) -> None:
    """Guarantee: a way in that is off is no function and no role, and its path a 404, whatever the method."""
    without = Template(EVERYTHING | parameters)
    assert FUNCTIONS.keys() - without.functions().keys() == {f"{function}Function"}
    for kind in ("AWS::IAM::Role", "AWS::Logs::LogGroup"):
        assert [name for name in without.resources(kind) if name.startswith(function)] == []
    known = without.functions()["RefuseUnknownRouteFunction"].load().__wrapped__.__globals__["ROUTES"]  # type: ignore[attr-defined]
    assert routes().keys() - known.keys() == {path}


def test_github_is_not_listened_to_unless_asked_for() -> None:
    defaults = Template({}).functions()
    assert FUNCTIONS.keys() - defaults.keys() == {"RevokeApiKeysFoundByGithubFunction"}
    assert defaults["RevokeLeakedApiKeyFunction"].environment["REVOKE_BY_STRING"] == "on"


def test_every_capability_has_its_function_and_every_function_its_capability() -> None:
    folders = {f"functions/{path.name}" for path in (ROOT / "functions").iterdir()}
    assert {function["CodeUri"] for function in FUNCTIONS.values()} == folders


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_on_demand_encrypted_recoverable_and_protected(name: str) -> None:
    table = TABLES[name]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
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


@pytest.mark.parametrize("name", TABLES)
def test_no_table_has_an_index(name: str) -> None:
    """Guarantee: nothing is read from what lags, and a write writes one item."""
    assert not [member for member in TABLES[name] if "Index" in member]


def test_every_log_is_kept_for_the_time_asked_for() -> None:
    groups = Template(EVERYTHING | {"LogRetentionDays": "7"}).resources("AWS::Logs::LogGroup")
    assert {group["RetentionInDays"] for group in groups.values()} == {"7"}
    assert {function["LoggingConfig"]["LogGroup"] for function in FUNCTIONS.values()} <= groups.keys()


def access_log() -> str:
    [api] = TEMPLATE.resources("AWS::Serverless::HttpApi").values()
    return str(api["AccessLogSettings"]["Format"])


def test_the_access_log_holds_the_route_and_what_failed_and_nothing_a_caller_chose() -> None:
    """Guarantee: no token and no key reaches the access log: no header, no path, no query."""
    assert set(re.findall(r"\$context\.[\w.]+", access_log())) == {
        "$context.requestId",
        "$context.requestTime",
        "$context.identity.sourceIp",
        "$context.domainName",  # API Gateway's or the deployment's: it answers under no other
        "$context.httpMethod",
        "$context.routeKey",
        "$context.status",
        "$context.responseLatency",
        "$context.responseLength",
        "$context.error.message",
        "$context.authorizer.error",
        "$context.integration.status",
        "$context.integration.error",
    }


def test_a_line_of_the_access_log_is_json_and_its_numbers_are_numbers() -> None:
    always = {"$context.status": "200", "$context.responseLatency": "12", "$context.responseLength": "2"}
    # API Gateway writes a hyphen for what a request does not have.
    line = re.sub(r"\$context\.[\w.]+", lambda variable: always.get(variable[0], "-"), access_log())
    written = json.loads(line)
    assert {name: value for name, value in written.items() if value != "-"} == {
        "status": 200,
        "latencyMs": 12,
        "responseBytes": 2,
    }


def test_every_parameter_is_described() -> None:
    parameters = TEMPLATE.document["Parameters"]
    assert [name for name, parameter in parameters.items() if not parameter.get("Description")] == []


def test_no_parameter_has_to_be_given() -> None:
    parameters = TEMPLATE.document["Parameters"]
    assert [name for name, parameter in parameters.items() if "Default" not in parameter] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.example.com",
        "http://localhost:3001",
        "http://127.0.0.1",
        "http://127.0.0.1.example.com:3001",
        "http://evil.example\\@127.0.0.1:3001/",
        "https://good.example@evil.example\\/",
        "data:,{}",
        "file:///etc/passwd",
        "https://",
        "https://a b",
        "HTTPS://issuer.example.com",
        "x",
    ],
)
def test_a_deployment_takes_keys_over_https_only_or_from_this_machine(url: str) -> None:
    """Guarantee: neither the issuer, whose discovery document names the keys, nor the key set is read in the clear."""
    for parameter in ("Issuer", "JwksUrl", "GithubKeysUrl"):
        pattern = TEMPLATE.document["Parameters"][parameter]["AllowedPattern"]
        assert not re.search(pattern, url)
        for good in ("https://login.example.com:8443/a/b?c=d", "https://i.example", "http://127.0.0.1:3001"):
            assert re.search(pattern, good)
        assert bool(re.search(pattern, "")) is (parameter != "GithubKeysUrl"), "found by itself"


@pytest.mark.parametrize("prefix", ["", "https://api.example/", "api://1b6e/", "api-keys/", "urn:x:"])
def test_a_scope_prefix_may_be_whatever_a_scope_may_be(prefix: str) -> None:
    pattern = TEMPLATE.document["Parameters"]["ScopePrefix"]["AllowedPattern"]
    assert re.search(pattern, prefix)
    for character in ' "\\\u00e9':  # RFC 6749, section 3.3
        assert not re.search(pattern, prefix + character)


def test_functions_know_the_stack_and_what_scopes_begin_with() -> None:
    functions = Template({"Issuer": "x", "ScopePrefix": "https://api.example/"}).functions().values()
    assert {function.environment["SCOPE_PREFIX"] for function in functions} == {"https://api.example/"}
    assert {function.environment["STACK_NAME"] for function in functions} == {"local"}
