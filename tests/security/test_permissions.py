"""Guarantee: each function may do exactly what it does, on exactly its table."""

from typing import Any

import pytest

from local.template import Template
from tests.deployment import EVERYTHING, FORM, Deployment

TEMPLATE = Template(EVERYTHING)
FUNCTIONS = list(TEMPLATE.answering())  # of the others, tests/infrastructure knows what their roles grant


def statements(function: str) -> list[dict[str, Any]]:
    properties = TEMPLATE.resources("AWS::Serverless::Function")[function]
    role = properties["Role"]["Fn::GetAtt"].removesuffix(".Arn")
    [policy] = TEMPLATE.resources("AWS::IAM::Role")[role]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def named(resource: dict[str, str]) -> str:
    """Return a table or log as a recorded call names it."""
    return resource["Fn::GetAtt"].removesuffix(".Arn")


def granted(function: str) -> set[tuple[str, str]]:
    pairs = set()
    for statement in statements(function):
        assert set(statement) == {"Effect", "Action", "Resource"}
        actions, resources = statement["Action"], statement["Resource"]
        for action in actions if isinstance(actions, list) else [actions]:
            for resource in resources if isinstance(resources, list) else [resources]:
                pairs.add((action, named(resource)))
    return pairs


def take_through_every_call(deployment: Deployment, function: str) -> None:
    issued, token = deployment.issue(), deployment.token()
    application, key = {"id": issued["applicationId"]}, {"id": issued["applicationId"], "keyId": issued["id"]}
    deployment.calls.clear()
    match function.removesuffix("Function"):
        case "AuthorizeRequest":
            deployment.accepts(issued["key"])
        case "IntrospectApiKey" as name:
            deployment.call(name, token, body=f"token={issued['key']}", headers=FORM)
        case "RevokeLeakedApiKey":
            deployment.revoke_by_string(f"token={issued['key']}")
        case "RevokeApiKeysFoundByGithub":
            deployment.report_by_github({"token": issued["key"], "type": "api_keys"})
        case "CreateApplication" | "IssueApiKey" as name:
            deployment.call(name, token, path=application, body={"name": "x"})
        case "RotateApiKey" | "ReadApiKey" | "RevokeApiKey" as name:
            deployment.call(name, token, path=key)
            deployment.call(name, token, path=key)
        case name:
            deployment.call(name, token, path=application)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_calls_a_function_makes_are_the_actions_its_role_grants(
    deployment: Deployment, function: str
) -> None:
    take_through_every_call(deployment, function)
    allowed = {pair for pair in granted(function) if pair[0].startswith("dynamodb:")}
    assert set(deployment.calls) == allowed


@pytest.mark.parametrize("function", FUNCTIONS)
def test_besides_that_it_may_only_write_its_own_log(function: str) -> None:
    properties = TEMPLATE.resources("AWS::Serverless::Function")[function]
    logs = properties["LoggingConfig"]["LogGroup"]
    others = {pair for pair in granted(function) if not pair[0].startswith("dynamodb:")}
    assert others == {("logs:CreateLogStream", logs), ("logs:PutLogEvents", logs)}


@pytest.mark.parametrize("function", TEMPLATE.functions())
def test_no_policy_template_or_managed_policy_grants_more(function: str) -> None:
    properties = TEMPLATE.resources("AWS::Serverless::Function")[function]
    role = TEMPLATE.resources("AWS::IAM::Role")[properties["Role"]["Fn::GetAtt"].removesuffix(".Arn")]
    assert "Policies" not in properties
    assert set(role) == {"AssumeRolePolicyDocument", "Policies"}
