"""What an account may ask for: a boundary of roles, a key of its own, a network. Each is off unless it is given."""

from typing import Any

import pytest

from local.template import Template
from tests.deployment import EVERYTHING
from tests.infrastructure.conftest import Settle, of_type

BOUNDARY = {"PermissionsBoundary": "arn:aws:iam::123456789012:policy/boundary"}
KEY = {"KmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"}
GRADUAL = {"AuthorizerDeployment": "Canary10Percent5Minutes"}
NETWORK = {"SubnetIds": "subnet-0a,subnet-0b", "SecurityGroupIds": "sg-0a"}


def each_of(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    found = list(of_type(resources, kind).values())
    assert found
    return found


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("AWS::IAM::Role", "PermissionsBoundary"),
        ("AWS::IAM::Role", "ManagedPolicyArns"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::Lambda::Function", "VpcConfig"),
    ],
)
def test_nothing_of_it_is_there_unless_it_is_given(settled: Settle, kind: str, name: str) -> None:
    """Seen to fail with a log group that has a key of its own, and with a role that has a boundary of its own."""
    assert not [one for one in each_of(settled(**EVERYTHING), kind) if name in one]


def test_every_role_is_bounded(settled: Settle) -> None:
    """Guarantee: an account that refuses roles without its boundary gets none, not even while a version takes over.

    Seen to fail with one role that has none, a function's and the gradual deployment's.
    """
    for role in each_of(settled(**EVERYTHING, **GRADUAL, **BOUNDARY), "AWS::IAM::Role"):
        assert role["PermissionsBoundary"] == BOUNDARY["PermissionsBoundary"]


def test_tables_and_logs_are_encrypted_with_the_key_that_is_given(settled: Settle) -> None:
    """Guarantee: no table and no log is left to a key of AWS's, the access log's neither.

    Seen to fail with an access log without the key, and with one table without it.
    """
    resources = settled(**EVERYTHING, **KEY)
    for group in each_of(resources, "AWS::Logs::LogGroup"):
        assert group["KmsKeyId"] == KEY["KmsKeyArn"]
    for table in each_of(resources, "AWS::DynamoDB::Table"):
        encryption = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY["KmsKeyArn"]}
        assert table["SSESpecification"] == encryption


def test_without_a_key_the_tables_are_encrypted_with_awss(settled: Settle) -> None:
    for table in each_of(settled(), "AWS::DynamoDB::Table"):
        assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}


def test_every_function_is_in_the_network_that_is_given(settled: Settle) -> None:
    """Seen to fail with one function that is left out of it, and with one role that Lambda may not connect by."""
    resources = settled(**EVERYTHING, **NETWORK)
    network = {
        "SubnetIds": {"Fn::Split": [",", NETWORK["SubnetIds"]]},
        "SecurityGroupIds": {"Fn::Split": [",", NETWORK["SecurityGroupIds"]]},
    }
    for function in each_of(resources, "AWS::Lambda::Function"):
        assert function["VpcConfig"] == network
    for role in each_of(resources, "AWS::IAM::Role"):
        assert role["ManagedPolicyArns"] == ["NetworkInterfaces"]


def test_in_a_network_lambda_makes_interfaces_and_the_functions_code_does_not(settled: Settle) -> None:
    """Guarantee: what Lambda must be allowed there, a function's code is denied by the same role.

    Seen to fail with an action less that is denied, and with the denial for one function only.
    """
    [policy] = each_of(settled(**NETWORK), "AWS::IAM::ManagedPolicy")
    allow, deny = policy["PolicyDocument"]["Statement"]
    assert (allow["Effect"], deny["Effect"]) == ("Allow", "Deny")
    assert allow["Action"] == deny["Action"]
    [source] = deny["Condition"]["ArnLike"].items()
    assert source == ("lambda:SourceFunctionArn", {"Fn::Sub": "arn:${AWS::Partition}:lambda:*:*:function:*"})
    assert all(action.startswith("ec2:") for action in allow["Action"])


def test_a_network_needs_to_say_what_may_be_reached() -> None:
    """Seen to fail without the assertion of the rule."""
    rule = Template({}).document["Rules"]["SubnetsHaveSecurityGroups"]
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "SubnetIds"}, ""]}]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "SecurityGroupIds"}, ""]}]}
