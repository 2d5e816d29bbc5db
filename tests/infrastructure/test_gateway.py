"""The HTTP API as CloudFormation gets it: routes, authorizer, CORS, limits, by parameter.

What no emulator does like AWS is held here, on the transformed template.
"""

from typing import Any

import pytest

from tests.contract.test_template import UNKNOWN, routes
from tests.deployment import EVERYTHING
from tests.infrastructure.conftest import Settle

REFERENCE = {"/", "/openapi.json", "/assets/{name}"}
REVOKES = (
    "DELETE /api/v1/applications/{id}/api-keys/{keyId}",
    "POST /api/v1/applications/{id}/api-keys/revoke-all",
)
ORIGINS = "https://console.example.com,http://127.0.0.1:3000"
CORS = {
    "allowOrigins": {"Fn::Split": [",", ORIGINS]},
    "allowMethods": ["GET", "POST", "DELETE"],
    "allowHeaders": ["authorization", "content-type", "x-api-key"],
    "exposeHeaders": ["allow", "retry-after", "www-authenticate"],
    "maxAge": 600,
}
BY_STRING = "POST /api/v1/api-keys/revoke"
LIMITS = (
    *("Rate", "Burst", "RevokeRate", "RevokeBurst", "UnknownRate", "UnknownBurst"),
    *("RevokeByStringRate", "RevokeByStringBurst"),
)
# By parameter, the functions that share it.
CONCURRENCY = {
    "AuthorizerConcurrency": {"AuthorizeRequestFunction"},
    "RevokeConcurrency": {"RevokeApiKeyFunction", "RevokeAllApiKeysFunction"},
    "RevokeByStringConcurrency": {"RevokeLeakedApiKeyFunction"},
    "PublicConcurrency": {
        "ServeReferenceFunction",
        "RefuseUnknownRouteFunction",
        "RevokeApiKeysFoundByGithubFunction",
    },
}


def body(resources: dict[str, Any]) -> dict[str, Any]:
    definition: dict[str, Any] = resources["HttpApi"]["Properties"]["Body"]
    return definition


def reserved(resources: dict[str, Any]) -> dict[str, str]:
    name = "ReservedConcurrentExecutions"
    functions = {k: r["Properties"] for k, r in resources.items() if r["Type"] == "AWS::Lambda::Function"}
    return {key: function[name] for key, function in functions.items() if name in function}


def test_the_api_has_the_routes_of_the_template(settled: Settle) -> None:
    paths = body(settled(**EVERYTHING))["paths"]
    assert paths.keys() == routes().keys() | {"$default", UNKNOWN}
    for path, methods in routes().items():
        assert {method.upper() for method in paths[path]} == set(methods)
        for operation in paths[path].values():
            assert operation["x-amazon-apigateway-integration"]["payloadFormatVersion"] == "2.0"
            guarded = path == "/api/v1/whoami"
            assert operation.get("security") == ([{"ApiKeyAuthorizer": []}] if guarded else None)


def test_the_authorizers_verdict_is_never_cached(settled: Settle) -> None:
    """Guarantee: with a cached verdict, revoked would mean revoked some time later.

    Seen to fail with a `ReauthorizeEvery` of 300 seconds.
    """
    schemes = body(settled())["components"]["securitySchemes"]
    authorizer = schemes["ApiKeyAuthorizer"]["x-amazon-apigateway-authorizer"]
    assert authorizer["authorizerResultTtlInSeconds"] == 0
    assert authorizer["authorizerPayloadFormatVersion"] == "2.0"
    assert authorizer["enableSimpleResponses"] is True


def test_cors_survives_the_transform_whole(settled: Settle) -> None:
    """With an !If inside, SAM's translator would put that !If in place of all of it."""
    assert body(settled(CorsOrigins=ORIGINS))["x-amazon-apigateway-cors"] == CORS


def test_without_origins_there_is_no_cors(settled: Settle) -> None:
    """Guarantee: unless the deployment names it, no page of another origin may call."""
    assert "x-amazon-apigateway-cors" not in body(settled())


