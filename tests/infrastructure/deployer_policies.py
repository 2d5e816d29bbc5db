"""deploy/deployer.yaml, read: what its roles and its boundary allow."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

from local.template import ROOT

DEPLOYER = ROOT / "deploy" / "deployer.yaml"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
GIVEN = {"Repository": "owner/name", "KmsKeyArn": KEY}
# The ARN that CloudFormation gives a policy of the stack.
OWN_POLICY = "arn:aws:iam::123456789012:policy/api-keys-{}-1A2B3C4D5E6F"

type Statement = dict[str, Any]


def filled_in(value: Any) -> Any:
    """Return a value with the names of an account in it."""
    text = json.dumps(value)
    known = {"AWS::Partition": "aws", "AWS::Region": "eu-central-1", "AWS::AccountId": "123456789012"}
    for name, put in (known | {"StackName": "api-keys"}).items():
        text = text.replace("${" + name + "}", put).replace(json.dumps({"Ref": name}), json.dumps(put))
    text = re.sub(r'\{"Fn::Sub": ("[^"$]*")\}', r"\1", text)
    text = text.replace('{"Ref": "KmsKeyArn"}', json.dumps(KEY))
    return json.loads(text)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(resource: dict[str, Any]) -> list[Statement]:
    document = resource["Properties"]["PolicyDocument"]
    found: list[Statement] = document["Statement"]
    return found


def of_execution(deployer: dict[str, Any]) -> list[Statement]:
    """Return the statements of all that CloudFormation's role has."""
    attached = deployer["ExecutionRole"]["Properties"]
    assert attached.keys() == {"Description", "Path", "AssumeRolePolicyDocument", "ManagedPolicyArns"}
    return [one for policy in attached["ManagedPolicyArns"] for one in statements(deployer[policy["Ref"]])]


def of_ci(deployer: dict[str, Any]) -> list[Statement]:
    role = deployer["DeployerRole"]["Properties"]
    assert role.keys() == {"Description", "Path", "AssumeRolePolicyDocument", "Policies"}
    [policy] = role["Policies"]
    found: list[Statement] = policy["PolicyDocument"]["Statement"]
    return found


def actions(found: list[Statement]) -> set[str]:
    assert {one["Effect"] for one in found} == {"Allow"}
    return {action for one in found for action in as_list(one["Action"])}


def allows(found: list[Statement], action: str, arn: str) -> bool:
    """Tell whether a statement allows an action on a resource, whatever its conditions."""
    return any(
        action in as_list(one["Action"])
        and any(fnmatchcase(arn, str(pattern)) for pattern in as_list(filled_in(one["Resource"])))
        for one in found
    )
