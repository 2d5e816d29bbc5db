"""What came of the stack's resources, beyond the emulator's word that they are complete."""

import json

from local.template import Template
from tests.cloud.deployed import Deployed
from tests.cloud.deployment import ARCHITECTURE
from tests.contract.test_template import UNKNOWN, routes
from tests.deployment import EVERYTHING

TEMPLATE = Template(EVERYTHING)
FUNCTIONS = TEMPLATE.functions()


def test_every_function_runs_what_was_built_and_knows_its_tables(stack: Deployed) -> None:
    names, client = stack.deployment.resources(), stack.deployment.emulator.client("lambda")
    for function in FUNCTIONS:
        found = client.get_function_configuration(FunctionName=names[function])
        assert (found["Runtime"], found["Architectures"]) == ("python3.13", [ARCHITECTURE])
        variables = found["Environment"]["Variables"]
        assert variables["API_KEYS_TABLE"] == names["ApiKeysTable"]
        assert variables["APPLICATIONS_TABLE"] == names["ApplicationsTable"]
        assert variables["LISTINGS_TABLE"] == names["ListingsTable"]
        assert (variables["ISSUER"], variables["STACK_NAME"]) == (stack.issuer.url, "api-keys")
        role = found["Role"].split("/")[-1]
        assert role == names[function.removesuffix("Function") + "Role"]


def test_the_tables_are_as_the_template_has_them(stack: Deployed) -> None:
    names = stack.deployment.resources()
    for name, properties in TEMPLATE.resources("AWS::DynamoDB::Table").items():
        table = stack.dynamodb.describe_table(TableName=names[name])["Table"]
        assert table["KeySchema"] == properties["KeySchema"]
        assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_the_api_has_the_routes_of_the_template_and_one_authorizer_without_a_cache(stack: Deployed) -> None:
    """Guarantee: no verdict of the authorizer is kept."""
    gateway, api = stack.deployment.emulator.client("apigatewayv2"), stack.deployment.resources()["HttpApi"]
    found = {route["RouteKey"]: route for route in gateway.get_routes(ApiId=api, MaxResults="100")["Items"]}
    own = {f"{method} {path}" for path, methods in routes().items() for method in methods}
    assert found.keys() == own | {"$default", f"ANY {UNKNOWN}", f"OPTIONS {UNKNOWN}"}
    [authorizer] = gateway.get_authorizers(ApiId=api)["Items"]
    assert authorizer["AuthorizerResultTtlInSeconds"] == 0
    guarded = {key for key, route in found.items() if route.get("AuthorizerId") == authorizer["AuthorizerId"]}
    assert guarded == {"GET /api/v1/whoami"}


def test_the_authorizer_of_the_outputs_can_be_put_before_another_api(stack: Deployed) -> None:
    arn = stack.deployment.outputs()["AuthorizerFunctionArn"]
    key = stack.put_key()
    event = {"version": "2.0", "type": "REQUEST", "headers": {"x-api-key": "ak_junk"}, "requestContext": {}}
    answer = stack.deployment.emulator.client("lambda").invoke(FunctionName=arn, Payload=json.dumps(event))
    assert json.load(answer["Payload"])["isAuthorized"] is False
    assert stack.stored(key.key_id)
