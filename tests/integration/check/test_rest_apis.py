"""The check by the Lambda authorizer before a REST API, which wants an IAM policy."""

import re
from typing import Any

import pytest

from local.functions import Context
from tests.deployment import Deployment

pytestmark = pytest.mark.usefixtures("clock")


ARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/prod/GET/things"


def rest_api_event(**members: Any) -> dict[str, Any]:
    context = {"identity": {"sourceIp": "::1"}}
    return {"type": "REQUEST", "version": "1.0", "methodArn": ARN, "requestContext": context} | members


def ask_for_rest_api(deployment: Deployment, **members: Any) -> Any:
    return deployment.handlers["AuthorizeRequestFunction"](rest_api_event(**members), Context("A"))


def test_rest_apis_get_an_iam_policy_for_this_very_method(deployment: Deployment) -> None:
    issued = deployment.issue(owner="alice", scopes=["read"])
    event = {
        "type": "REQUEST",
        "version": "1.0",
        "methodArn": ARN,
        "requestContext": {"identity": {"sourceIp": "::1"}},
    }

    def ask(key: str) -> Any:
        return deployment.handlers["AuthorizeRequestFunction"](
            event | {"headers": {"X-API-Key": key}}, Context("A")
        )

    allowed, denied = ask(issued["key"]), ask("junk")
    assert allowed == {
        "principalId": issued["id"],
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": ARN}],
        },
        "context": {
            "applicationId": issued["applicationId"],
            "keyId": issued["id"],
            "ownerId": "alice",
            "scopes": "read",
        },
    }
    [statement] = denied["policyDocument"]["Statement"]
    assert (statement["Effect"], denied["context"]) == ("Deny", {})


@pytest.mark.parametrize(
    "names", [("X-API-Key", "X-API-Key"), ("x-api-key", "X-API-Key"), ("Authorization",) * 2]
)
def test_of_two_keys_in_the_headers_of_a_rest_api_none_is_taken(
    deployment: Deployment, names: tuple[str, str]
) -> None:
    """REST APIs have all values of a header in `multiValueHeaders`, and the last one only in `headers`."""
    keys = [deployment.issue()["key"] for _ in range(2)]
    several: dict[str, list[str]] = {}
    for name, key in zip(names, keys, strict=True):
        several.setdefault(name, []).append(f"Bearer {key}" if name == "Authorization" else key)
    single = {name: values[-1] for name, values in several.items()}
    answer = ask_for_rest_api(deployment, headers=single, multiValueHeaders=several)
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    one: dict[str, list[str]] = {names[1]: several[names[1]][-1:]}
    answer = ask_for_rest_api(deployment, headers=single, multiValueHeaders=one)
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"


@pytest.mark.parametrize("path", ["*", "files/*", "files/?", "${aws:username}", "a*b"])
def test_a_path_with_a_wildcard_never_becomes_a_policy(deployment: Deployment, path: str) -> None:
    """Guarantee: a policy that somebody caches against our advice is no pass to other paths."""
    arn, key = ARN.replace("things", path), deployment.issue()["key"]
    for presented in (key, "junk"):
        answer = ask_for_rest_api(deployment, methodArn=arn, headers={"X-API-Key": presented})
        [statement] = answer["policyDocument"]["Statement"]
        assert statement["Effect"] == "Deny"
        assert not re.search(r"[*?$]", statement["Resource"])
        assert answer["context"] == {}
