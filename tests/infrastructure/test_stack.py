"""The stack can be created, and its data outlives it or does not, as asked: on moto's CloudFormation.

moto makes all its resources but these (UNSUPPORTED): the HTTP API and its stage, whose definition test_gateway.py
checks, alarms, which tests/integration/test_alarms.py does, and the authorizer's alias, which test_change.py does.
"""

import ast
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from tests.deployment import EVERYTHING
from tests.infrastructure.conftest import PARAMETERS, Settle
from tests.moto_server import empty, moto_server

VERSIONING = ("AWS::Lambda::Alias", "AWS::Lambda::Version")
UNSUPPORTED = ("AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", "AWS::CloudWatch::Alarm", *VERSIONING)
TABLE_ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/"


@dataclass(frozen=True, slots=True)
class Account:
    """An AWS account of moto's, in a process of its own: what other tests keep in moto is not in it."""

    url: str

    def client(self, service: str) -> Any:
        session: Any = boto3.Session("local", "local", region_name="eu-central-1")
        return session.client(service, endpoint_url=self.url)

    @contextmanager
    def stack(self, template: dict[str, Any], **parameters: str) -> Iterator[dict[str, str]]:
        """Create the stack in the empty account, and yield the names of its resources by logical id."""
        empty(self.url)
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", "")
        # Where SAM CLI's validator pretends that it has put the code.
        s3 = self.client("s3")
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_object(Bucket="bucket", Key="value", Body=code.getvalue())
        given = [{"ParameterKey": k, "ParameterValue": v} for k, v in (PARAMETERS | parameters).items()]
        stacks, named = self.client("cloudformation"), {"StackName": "api-keys"}
        # Where there is no alias, the permissions are the function's; and its versions, whose description is made of
        # what moto keeps as something else than text, are left out as well.
        resources = {
            name: one for name, one in template["Resources"].items() if one["Type"] not in VERSIONING
        }
        body = json.dumps(template | {"Resources": resources})
        body = body.replace('"Ref": "AuthorizeRequestFunctionAliaslive"', '"Ref": "AuthorizeRequestFunction"')
        stacks.create_stack(**named, TemplateBody=body, Capabilities=["CAPABILITY_IAM"], Parameters=given)
        [created] = stacks.describe_stacks(**named)["Stacks"]
        assert created["StackStatus"] == "CREATE_COMPLETE"
        # Of what moto does not support there are no ids, of a permission no physical one.
        resources = stacks.describe_stack_resources(**named)["StackResources"]
        known = [resource for resource in resources if "LogicalResourceId" in resource]
        yield {resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "") for resource in known}

    def statements(self, role: str, policy: str) -> list[dict[str, Any]]:
        """Return the statements of a role's policy."""
        document = self.client("iam").get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        # moto's CloudFormation stores it as the text of a Python literal.
        found: list[dict[str, Any]] = ast.literal_eval(document)["Statement"]
        return found


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with moto_server() as url:
        yield Account(url)


def test_everything_is_created(account: Account, transformed: dict[str, Any], settled: Settle) -> None:
    with account.stack(transformed, **EVERYTHING) as names:
        wanted = settled(**EVERYTHING).items()
        assert names.keys() == {name for name, one in wanted if one["Type"] not in UNSUPPORTED}
        assert set(account.client("dynamodb").list_tables()["TableNames"]) == {
            names["ApiKeysTable"],
            names["ApplicationsTable"],
            names["ListingsTable"],
        }


def test_functions_know_their_tables_and_roles_reach_no_others(
    account: Account, transformed: dict[str, Any]
) -> None:
    with account.stack(transformed) as names:
        for function in account.client("lambda").list_functions()["Functions"]:
            variables = function["Environment"]["Variables"]
            assert variables["API_KEYS_TABLE"] == names["ApiKeysTable"]
            assert variables["APPLICATIONS_TABLE"] == names["ApplicationsTable"]
            assert variables["LISTINGS_TABLE"] == names["ListingsTable"]
            assert variables["ISSUER"] == PARAMETERS["Issuer"]
            assert variables["AWS_ENDPOINT_URL_DYNAMODB"] == "", "AWS's own"
        [update, _] = account.statements(names["RevokeApiKeyRole"], "revoke-api-key")
        assert update == {
            "Effect": "Allow",
            "Action": "dynamodb:UpdateItem",
            "Resource": TABLE_ARN + names["ApiKeysTable"],
        }
        [_, query, _, _] = account.statements(names["ListApiKeysRole"], "list-api-keys")
        assert query == {
            "Effect": "Allow",
            "Action": "dynamodb:Query",
            "Resource": TABLE_ARN + names["ListingsTable"],
        }


def test_data_outlives_the_stack_by_default(account: Account, transformed: dict[str, Any]) -> None:
    """Guarantee: not even deleting a table by hand succeeds before somebody takes the protection off."""
    with account.stack(transformed) as names:
        dynamodb = account.client("dynamodb")
        for name in (names["ApiKeysTable"], names["ApplicationsTable"], names["ListingsTable"]):
            assert dynamodb.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"]
            with pytest.raises(dynamodb.exceptions.ClientError, match="DeletionProtectionEnabled"):
                dynamodb.delete_table(TableName=name)


def test_a_trial_stack_leaves_nothing(account: Account, transformed: dict[str, Any]) -> None:
    with account.stack(transformed, KeepData="false"):
        account.client("cloudformation").delete_stack(StackName="api-keys")
        assert account.client("dynamodb").list_tables()["TableNames"] == []
        assert account.client("lambda").list_functions()["Functions"] == []
        assert account.client("logs").describe_log_groups()["logGroups"] == []
        assert account.client("iam").list_roles()["Roles"] == []
