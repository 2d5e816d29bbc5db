"""deploy/deployer.yaml: what bounds whoever deploys, and who may take CI's role."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from local.template import Template
from tests.infrastructure.deployer_policies import (
    DEPLOYER,
    OWN_POLICY,
    actions,
    allows,
    as_list,
    filled_in,
    of_ci,
    of_execution,
    statements,
)

BOUNDARY = {"Ref": "Boundary"}


def test_a_role_is_created_only_within_the_boundary(deployer: dict[str, Any]) -> None:
    """Guarantee: whoever can deploy cannot give himself more than a function has.

    Seen to fail with `iam:PutRolePolicy` among what has no condition.
    """
    giving = {"iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"}
    conditional = set[str]()
    for one in of_execution(deployer):
        if giving & set(as_list(one["Action"])):
            assert one.get("Condition", {}).get("StringEquals", {}).get("iam:PermissionsBoundary") == BOUNDARY
            conditional |= set(as_list(one["Action"]))
    assert conditional == giving


def test_only_what_the_template_attaches_can_be_attached(
    created: dict[str, Any], deployer: dict[str, Any]
) -> None:
    """Seen to fail with `AdministratorAccess` in the template."""
    [attach] = [one for one in of_execution(deployer) if one["Action"] == "iam:AttachRolePolicy"]
    patterns = filled_in(attach["Condition"]["ArnLike"]["iam:PolicyARN"])
    roles = [one["Properties"] for one in created.values() if one["Type"] == "AWS::IAM::Role"]
    attached = re.findall(
        r'\{"(?:Fn::Sub|Ref)": "([^"]+)"\}', json.dumps([one.get("ManagedPolicyArns") for one in roles])
    )
    arns = {
        one.replace("${AWS::Partition}", "aws") if one.startswith("arn:") else OWN_POLICY.format(one)
        for one in attached
        if not one.startswith("AWS::")
    }
    assert len(arns) == len(patterns)
    assert all(any(fnmatchcase(arn, pattern) for pattern in patterns) for arn in arns)


def test_a_role_is_passed_only_to_services_that_the_templates_roles_trust(
    created: dict[str, Any], deployer: dict[str, Any]
) -> None:
    """Seen to fail with `ec2.amazonaws.com` besides."""
    trusted = {
        statement["Principal"]["Service"]
        for one in created.values()
        if one["Type"] == "AWS::IAM::Role"
        for statement in one["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    }
    passing = [one for one in of_execution(deployer) if "iam:PassRole" in as_list(one["Action"])]
    [condition] = [one["Condition"] for one in passing]
    assert set(condition["StringEquals"]["iam:PassedToService"]) == trusted


def test_nobody_who_deploys_changes_what_bounds_him(deployer: dict[str, Any]) -> None:
    """Guarantee: not even where the deployer's own stack is named after the stack.

    Seen to fail with a role without its path.
    """
    found = [*of_execution(deployer), *of_ci(deployer)]
    for name, one in deployer.items():
        assert one["Properties"]["Path"] == "/deployers/"
        kind = "role" if one["Type"] == "AWS::IAM::Role" else "policy"
        arn = f"arn:aws:iam::123456789012:{kind}{one['Properties']['Path']}api-keys-deployer-{name}-1A2B3C4D5E6F"
        assert not [
            action for action in actions(found) if action.startswith("iam:") and allows(found, action, arn)
        ]


def codedeploys() -> set[str]:
    """Return what AWS's policy for CodeDeploy's role allows."""
    policy = json.loads(aws_managed_policies_data)["AWSCodeDeployRoleForLambdaLimited"]
    return {action for one in policy["Document"]["Statement"] for action in as_list(one["Action"])}


def test_the_boundary_is_what_the_roles_of_the_stack_have_together(
    created: dict[str, Any], deployer: dict[str, Any]
) -> None:
    """Guarantee: within it every function works, and no role ever has more.

    Seen to fail without `dynamodb:Query`, and with `dynamodb:DeleteItem`.
    """
    roles = [one["Properties"] for one in created.values() if one["Type"] == "AWS::IAM::Role"]
    documents = [policy["PolicyDocument"] for role in roles for policy in role.get("Policies", [])]
    documents += [
        one["Properties"]["PolicyDocument"]
        for one in created.values()
        if one["Type"] == "AWS::IAM::ManagedPolicy"
    ]
    allowed = [one for document in documents for one in document["Statement"] if one["Effect"] == "Allow"]
    of_functions, bounded = actions(allowed), actions(statements(deployer["Boundary"]))
    assert of_functions <= bounded
    # Its hooks, the topics that it tells and revisions in S3 are what this deployment has none of.
    others = {
        one for one in codedeploys() if not one.startswith(("sns:", "s3:")) and one != "lambda:InvokeFunction"
    }
    assert bounded - of_functions == others


def test_only_that_environment_of_that_repository_takes_the_role(deployer: dict[str, Any]) -> None:
    """Guarantee: no other workflow, and no pull request. Seen to fail with `StringLike`, which a wildcard fits."""
    [trust] = deployer["DeployerRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    issuer = "token.actions.githubusercontent.com"
    assert trust["Condition"] == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": {"Fn::Sub": "repo:${Repository}:environment:${Environment}"},
        }
    }
    assert list(trust["Principal"]) == ["Federated"]


def test_without_a_repository_there_is_no_role_for_ci() -> None:
    template = Template({}, path=DEPLOYER)
    there = {name for name, one in template.document["Resources"].items() if template.has(one)}
    assert "DeployerRole" not in there
    assert "ExecutionRole" in there
