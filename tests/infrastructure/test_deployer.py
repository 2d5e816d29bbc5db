"""deploy/deployer.yaml against template.yaml with every option on: who deploys may do what that takes, and no more.

What it takes to create, read, update and delete a resource, each type says in CloudFormation's registry; its schemas
come with cfn-lint. What bounds whoever deploys is in test_deployer_bounds.py. What CI's role is for, the
calls of `sam deploy`, tests/cloud/test_deployer.py listens to.

https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tests.infrastructure.deployer_policies import (
    OWN_POLICY,
    actions,
    allows,
    as_list,
    of_ci,
    of_execution,
    statements,
)

OF_A_TYPE = ("create", "read", "update", "delete")
# What handlers of the registry ask for by features that the template does not use.
UNUSED = {
    "a deployer neither reads nor writes what is in a table: none is imported, none has replicas": {
        *(f"dynamodb:{one}" for one in ("scan", "query", "getitem", "putitem", "updateitem", "deleteitem")),
        *(f"dynamodb:{one}" for one in ("batchwriteitem", "importtable", "describeimport")),
        *("dynamodb:createtablereplica", "dynamodb:associatetablereplica"),
        *("s3:listbucket", "s3:getobjectmetadata", "logs:createlogstream", "logs:putlogevents"),
        "logs:describelogstreams",
    },
    "no table ends items by their age, has insights, or streams to Kinesis": {
        *(
            "dynamodb:updatetimetolive",
            "dynamodb:updatecontributorinsights",
            "kinesis:describestream",
            "kinesis:putrecords",
        ),
        "dynamodb:*kinesisstreamingdestination",
    },
    "no table and no bus has a policy, so nobody gives other accounts a way in": {
        *("dynamodb:putresourcepolicy", "dynamodb:deleteresourcepolicy", "events:putpermission"),
    },
    "no function mounts a file system, is signed, is scaled beforehand or runs on capacity of its own": {
        *(
            "elasticfilesystem:describemounttargets",
            "s3files:listmounttargets",
            "lambda:getcodesigningconfig",
            "lambda:*functioncodesigningconfig",
        ),
        *("lambda:putfunctionscalingconfig", "lambda:*provisionedconcurrencyconfig"),
        *("lambda:passcapacityprovider", "lambda:associateruntimealias"),
    },
    "a role without its boundary is what the boundary is for": {"iam:deleterolepermissionsboundary"},
    "no policy is attached to users or groups": {"iam:*grouppolicy", "iam:*userpolicy"},
    "logs go to CloudWatch alone, and are kept for a time in any case": {
        *(
            "firehose:tagdeliverystream",
            "s3:rest.put.object",
            "logs:*dataprotectionpolicy",
            "logs:*indexpolicy",
        ),
        *("logs:deleteretentionpolicy", "logs:deleteresourcepolicy", "logs:putloggroupdeletionprotection"),
        "logs:putbearertokenauthentication",
    },
    "no topic looks into its messages": {"sns:putdataprotectionpolicy"},
    "the pool's domain is Cognito's, its users have no attributes of ours": {
        *("cloudfront:updatedistribution", "cognito-idp:addcustomattributes"),
    },
    "the canary's secret is what Cognito made, and stays in its Region": {
        *("secretsmanager:getrandompassword", "secretsmanager:replicatesecrettoregions"),
        "secretsmanager:removeregionsfromreplication",
    },
    "CodeDeploy moves functions only": {"codedeploy:registeronpremisesinstance"},
    "tags of an API are a path of it": {"apigateway:tagresource", "apigateway:untagresource"},
    "only tables have the key, and Logs takes it by its own right": {
        *("kms:reencrypt*", "kms:generatedatakeywithoutplaintext", "kms:listaliases"),
    },
}
# What no handler asks for, and AWS's documentation does.
BESIDES = {
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
    *("logs:updatelogdelivery", "logs:deletelogdelivery", "logs:getlogdelivery", "logs:listlogdeliveries"),
}
# Statements whose resource cannot have the stack's name in it, by one of their actions, and why.
NAMELESS = {
    "lambda:PublishLayerVersion": "SAM names a layer by its logical id",
    "lambda:CreateEventSourceMapping": "it gets an id; the condition has the function's name",
    "lambda:GetEventSourceMapping": "an id",
    "s3:GetObject": "SAM CLI's bucket",
    "ec2:DescribeVpcs": "the network is not the stack's",
    "codedeploy:GetDeploymentConfig": "CodeDeploy's own",
    "iam:CreateServiceLinkedRole": "API Gateway's own",
    "logs:DescribeLogGroups": "a list",
    "logs:CreateLogDelivery": "CloudWatch Logs takes no narrower one",
    "kms:CreateGrant": "the key that is given",
    "secretsmanager:CreateSecret": "CloudFormation names a secret without the stack",
    "apigateway:POST": "an id",
    "apigateway:AddCertificateToDomain": "a domain's name",
    "cloudwatch:DescribeAlarms": "a list",
    "sns:Unsubscribe": "an end of a subscription takes none",
    "cognito-idp:CreateUserPool": "a pool gets an id",
    "cognito-idp:CreateUserPoolClient": "an id",
}
ACCOUNT = "eu-central-1:123456789012"


def within(service: str, kind: str = "", name: str = "{}") -> str:
    """Return the ARN of a resource that is named after the stack."""
    return f"arn:aws:{service}:{ACCOUNT}:{kind}api-keys-{name}-1A2B3C4D5E6F"


# By type, what creates a resource, and the ARN that CloudFormation gives one without a name of its own.
CREATES = {
    "AWS::Lambda::Function": ("lambda:CreateFunction", within("lambda", "function:")),
    "AWS::Lambda::Alias": ("lambda:CreateAlias", within("lambda", "function:", "Authorize")),
    "AWS::IAM::Role": ("iam:DeleteRole", "arn:aws:iam::123456789012:role/api-keys-{}-1A2B3C4D5E6F"),
    "AWS::IAM::ManagedPolicy": ("iam:CreatePolicy", OWN_POLICY),
    "AWS::DynamoDB::Table": ("dynamodb:CreateTable", within("dynamodb", "table/")),
    "AWS::Logs::LogGroup": ("logs:CreateLogGroup", within("logs", "log-group:")),
    "AWS::SQS::Queue": ("sqs:CreateQueue", within("sqs")),
    "AWS::SNS::Topic": ("sns:CreateTopic", within("sns")),
    "AWS::CloudWatch::Alarm": ("cloudwatch:PutMetricAlarm", within("cloudwatch", "alarm:")),
    "AWS::Events::Archive": ("events:CreateArchive", within("events", "archive/")),
    "AWS::Events::Rule": ("events:PutRule", within("events", "rule/")),
    "AWS::SecretsManager::Secret": (
        "secretsmanager:CreateSecret",
        f"arn:aws:secretsmanager:{ACCOUNT}:secret:{{}}-1A2B3C4D5E6F-a1b2c3",
    ),
    "AWS::Lambda::LayerVersion": ("lambda:PublishLayerVersion", f"arn:aws:lambda:{ACCOUNT}:layer:{{}}"),
    "AWS::CodeDeploy::Application": ("codedeploy:CreateApplication", within("codedeploy", "application:")),
}
# Properties that name a resource in place of CloudFormation.
NAMES = (
    "LogGroupName",
    "LayerName",
    "Name",
    "FunctionName",
    "RoleName",
    "TableName",
    "AlarmName",
    "QueueName",
)


def needed(created: dict[str, Any]) -> set[str]:
    """Return what the handlers of all types of these resources ask for, in lower case, as IAM compares."""
    found = set()
    for kind in {one["Type"] for one in created.values()}:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-central-1", kind).schema
        for handler in OF_A_TYPE:
            found |= set(schema["handlers"].get(handler, {}).get("permissions", []))
        found |= set((schema.get("tagging") or {}).get("permissions", []))
    return {action.lower() for action in found}


def matching(names: set[str], patterns: set[str]) -> set[str]:
    return {name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)}


def test_whatever_a_deployment_takes_is_allowed_but_what_the_template_does_not_use(
    created: dict[str, Any], deployer: dict[str, Any]
) -> None:
    """Guarantee: a deployment does not stop half way for want of a permission, with whatever options.

    Seen to fail without `lambda:PublishVersion`, and with a resource of a type more in template.yaml.
    """
    allowed = {action.lower() for action in actions(of_execution(deployer))}
    unused = set.union(*UNUSED.values())
    missing = needed(created) - allowed
    assert missing == matching(missing, unused)


def test_every_exception_is_one(created: dict[str, Any], deployer: dict[str, Any]) -> None:
    """Seen to fail with an exception that no type asks for."""
    missing = needed(created) - {action.lower() for action in actions(of_execution(deployer))}
    for why, patterns in UNUSED.items():
        assert not [pattern for pattern in patterns if not matching(missing, {pattern})], why


def test_nothing_is_allowed_that_no_resource_takes(created: dict[str, Any], deployer: dict[str, Any]) -> None:
    """Guarantee: minimal, action by action. Seen to fail with `dynamodb:Scan`, and with `lambda:InvokeFunction`."""
    allowed = {action.lower() for action in actions(of_execution(deployer))}
    assert allowed - needed(created) == BESIDES
    assert (
        not matching(allowed, set.union(*UNUSED.values())) - {"logs:describeindexpolicies"} - READ_BY_HANDLERS
    )


# What is read of features that are not used, to tell that they are not.
READ_BY_HANDLERS = {
    *("dynamodb:describekinesisstreamingdestination", "lambda:getfunctioncodesigningconfig"),
    *("lambda:getprovisionedconcurrencyconfig", "logs:getdataprotectionpolicy"),
}


@pytest.mark.parametrize("name", ["DeployerRole", "ExecutionRole", "Boundary"])
def test_no_action_has_a_wildcard(deployer: dict[str, Any], name: str) -> None:
    """Guarantee: what AWS adds to a service is not allowed before somebody looked. Seen to fail with `sqs:*`."""
    found = {
        "DeployerRole": of_ci(deployer),
        "ExecutionRole": of_execution(deployer),
        "Boundary": statements(deployer["Boundary"]),
    }[name]
    assert not [action for action in actions(found) if "*" in action]
    assert all(one.keys() <= {"Effect", "Action", "Resource", "Condition"} for one in found)


def test_what_has_a_name_is_restricted_to_names_of_the_stack(deployer: dict[str, Any]) -> None:
    """Guarantee: other stacks' resources are out of reach. Seen to fail with all tables in place of the stack's."""
    used = set()
    for one in of_execution(deployer):
        why = NAMELESS.keys() & set(as_list(one["Action"]))
        used |= why
        for resource in as_list(one["Resource"]):
            assert (
                why
                or "${StackName}-" in str(resource)
                or "archive/*" in str(resource)
                or ("/vendedlogs/${StackName}/" in str(resource))
            ), one
    assert used == NAMELESS.keys()


def test_the_names_are_those_that_cloudformation_gives(
    created: dict[str, Any], deployer: dict[str, Any]
) -> None:
    """Guarantee: what is named by the template itself is within reach too. Seen to fail with `audit` as a bus."""
    found, tried = of_execution(deployer), set()
    for name, one in created.items():
        action, arn = CREATES.get(one["Type"], ("", ""))
        if action:
            given = [one.get("Properties", {}).get(member) for member in NAMES]
            own = next((filled_in_by_stack(value) for value in given if value), None)
            exact = arn.format(name) if own is None else re.sub(r"(api-keys-)?\{\}(-1A2B3C4D5E6F)?", own, arn)
            assert allows(found, action, exact), exact
            tried.add(one["Type"])
    assert tried == CREATES.keys()
    [bus] = [one for one in created.values() if one["Type"] == "AWS::Events::EventBus"]
    assert bus["Properties"]["Name"]["Fn::Sub"][0].startswith("${AWS::StackName}-")
    [dashboard] = [one for one in created.values() if one["Type"] == "AWS::CloudWatch::Dashboard"]
    assert dashboard["Properties"]["DashboardName"]["Fn::Sub"].startswith("${AWS::StackName}-")


def filled_in_by_stack(value: Any) -> str:
    """Return a name that the template gives."""
    text: str = value if isinstance(value, str) else as_list(value["Fn::Sub"])[0]
    return text.replace("${AWS::StackName}", "api-keys")


def test_a_policy_is_not_too_long(deployer: dict[str, Any]) -> None:
    """IAM takes 6,144 characters, whatever white space there is."""
    longest = {"AWS::Region": "ap-southeast-1", "AWS::Partition": "aws-us-gov", "StackName": "x" * 24}
    for one in deployer.values():
        if one["Type"] == "AWS::IAM::ManagedPolicy":
            text = json.dumps(one["Properties"]["PolicyDocument"], separators=(",", ":"))
            for name, value in longest.items():
                text = text.replace("${" + name + "}", value)
            assert len(text) <= 6144, one["Properties"]["Description"]