def test_preflights_have_a_route_without_an_authorizer(settled: Settle) -> None:
    """On AWS, $default would catch them and answer 405, and a preflight needs a 2xx."""
    unknown = body(settled())["paths"][UNKNOWN]
    assert unknown.keys() == {"options", "x-amazon-apigateway-any-method"}
    assert "security" not in unknown["options"]
    uri = unknown["options"]["x-amazon-apigateway-integration"]["uri"]
    assert "${RefuseUnknownRouteFunction.Arn}" in uri["Fn::Sub"]


def test_the_reference_can_be_left_out(settled: Settle) -> None:
    whole, without = settled(), settled(ReferencePage="false")
    assert body(whole)["paths"].keys() - body(without)["paths"].keys() == REFERENCE
    gone = whole.keys() - without.keys()
    assert {whole[name]["Type"] for name in gone} == {
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::IAM::Role",
        "AWS::Logs::LogGroup",
    }
    assert all(name.startswith("ServeReference") for name in gone)


@pytest.mark.parametrize(
    ("on", "off", "path", "name"),
    [
        ({}, {"RevokeByString": "off"}, "/api/v1/api-keys/revoke", "RevokeLeakedApiKey"),
        ({"GithubAlerts": "true"}, {}, "/api/v1/api-keys/leaked/github", "RevokeApiKeysFoundByGithub"),
    ],
)
def test_a_way_to_revoke_by_string_that_is_off_is_not_there(
    settled: Settle, on: dict[str, str], off: dict[str, str], path: str, name: str
) -> None:
    """Guarantee: no route, and nothing of its function; GitHub's is off unless asked for."""
    with_it, without = settled(**on), settled(**off)
    assert body(with_it)["paths"].keys() - body(without)["paths"].keys() == {path}
    gone = with_it.keys() - without.keys()
    assert {f"{name}Function", f"{name}Role", f"{name}Logs"} < gone
    alarms = {one for one in gone if with_it[one]["Type"] == "AWS::CloudWatch::Alarm"}
    assert all(one.startswith(name) for one in gone - alarms)


def test_routes_are_throttled_by_parameter(settled: Settle) -> None:
    given = {f"{kind}Limit": str(number) for number, kind in enumerate(LIMITS)}
    stage = settled(**given)["HttpApiApiGatewayDefaultStage"]["Properties"]

    def limits(rate: str, burst: str) -> dict[str, str]:
        return {"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst}

    assert stage["DefaultRouteSettings"] == limits("0", "1")
    unknown = ("$default", f"ANY {UNKNOWN}", f"OPTIONS {UNKNOWN}")
    assert stage["RouteSettings"] == {
        **dict.fromkeys(REVOKES, limits("2", "3")),
        BY_STRING: limits("6", "7"),
        **dict.fromkeys(unknown, limits("4", "5")),
    }


def test_only_routes_that_every_deployment_has_are_throttled_by_name(settled: Settle) -> None:
    """API Gateway refuses a stage with a setting for a route that the API does not have."""
    resources = settled(ReferencePage="false", RevokeByString="off")
    there = {
        f"{'ANY' if method.startswith('x-') else method.upper()} {path}"
        for path, operations in body(resources)["paths"].items()
        for method in operations
    }
    settings = resources["HttpApiApiGatewayDefaultStage"]["Properties"]["RouteSettings"]
    assert settings.keys() - {"$default"} <= there
    assert BY_STRING not in there


def test_no_concurrency_is_reserved_unless_asked_for(settled: Settle) -> None:
    """A literal 0 would switch the function off."""
    assert reserved(settled(**EVERYTHING)) == {}


@pytest.mark.parametrize(("parameter", "functions"), CONCURRENCY.items())
def test_concurrency_is_reserved_by_parameter(settled: Settle, parameter: str, functions: set[str]) -> None:
    """So that public routes, or anything else in the account, cannot starve the authorizer."""
    assert reserved(settled(**EVERYTHING, **{parameter: "50"})) == dict.fromkeys(functions, "50")
