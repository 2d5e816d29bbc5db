"""Which services may invoke a function, and for whom."""

from typing import Any

import pytest

from local.template import ROOT, Template
from tests.deployment import EVERYTHING
from tests.infrastructure.conftest import PARAMETERS, Settle, transform

EXAMPLES = sorted((ROOT / "examples").glob("*/template.yaml"))
ACCOUNT = "210987654321"


def permissions(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::Lambda::Permission"
    }


def source(permission: dict[str, Any]) -> str:
    if "Fn::GetAtt" in permission["SourceArn"]:
        return ".".join(permission["SourceArn"]["Fn::GetAtt"])
    arn = permission["SourceArn"]["Fn::Sub"]
    return str(arn if isinstance(arn, str) else arn[0]).replace("${TrustedAccount}", ACCOUNT)


def test_every_permission_names_the_api_or_the_account_it_is_for(settled: Settle) -> None:
    """Guarantee: no permission is for API Gateway as such, which serves everybody's APIs."""
    found = permissions(settled(**EVERYTHING, TrustedAccount=ACCOUNT))
    assert len(found) > 10
    for name, permission in found.items():
        if permission["Principal"] == "events.amazonaws.com":
            assert source(permission) == f"{permission['FunctionName']}Schedule.Arn"
            continue
        assert permission["Principal"] == "apigateway.amazonaws.com", name
        own = "${__ApiId__}/" in source(permission) or ":${HttpApi}/" in source(permission)
        assert own or f":{ACCOUNT}:*/authorizers/*" in source(permission), name


def test_another_account_may_ask_the_authorizer_only_if_it_is_named(settled: Settle) -> None:
    assert "TrustedAccountPermission" not in settled()
    resources = settled(TrustedAccount=ACCOUNT)
    permission = resources["TrustedAccountPermission"]["Properties"]
    assert source(permission).endswith(f":{ACCOUNT}:*/authorizers/*")


def test_what_that_account_may_ask_is_what_the_outputs_name() -> None:
    template = Template(PARAMETERS)
    assert template.resolve(template.document["Outputs"]["AuthorizerFunctionArn"]["Value"]) == authorizer()


def authorizer() -> Any:
    template = Template(PARAMETERS)
    permission = template.document["Resources"]["TrustedAccountPermission"]["Properties"]
    return template.resolve(permission["FunctionName"])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_asks_anew_for_each_request_and_lets_only_its_own_api_ask(path: Any) -> None:
    """Guarantee: no verdict of the authorizer is kept, and nothing but the example's API may invoke anything."""
    resources = transform(path, AuthorizerFunctionArn="arn:aws:lambda:eu-central-1:123456789012:function:a")
    found = permissions(resources["Resources"])
    assert len(found) == 2
    assert all("${__ApiId__}/" in source(permission) for permission in found.values())
    assert str(resources).count("'authorizerResultTtlInSeconds': 0") == 1
    assert "authorizerResultTtlInSeconds" not in str(resources).replace(
        "'authorizerResultTtlInSeconds': 0", ""
    )
