"""Guarantee: in the template as CloudFormation gets it, each role allows exactly this, on exactly that."""

from typing import Any

import pytest

from tests.infrastructure.conftest import of_type

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    ],
}
OF_A_STREAM = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
# Besides writing its own log, what the role of each function allows.
ALLOWED = {
    "AuthorizeRequest": {("dynamodb:GetItem", "ApiKeysTable")},
    "CreateApplication": {("dynamodb:PutItem", "ListingsTable"), ("dynamodb:PutItem", "ApplicationsTable")},
    # Two of them with a `*`, for API Gateway's own ids: it is about whichever APIs there are.
    "FindCachedAuthorizers": {
        ("apigateway:GET", f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}::/{path}")
        for kind in ("apis", "restapis")
        for path in (kind, f"{kind}/*/authorizers")
    },
    "IntrospectApiKey": {("dynamodb:GetItem", "ApiKeysTable")},
    "IssueApiKey": {
        ("dynamodb:GetItem", "ApplicationsTable"),
        ("dynamodb:PutItem", "ListingsTable"),
        ("dynamodb:PutItem", "ApiKeysTable"),
    },
    "ListApiKeys": {
        ("dynamodb:GetItem", "ApplicationsTable"),
        ("dynamodb:Query", "ListingsTable"),
        ("dynamodb:BatchGetItem", "ApiKeysTable"),
    },
    "ListApplications": {("dynamodb:Query", "ListingsTable"), ("dynamodb:BatchGetItem", "ApplicationsTable")},
    "MeasureRevocation": {("secretsmanager:GetSecretValue", "CanaryCredentials or CanarySecretArn")},
    "PublishAuditEvents": {
        *((f"dynamodb:{action}", "ApiKeysTable.StreamArn") for action in OF_A_STREAM),
        ("sqs:SendMessage", "AuditFailures"),
        ("events:PutEvents", "AuditBus"),
    },
    "ReadApiKey": {("dynamodb:GetItem", "ApiKeysTable"), ("dynamodb:GetItem", "ApplicationsTable")},
    "RefuseUnknownRoute": set(),
    "RevokeAllApiKeys": {
        ("dynamodb:GetItem", "ApplicationsTable"),
        ("dynamodb:Query", "ListingsTable"),
        ("dynamodb:BatchGetItem", "ApiKeysTable"),
        ("dynamodb:UpdateItem", "ApiKeysTable"),
    },
    "RevokeApiKey": {("dynamodb:UpdateItem", "ApiKeysTable")},
    "RevokeApiKeysFoundByGithub": {("dynamodb:UpdateItem", "ApiKeysTable")},
    "RevokeLeakedApiKey": {("dynamodb:UpdateItem", "ApiKeysTable")},
    "RotateApiKey": {
        ("dynamodb:PutItem", "ListingsTable"),
        ("dynamodb:GetItem", "ApiKeysTable"),
        ("dynamodb:PutItem", "ApiKeysTable"),
        ("dynamodb:UpdateItem", "ApiKeysTable"),
    },
    "ServeReference": set(),
    "Whoami": set(),
}


def named(resource: dict[str, Any]) -> str:
    """Return the resource of a statement, an exact ARN, by its logical id."""
    if "Fn::If" in resource:
        condition, own, given = resource["Fn::If"]
        if "Ref" in own:
            return f"{own['Ref']} or {given['Ref']}"
        assert condition == f"{own['Fn::GetAtt'][0]}IsOurs"  # test_adoption.py holds the other one
        resource = own
    if "Fn::Sub" in resource:
        return str(resource["Fn::Sub"])
    assert resource.keys() == {"Fn::GetAtt"}
    name, attribute = resource["Fn::GetAtt"]
    assert attribute in ("Arn", "StreamArn")
    return str(name if attribute == "Arn" else f"{name}.{attribute}")


def pairs(statement: dict[str, Any]) -> set[tuple[str, str]]:
    assert set(statement) == {"Effect", "Action", "Resource"}
    assert statement["Effect"] == "Allow"
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    of = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    return {(action, named(resource)) for action in actions for resource in of}


