"""What others call is an alias, which a deployment moves to a new version: at once, or by and by and back again."""

import json
import re
from typing import Any

from tests.deployment import EVERYTHING
from tests.infrastructure.conftest import Settle

ALIAS = {"Ref": "AuthorizeRequestFunctionAliaslive"}
GRADUAL = {"AuthorizerDeployment": "Canary10Percent5Minutes"}
# What all functions are told, and the authorizer does not read.
UNREAD = {
    "ISSUER",
    "AUDIENCE",
    "JWKS_URL",
    "OWNER_CLAIM",
    "SCOPE_PREFIX",
    "APPLICATIONS_TABLE",
    "LISTINGS_TABLE",
}
# Which no function of a deployment on AWS has.
LOCAL = {"DynamoDbEndpoint"}


def authorizer(transformed: dict[str, Any]) -> dict[str, Any]:
    properties = dict(transformed["Resources"]["AuthorizeRequestFunction"]["Properties"])
    variables = properties["Environment"]["Variables"]
    kept = {name: value for name, value in variables.items() if name not in UNREAD}
    return properties | {"Environment": kept}


def version(transformed: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    [(name, found)] = [
        (name, one) for name, one in transformed["Resources"].items() if one["Type"] == "AWS::Lambda::Version"
    ]
    return name, found["Properties"]


def test_others_call_the_alias(transformed: dict[str, Any]) -> None:
    """Guarantee: nobody's API asks what a deployment has not yet moved on to.

    Seen to fail with the function's own ARN in the output, in either permission, and in this API's authorizer.
    """
    assert transformed["Outputs"]["AuthorizerFunctionArn"]["Value"] == ALIAS
    for name in ("AuthorizerPermission", "TrustedAccountPermission"):
        assert transformed["Resources"][name]["Properties"]["FunctionName"] == ALIAS
    own = transformed["Resources"]["HttpApi"]["Properties"]["Body"]["components"]["securitySchemes"]
    uri = own["ApiKeyAuthorizer"]["x-amazon-apigateway-authorizer"]["authorizerUri"]
    assert json.dumps(uri).count("${AuthorizeRequestFunction.Arn}:live") == 1


def test_a_new_value_of_any_parameter_that_the_authorizer_has_publishes_a_version(
    transformed: dict[str, Any],
) -> None:
    """Guarantee: no deployment says that all is well while the alias stays with the old value.

    Seen to fail without the prefix of keys in the version's description, and with one more parameter in a variable.
    """
    parameters = transformed["Parameters"].keys()
    properties = authorizer(transformed)
    del properties["ReservedConcurrentExecutions"]  # of the function, whatever its version
    text = json.dumps(properties)
    used = set(re.findall(r'"Ref": "(\w+)"', text)) | set(re.findall(r"\$\{(\w+)\}", text))
    _, found = version(transformed)
    description = json.dumps(found["Description"])
    told = set(re.findall(r'"Ref": "(\w+)"', description)) | set(re.findall(r"\$\{(\w+)\}", description))
    made = {"CanaryClient"}  # not a parameter, but of one stack it may be this or that
    # What is told is its stream's label, which is another one for another table.
    used = used - {"ApiKeysTableName"} | {"ApiKeysStreamLabel"}
    assert (used & (parameters | made)) - LOCAL == told & (parameters | made)


def test_a_new_layer_publishes_a_version(transformed: dict[str, Any]) -> None:
    """Guarantee: what is mended in the layer reaches those who ask the alias.

    Seen to fail with the layer's name in the version's description, in place of its number.
    """
    _, found = version(transformed)
    _, variables = found["Description"]["Fn::Sub"]
    [layer] = authorizer(transformed)["Layers"]
    assert variables["Layer"] == {"Fn::Select": [7, {"Fn::Split": [":", layer]}]}


def test_a_versions_description_never_gets_too_long(transformed: dict[str, Any]) -> None:
    """Lambda takes 256 characters. Seen to fail with twenty more of them."""
    parameters = transformed["Parameters"]
    longest = {
        "Layer": 5,
        "Architecture": max(map(len, parameters["Architecture"]["AllowedValues"])),
        "KeyPrefix": 16,  # by its pattern
        "ApiKeysStreamLabel": len("2026-11-27T12:00:00.000"),  # by its pattern
        "Canary": parameters["CanaryOwner"]["MaxLength"],  # a client of Cognito's has 26
        # Without what each id begins with.
        "Subnets": parameters["SubnetIds"]["MaxLength"] - 5 * len("subnet-"),
        "Groups": parameters["SecurityGroupIds"]["MaxLength"] - 4 * len("sg-"),
    }
    _, found = version(transformed)
    template, variables = found["Description"]["Fn::Sub"]
    assert variables["Subnets"] == {"Fn::Join": ["", {"Fn::Split": ["subnet-", {"Ref": "SubnetIds"}]}]}
    assert variables["Groups"] == {"Fn::Join": ["", {"Fn::Split": ["sg-", {"Ref": "SecurityGroupIds"}]}]}
    for name, length in longest.items():
        template = template.replace("${" + name + "}", "x" * length)
    assert "$" not in template
    assert len(template) <= 256


def test_a_version_takes_over_at_once_unless_asked_otherwise(settled: Settle) -> None:
    """Seen to fail with a role of a gradual deployment that every stack has."""
    resources = settled()
    assert "UpdatePolicy" not in resources[ALIAS["Ref"]]
    assert not [name for name, one in resources.items() if "CodeDeploy" in one["Type"]]
    assert not [name for name in resources if name.startswith("AuthorizerDeployment")]


def test_a_gradual_deployment_goes_back_when_the_authorizer_fails(settled: Settle) -> None:
    """Guarantee: a version that fails reaches some requests for a minute or two, and not all of them for good.

    Whatever alarm watches the authorizer takes it back, and the canary's.

    Seen to fail without the alarm in the deployment, and with an alarm on the function in place of the alias.
    """
    resources = settled(**GRADUAL)
    update = resources[ALIAS["Ref"]]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    group = resources[update["DeploymentGroupName"]]["Properties"]
    watching = {
        name
        for name, one in resources.items()
        if one["Type"] == "AWS::CloudWatch::Alarm"
        and {"Name": "FunctionName", "Value": "AuthorizeRequestFunction"} in one["Properties"]["Dimensions"]
    }
    assert len(watching) == 4
    assert group["AlarmConfiguration"]["Enabled"]
    assert {one["Name"] for one in group["AlarmConfiguration"]["Alarms"]} == watching
    with_a_canary = settled(**GRADUAL, **EVERYTHING)[update["DeploymentGroupName"]]["Properties"]
    assert {one["Name"] for one in with_a_canary["AlarmConfiguration"]["Alarms"]} == watching | {
        "TimeToLoseAccess"
    }
    assert set(group["AutoRollbackConfiguration"]["Events"]) >= {"DEPLOYMENT_STOP_ON_ALARM"}
    assert group["DeploymentConfigName"]["Fn::Sub"][1] == {"ConfigName": GRADUAL["AuthorizerDeployment"]}
    alarm = resources["AuthorizerFailsAlarm"]["Properties"]
    # As Lambda emits it for an alias.
    assert alarm["Dimensions"] == [
        {"Name": "FunctionName", "Value": "AuthorizeRequestFunction"},
        {"Name": "Resource", "Value": {"Fn::Sub": "${AuthorizeRequestFunction}:live"}},
    ]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
