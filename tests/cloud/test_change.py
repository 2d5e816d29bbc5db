"""A deployment is changed, to an Amazon Cognito user pool as its identity provider, and taken away."""

from pathlib import Path

from local.issuer import LocalIssuer
from tests.cloud.cognito import Cognito
from tests.cloud.deployed import reach
from tests.cloud.deployment import Deployment
from tests.cloud.emulator import Emulator
from tests.deployment import FORBIDDEN, NOT_FOUND, UNAUTHORIZED
from tests.over_http.fixtures import Step


def what_is_left(account: Emulator, name: str) -> list[str]:
    """Return the names of what is called after a stack, of each kind that it has."""
    found = [one["FunctionName"] for one in account.client("lambda").list_functions()["Functions"]]
    found += account.client("dynamodb").list_tables()["TableNames"]
    found += [one["RoleName"] for one in account.client("iam").list_roles()["Roles"]]
    found += [one["logGroupName"] for one in account.client("logs").describe_log_groups()["logGroups"]]
    found += [one["Name"] for one in account.client("apigatewayv2").get_apis()["Items"]]
    found += [one["AlarmName"] for one in account.client("cloudwatch").describe_alarms()["MetricAlarms"]]
    found += [one["TopicArn"] for one in account.client("sns").list_topics()["Topics"]]
    found += [one["Name"] for one in account.client("events").list_rules()["Rules"]]
    found += [one["Name"] for one in account.client("secretsmanager").list_secrets()["SecretList"]]
    return [one for one in found if name in one]


def authorizers_prefix(deployment: Deployment) -> str:
    """Return the prefix of keys that the authorizer lets through, as whoever asks it has it."""
    alias = deployment.outputs()["AuthorizerFunctionArn"]
    assert alias.endswith(":live")
    client = deployment.emulator.client("lambda")
    version = client.get_alias(FunctionName=alias.removesuffix(":live"), Name="live")["FunctionVersion"]
    found = client.get_function_configuration(FunctionName=alias.removesuffix(":live"), Qualifier=version)
    prefix: str = found["Environment"]["Variables"]["KEY_PREFIX"]
    return prefix


def test_it_is_changed_by_a_second_deploy_keeps_its_data_and_is_deleted_whole(
    account: Emulator, issuer: LocalIssuer, step: Step, tmp_path: Path
) -> None:
    deployment, cognito = Deployment(account, "changing", tmp_path), Cognito.create(account)
    with step("sam deploy, of a stack to change"):
        deployment.deploy(Issuer=issuer.url)
    assert authorizers_prefix(deployment) == "ak"
    stack = reach(deployment, issuer)
    revoked, active = stack.put_key(), stack.put_key(owner=cognito.client_id)
    assert stack.revoke(revoked.application_id, revoked.key_id, stack.token()).status_code == 200
    assert stack.send("GET", "/").status_code == 200
    by_string, by_github = "/api/v1/api-keys/revoke", "/api/v1/api-keys/leaked/github"
    assert stack.send("POST", by_string, data={"token": "ak_junk"}).status_code == 200
    assert stack.send("POST", by_github, json=[]).status_code == 404, "off unless asked for"
    tombstone = stack.stored(revoked.key_id)

    with step("sam deploy, with other parameters"):
        deployment.deploy(
            **cognito.parameters(),
            ReferencePage="false",
            RevokeByString="off",
            KeepData="false",
            KeyPrefix="other",
        )
    assert authorizers_prefix(deployment) == "other", (
        "a parameter's new value reaches those who ask the alias"
    )
    assert reach(deployment, issuer).apis == stack.apis, "the API keeps its address"
    for token, status, body in (
        (stack.token(), 401, UNAUTHORIZED),  # of the issuer before
        (cognito.token("api-keys:read"), 403, FORBIDDEN),
        (cognito.token("api-keys:revoke"), 200, {}),
    ):
        answer = stack.revoke(active.application_id, active.key_id, token)
        assert (answer.status_code, answer.json()) == (status, body)
        assert ("revokedAt" in (stack.stored(active.key_id) or {})) is (status == 200)
    assert stack.stored(revoked.key_id) == tombstone
    for path in ("/", "/openapi.json"):
        gone = stack.send("GET", path)
        assert (gone.status_code, gone.json()) == (404, NOT_FOUND)
    gone = stack.send("POST", by_string, data={"token": "ak_junk"})
    assert (gone.status_code, gone.json()) == (404, NOT_FOUND)

    assert what_is_left(account, "changing") != []
    with step("sam delete"):
        deployment.delete()
    assert what_is_left(account, "changing") == []