def test_every_function_has_a_role_of_its_own(transformed: dict[str, Any]) -> None:
    functions = of_type(transformed["Resources"], "AWS::Lambda::Function")
    assert {name: function["Role"] for name, function in functions.items()} == {
        f"{name}Function": {"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in ALLOWED
    }
    deployments = {"AuthorizerDeploymentRole"}  # which no function has
    assert (
        of_type(transformed["Resources"], "AWS::IAM::Role").keys()
        == {f"{name}Role" for name in ALLOWED} | deployments
    )


@pytest.mark.parametrize("name", ALLOWED)
def test_a_role_allows_exactly_this(transformed: dict[str, Any], name: str) -> None:
    """Without a single `*`: DynamoDB and CloudWatch Logs take exact resources for all of these actions.

    Seen to fail with `dynamodb:DeleteItem` for the revoke.
    """
    role = of_type(transformed["Resources"], "AWS::IAM::Role")[f"{name}Role"]
    # No policies of AWS's: AWSLambdaBasicExecutionRole allows writing every log of the account.
    assert set(role) == {"AssumeRolePolicyDocument", "PermissionsBoundary", "ManagedPolicyArns", "Policies"}
    assert role["AssumeRolePolicyDocument"] == TRUST
    [policy] = role["Policies"]
    granted = set.union(*(pairs(statement) for statement in policy["PolicyDocument"]["Statement"]))
    own_log = {("logs:CreateLogStream", f"{name}Logs"), ("logs:PutLogEvents", f"{name}Logs")}
    assert granted == ALLOWED[name] | own_log
    assert not [pair for pair in granted if "*" in "".join(pair) and name != "FindCachedAuthorizers"]


def test_no_function_may_delete_a_key() -> None:
    """Guarantee: what was revoked stays, as a tombstone; the canary's keys, too.

    Seen to fail with a function that may `dynamodb:DeleteItem`.
    """
    assert not [
        action
        for role in ALLOWED.values()
        for action, _ in role
        if "Delete" in action or ("Batch" in action and "Write" in action)
    ]


def test_only_this_api_may_invoke_and_each_route_only_its_function(transformed: dict[str, Any]) -> None:
    """The `*` are as SAM writes them, all within this one API.

    They stand for its stages, for path parameters, for whatever no route matches, and for the authorizer's id, which
    does not exist before the API does.
    """
    permissions = of_type(transformed["Resources"], "AWS::Lambda::Permission")
    del permissions["TrustedAccountPermission"]  # which a deployment has by parameter only
    for name in ("MeasureRevocationFunction", "FindCachedAuthorizersFunction"):
        assert permissions.pop(f"{name}SchedulePermission") == {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": name},
            "Principal": "events.amazonaws.com",
            "SourceArn": {"Fn::GetAtt": [f"{name}Schedule", "Arn"]},
        }
    own = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${HttpApi}/authorizers/*"
    assert permissions.pop("AuthorizerPermission") == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": "AuthorizeRequestFunctionAliaslive"},
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": {"Fn::Sub": own},
    }
    sources = set()
    for permission in permissions.values():
        assert permission["Action"] == "lambda:InvokeFunction"
        assert permission["Principal"] == "apigateway.amazonaws.com"
        source, variables = permission["SourceArn"]["Fn::Sub"]
        assert variables == {"__ApiId__": {"Ref": "HttpApi"}} | (
            {"__Stage__": "*"} if "Stage" in source else {}
        )
        function = permission["FunctionName"]
        name = function["Ref"] if "Ref" in function else function["Fn::GetAtt"][0]
        prefix = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/"
        assert source.startswith(prefix)
        sources.add((name.removesuffix("Function"), source.removeprefix(prefix)))
    assert sources == {
        ("CreateApplication", "${__Stage__}/POST/api/v1/applications"),
        ("IntrospectApiKey", "${__Stage__}/POST/api/v1/api-keys/introspect"),
        ("IssueApiKey", "${__Stage__}/POST/api/v1/applications/*/api-keys"),
        ("ListApiKeys", "${__Stage__}/GET/api/v1/applications/*/api-keys"),
        ("ListApplications", "${__Stage__}/GET/api/v1/applications"),
        ("ReadApiKey", "${__Stage__}/GET/api/v1/applications/*/api-keys/*"),
        ("RefuseUnknownRoute", "${__Stage__}/*"),
        ("RevokeAllApiKeys", "${__Stage__}/POST/api/v1/applications/*/api-keys/revoke-all"),
        ("RevokeApiKey", "${__Stage__}/DELETE/api/v1/applications/*/api-keys/*"),
        ("RevokeApiKeysFoundByGithub", "${__Stage__}/POST/api/v1/api-keys/leaked/github"),
        ("RevokeLeakedApiKey", "${__Stage__}/POST/api/v1/api-keys/revoke"),
        ("RotateApiKey", "${__Stage__}/POST/api/v1/applications/*/api-keys/*/rotate"),
        ("ServeReference", "${__Stage__}/GET/"),
        ("ServeReference", "${__Stage__}/GET/openapi.json"),
        ("ServeReference", "${__Stage__}/GET/assets/*"),
        ("ServeReference", "${__Stage__}/HEAD/"),
        ("ServeReference", "${__Stage__}/HEAD/openapi.json"),
        ("ServeReference", "${__Stage__}/HEAD/assets/*"),
        ("Whoami", "${__Stage__}/GET/api/v1/whoami"),
    }
