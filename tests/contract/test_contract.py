"""openapi.yaml, the template, the functions and the README say the same."""

import json
import re
from typing import Any

import pytest

from apikeys import errors
from local.template import ROOT, Template
from tests.deployment import EVERYTHING
from tests.documented import CONTRACT
from tools.reference import contract

TEMPLATE = Template(EVERYTHING)
FUNCTIONS = {
    name: function
    for name, function in TEMPLATE.resources("AWS::Serverless::Function").items()
    if name in TEMPLATE.answering()
}
OPERATIONS = {f"{method} {path}": operation for path, method, operation in CONTRACT.operations()}
README = (ROOT / "README.md").read_text()
MAY_BE_LEFT_OUT = {"POST /api/v1/api-keys/revoke", "POST /api/v1/api-keys/leaked/github"}
WITH_TOKEN = [route for route, operation in OPERATIONS.items() if {"jwt"} in map(set, operation["security"])]


def functions_by_route() -> dict[str, str]:
    """Return the function of each route that the contract has: HEAD is GET's, the rest is no route of its own."""
    return {
        f"{event['Properties']['Method']} {event['Properties']['Path']}": name
        for name, function in FUNCTIONS.items()
        for event in function.get("Events", {}).values()
        if event["Properties"].get("Path", "/{proxy+}") != "/{proxy+}"
        and event["Properties"]["Method"] != "HEAD"
    }


def snake_case(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()


def examples() -> dict[int, dict[str, Any]]:
    found = {}
    for response in CONTRACT.document["components"]["responses"].values():
        example = response["content"]["application/json"]["example"]
        if "code" in example:
            found[example["code"]] = example
    return found


def test_the_routes_of_the_contract_are_those_of_the_template() -> None:
    assert OPERATIONS.keys() == functions_by_route().keys()


def test_an_operation_is_called_as_the_folder_of_its_function() -> None:
    for route, name in functions_by_route().items():
        folder = FUNCTIONS[name]["CodeUri"].removeprefix("functions/")
        if folder != "serve_reference":  # which has three routes
            assert snake_case(OPERATIONS[route]["operationId"]) == folder


def test_the_readme_names_every_route_of_the_api_and_no_other() -> None:
    named = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`? ]*)[^`]*`", README))
    assert {route for route in named if "/api/" in route} == {r for r in OPERATIONS if "/api/" in r}
    assert named <= OPERATIONS.keys()


def test_the_readme_shows_the_documented_bodies() -> None:
    bodies = [json.loads(body) for body in re.findall(r'`(\{"error".*?\})`', README)]
    assert bodies
    for body in bodies:
        shown = examples()[body["code"]]
        assert {k: v for k, v in body.items() if k != "details"} == {
            k: v for k, v in shown.items() if k != "details"
        }
        assert CONTRACT.errors({"$ref": f"urn:contract{schema_of(body)}"}, body) == []


def schema_of(body: dict[str, Any]) -> str:
    return "#/components/schemas/" + ("BadRequest" if "details" in body else "Error")


@pytest.mark.parametrize("error", errors.ApiError.__subclasses__(), ids=lambda error: str(error.__name__))
def test_every_error_of_the_code_is_the_documented_example(error: type[errors.ApiError]) -> None:
    shown = examples()[error.status]
    assert (shown["error"], shown["message"]) == (error.error, error.message)


def test_the_contract_documents_no_error_that_the_code_does_not_know() -> None:
    assert examples().keys() == {error.status for error in errors.ApiError.__subclasses__()}


@pytest.mark.parametrize("route", WITH_TOKEN)
def test_every_route_with_a_token_documents_what_can_go_wrong(route: str) -> None:
    responses = OPERATIONS[route]["responses"].keys()
    assert {"400", "401", "403", "405", "500", "503"} <= responses
    assert ("404" in responses) == ("{id}" in route or route in MAY_BE_LEFT_OUT)
    assert ("415" in responses) == ("requestBody" in OPERATIONS[route])


@pytest.mark.parametrize("route", OPERATIONS)
def test_what_api_gateway_says_in_its_own_words_is_documented_as_such(route: str) -> None:
    """Where it answers before us, and nowhere else: what is 4xx by us is of the one shape."""
    own_words = set()
    for status, response in OPERATIONS[route]["responses"].items():
        for content in CONTRACT.follow(response)["content"].values():
            if status >= "400" and not CONTRACT.errors(content["schema"], {"message": "in its own words"}):
                own_words.add(status)
    assert own_words == {"413", "429", "500", "503"} | ({"401", "403"} if "whoami" in route else set())


def test_a_function_may_not_say_it_in_a_gateways_words() -> None:
    """That the check of every answer can fail here: words and headers that only a gateway may use or leave out."""
    path, json_only = "/api/v1/applications/1/api-keys/2", {"content-type": "application/json"}
    body = json.dumps(examples()[500])
    for headers, text in ((json_only, body), (json_only | {"cache-control": "no-store"}, '{"message": "x"}')):
        CONTRACT.check("DELETE", path, 500, headers, text)
        with pytest.raises(AssertionError):
            CONTRACT.check("DELETE", path, 500, headers, text, by_a_function=True)


def test_a_challenge_is_sent_and_not_promised() -> None:
    """What API Gateway makes of `WWW-Authenticate` nobody could tell; a client that needs it would be misled."""
    headers = CONTRACT.document["components"]["headers"]
    challenges = [header for name, header in headers.items() if "Challenge" in name]
    assert len(challenges) == 3
    assert not any(header.get("required") for header in challenges)


def test_every_parameter_has_a_schema_a_description_and_an_example() -> None:
    for item in CONTRACT.document["paths"].values():
        for part in [item, *(part for part in item.values() if isinstance(part, dict))]:
            for reference in part.get("parameters", []):
                parameter = CONTRACT.follow(
                    json.loads(json.dumps(reference).replace('"#/', '"urn:contract#/'))
                )
                assert parameter["description"]
                assert parameter["schema"]
                assert "example" in parameter or "examples" in parameter
                assert parameter["in"] != "path" or parameter["required"]


def test_what_is_served_is_the_contract() -> None:
    assert json.loads(contract()) == CONTRACT.document


def test_an_answer_that_is_not_documented_fails_a_test() -> None:
    """That the check of every answer can fail: a status, a header, a body."""
    path, headers = "/api/v1/applications/1/api-keys/2", {"content-type": "application/json"}
    own = headers | {"cache-control": "no-store"}
    CONTRACT.check("DELETE", path, 200, own, "{}")
    for status, given, text in (
        (418, own, "{}"),
        (200, headers, "{}"),
        (200, own | {"cache-control": "max-age=60"}, "{}"),
        (200, own | {"x-internal": "1"}, "{}"),
        (200, own | {"content-type": "text/html"}, "{}"),
        (200, own, '{"ok": true}'),
        (404, own, '{"error": "Not Found"}'),
    ):
        with pytest.raises(AssertionError):
            CONTRACT.check("DELETE", path, status, given, text)
