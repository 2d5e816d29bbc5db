"""The stack can be created, and its data outlives it or does not, as asked: on moto's CloudFormation.

moto makes all its resources but the HTTP API and its stage (UNSUPPORTED), whose definition is checked in place.
"""

import ast
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.run import AWS_ENVIRONMENT
from local.template import environment
from tests.contract.test_template import routes
from tests.infrastructure.conftest import PARAMETERS

UNSUPPORTED = {"HttpApi", "HttpApiApiGatewayDefaultStage"}
ACCOUNT = "arn:aws:dynamodb:eu-central-1:123456789012:table/"
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS..ApiGatewayV2:UserWarning")


@contextmanager
def stack(transformed: dict[str, Any], **parameters: str) -> Iterator[dict[str, str]]:
    """Create it, and yield the names of its resources by logical id."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    with mock_aws(), environment(AWS_ENVIRONMENT):
        boto3.setup_default_session()
        # Where SAM CLI's validator pretends that it has put the code.
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="value", Body=code.getvalue())
        cloudformation = boto3.client("cloudformation")
        cloudformation.create_stack(
            StackName="api-keys",
            TemplateBody=json.dumps(transformed),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in (PARAMETERS | parameters).items()
            ],
        )
        [created] = cloudformation.describe_stacks(StackName="api-keys")["Stacks"]
        assert created["StackStatus"] == "CREATE_COMPLETE"
        resources = cloudformation.describe_stack_resources(StackName="api-keys")["StackResources"]
        # Of what moto does not support there are no ids, of a permission no physical one.
        named = [resource for resource in resources if "LogicalResourceId" in resource]
        yield {resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "") for resource in named}


def tables() -> list[str]:
    return boto3.client("dynamodb").list_tables()["TableNames"]


def statements(role: str, policy: str) -> list[dict[str, Any]]:
    document: Any = boto3.client("iam").get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    # moto's CloudFormation stores it as the text of a Python literal.
    found: list[dict[str, Any]] = ast.literal_eval(document)["Statement"]
    return found


def test_everything_is_created(transformed: dict[str, Any]) -> None:
    with stack(transformed) as names:
        assert names.keys() == transformed["Resources"].keys() - UNSUPPORTED
        assert set(tables()) == {names["ApiKeysTable"], names["ApplicationsTable"]}


def test_functions_know_their_tables_and_roles_reach_no_others(transformed: dict[str, Any]) -> None:
    with stack(transformed) as names:
        for function in boto3.client("lambda").list_functions()["Functions"]:
            variables = function["Environment"]["Variables"]
            assert variables["API_KEYS_TABLE"] == names["ApiKeysTable"]
            assert variables["APPLICATIONS_TABLE"] == names["ApplicationsTable"]
            assert variables["ISSUER"] == PARAMETERS["Issuer"]
            assert variables["AWS_ENDPOINT_URL_DYNAMODB"] == "", "AWS's own"
        [update, _] = statements(names["RevokeApiKeyRole"], "revoke-api-key")
        assert update == {
            "Effect": "Allow",
            "Action": "dynamodb:UpdateItem",
            "Resource": ACCOUNT + names["ApiKeysTable"],
        }
        [_, query, _, _] = statements(names["ListApiKeysRole"], "list-api-keys")
        assert query == {
            "Effect": "Allow",
            "Action": "dynamodb:Query",
            "Resource": f"{ACCOUNT}{names['ApiKeysTable']}/index/byApplication",
        }


def test_data_outlives_the_stack_by_default(transformed: dict[str, Any]) -> None:
    """Guarantee: not even deleting a table by hand succeeds before somebody takes the protection off."""
    with stack(transformed) as names:
        dynamodb = boto3.client("dynamodb")
        for name in (names["ApiKeysTable"], names["ApplicationsTable"]):
            assert dynamodb.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"]
            with pytest.raises(dynamodb.exceptions.ClientError, match="DeletionProtectionEnabled"):
                dynamodb.delete_table(TableName=name)


def test_a_trial_stack_leaves_nothing(transformed: dict[str, Any]) -> None:
    with stack(transformed, KeepData="false"):
        boto3.client("cloudformation").delete_stack(StackName="api-keys")
        assert tables() == []
        assert boto3.client("lambda").list_functions()["Functions"] == []
        assert boto3.client("logs").describe_log_groups()["logGroups"] == []
        assert boto3.client("iam").list_roles()["Roles"] == []


def test_the_api_has_the_routes_of_the_template(transformed: dict[str, Any]) -> None:
    """In its OpenAPI definition, since moto's CloudFormation makes no HTTP API."""
    paths = transformed["Resources"]["HttpApi"]["Properties"]["Body"]["paths"]
    assert paths.keys() == routes().keys() | {"$default"}
    for path, methods in routes().items():
        assert {method.upper() for method in paths[path]} == set(methods)
        for operation in paths[path].values():
            assert operation["x-amazon-apigateway-integration"]["payloadFormatVersion"] == "2.0"
            guarded = path == "/api/v1/whoami"
            assert operation.get("security") == ([{"ApiKeyAuthorizer": []}] if guarded else None)


def test_the_authorizers_verdict_is_never_cached(transformed: dict[str, Any]) -> None:
    """Guarantee: with a cached verdict, revoked would mean revoked some time later."""
    schemes = transformed["Resources"]["HttpApi"]["Properties"]["Body"]["components"]["securitySchemes"]
    authorizer = schemes["ApiKeyAuthorizer"]["x-amazon-apigateway-authorizer"]
    assert authorizer["authorizerResultTtlInSeconds"] == 0
    assert authorizer["authorizerPayloadFormatVersion"] == "2.0"
    assert authorizer["enableSimpleResponses"] is True
