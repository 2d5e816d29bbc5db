"""The story of a stack, from nothing: deployed without an issuer, to the last word of `sam delete`."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import jwt
import pytest
import requests

from local.issuer import SCOPES, LocalIssuer
from tests.cloud import aws_cli
from tests.cloud.audit_events import inbox
from tests.cloud.deployed import Deployed, reach
from tests.cloud.deployment import Deployment
from tests.cloud.emulator import REGION, Emulator
from tests.cloud.late_authorizer import LAG, late_authorizer
from tests.cloud.measured import begin_well, is_in_alarm, lines, measure
from tests.cloud.test_change import what_is_left
from tests.over_http.fixtures import Step
from tests.over_http.stack import Stack

NAME = "from-nothing"


@pytest.fixture(scope="module")
def deployment(
    account: Emulator, step: Step, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A stack that was given no issuer; at the end nothing is left of it."""
    deployment = Deployment(account, NAME, tmp_path_factory.mktemp(NAME))
    with step("sam deploy, without an issuer"):
        deployment.deploy(KeepData="false")
    # On AWS the issuer's name leads to its keys; here it would lead out of this machine.
    with step("sam deploy, with the emulator's address of its key set"):
        deployment.deploy(KeepData="false", JwksUrl=f"{account.url}/{pool(deployment)}/.well-known/jwks.json")
    yield deployment
    with step("sam delete"):
        deployment.delete()
    assert what_is_left(account, NAME) == []
    pools = account.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
    assert [found["Name"] for found in pools if found["Name"].startswith(NAME)] == []


@pytest.fixture(scope="module")
def stack(deployment: Deployment, issuer: LocalIssuer) -> Deployed:
    """It, with an issuer whose tokens it does not accept."""
    return reach(deployment, issuer)


@pytest.fixture(scope="module")
def token(deployment: Deployment) -> str:
    """What the command of the outputs prints, with the emulator in Cognito's place."""
    folder = deployment.folder / "bin"
    folder.mkdir()
    aws = folder / "aws"
    aws.write_text(f'#!/bin/sh\nexec {sys.executable} {aws_cli.__file__} "$@"\n')
    aws.chmod(0o755)
    command = deployment.outputs()["FirstToken"]
    command, replaced = re.subn(r"https://\S+\.amazoncognito\.com", deployment.emulator.url, command)
    assert replaced == 1
    path = f"{folder}:{os.environ['PATH']}"
    variables = {**os.environ, **deployment.emulator.environment, "PATH": path}
    run = subprocess.run(["bash", "-c", command], env=variables, capture_output=True, text=True, check=True)
    token: str = json.loads(run.stdout)["access_token"]
    return token


def pool(deployment: Deployment) -> str:
    return deployment.resources()["Callers"]


def test_the_outputs_hold_no_secret(deployment: Deployment) -> None:
    """Guarantee: who may read a stack's outputs, may not by that get a token."""
    client = deployment.resources()["CallersClient"]
    described = deployment.emulator.client("cognito-idp").describe_user_pool_client(
        UserPoolId=pool(deployment), ClientId=client
    )["UserPoolClient"]
    assert described["ClientSecret"] not in json.dumps(deployment.outputs())
    assert described["AllowedOAuthFlows"] == ["client_credentials"]
    assert set(described["AllowedOAuthScopes"]) == {f"api/{scope}" for scope in SCOPES.split()}, "never admin"


def test_the_domain_of_the_outputs_is_the_pools(deployment: Deployment) -> None:
    [domain] = re.findall(rf"https://(\S+)\.auth\.{REGION}\.", deployment.outputs()["TokenUrl"])
    described = deployment.emulator.client("cognito-idp").describe_user_pool_domain(Domain=domain)
    assert described["DomainDescription"]["UserPoolId"] == pool(deployment)


def test_a_key_is_issued_works_is_revoked_and_is_refused_and_that_is_told(
    stack: Stack, deployment: Deployment, token: str
) -> None:
    def works(key: str) -> bool:
        return stack.send("GET", "/api/v1/whoami", key).status_code == 200

    def post(path: str) -> requests.Response:
        answer = stack.send("POST", path, token, json={"name": "first"})
        assert answer.status_code == 201, answer.text
        return answer

    application = post("/api/v1/applications").json()["id"]
    path = f"/api/v1/applications/{application}/api-keys"
    with inbox(deployment) as events:
        one, other = post(path).json(), post(path).json()
        assert works(one["key"])
        assert stack.revoke(application, one["id"], token).json() == {}
        assert not works(one["key"])
        assert works(other["key"])
        issued, revoked = events.wait_for(one["id"], "ApiKeyIssued", "ApiKeyRevoked")
    used = jwt.decode(token, options={"verify_signature": False})
    for event in (issued, revoked):
        assert (event["detail"]["by"], event["detail"]["tokenId"]) == (used["sub"], used["jti"])


@pytest.fixture(scope="module")
def border(deployment: Deployment) -> Iterator[str]:
    """Lead the canary to the emulator, and not to AWS; and to a border, which is the API once more."""
    client, names = deployment.emulator.client, deployment.resources()
    secrets, credentials = client("secretsmanager"), {"SecretId": names["CanaryCredentials"]}
    given = json.loads(secrets.get_secret_value(**credentials)["SecretString"])
    assert given["clientId"] == names["CanaryClient"] != names["CallersClient"]
    assert given["tokenUrl"] == deployment.outputs()["TokenUrl"]
    given["tokenUrl"] = f"{deployment.emulator.url}/oauth2/token"
    secrets.put_secret_value(**credentials, SecretString=json.dumps(given))
    api = f"{deployment.emulator.url}/_aws/execute-api/{names['HttpApi']}/$default"
    border = f"{api}/api/v1/whoami?at=the-border"
    with deployment.with_variables("MeasureRevocationFunction", API_URL=api, GUARDED_URLS=border):
        yield border


def test_the_canary_measures_zero_and_a_revoke_that_comes_late_drives_its_alarm(
    deployment: Deployment, border: str
) -> None:
    """Guarantee: a broken promise is seen, at our own gateway and at the border; and the canary itself is no alarm."""
    measured = measure(deployment, "MeasureRevocation")
    assert measured["CanaryFailures"] == 0, lines(deployment, "MeasureRevocation")
    assert (measured["TimeToLoseAccess"], measured["LongestTimeAtBorder"]) == (0, 0)
    begin_well(deployment, "TimeToLoseAccess")
    with late_authorizer(deployment):
        measured = measure(deployment, "MeasureRevocation")
    assert measured["CanaryFailures"] == 0
    # From the revoke's answer, which is later than the moment that is written on the key.
    assert 0 < measured["TimeToLoseAccess"] <= LAG * 1000
    assert 0 < measured["LongestTimeAtBorder"] <= LAG * 1000
    told = [line for line in lines(deployment, "MeasureRevocation") if "TimeToLoseAccessAtBorder" in line]
    assert told[-1]["Border"] == border
    assert is_in_alarm(deployment, "TimeToLoseAccess")
    assert measure(deployment, "MeasureRevocation")["TimeToLoseAccess"] == 0, "and it is mended"
    said = lines(deployment, "AuthorizeRequest")
    assert [line for line in said if line.get("Outcome") == "revoked"]
    table, dynamodb = deployment.resources()["ApiKeysTable"], deployment.emulator.client("dynamodb")
    for line in said:
        if "RevokedKeyUsed" in line:
            key = dynamodb.get_item(TableName=table, Key={"keyId": {"S": line["key_id"]}})["Item"]
            assert key["ownerId"]["S"] != deployment.resources()["CanaryClient"]


def test_a_canary_that_gets_no_token_fails_and_says_so(deployment: Deployment, border: str) -> None:
    with deployment.with_variables("MeasureRevocationFunction", CANARY_SECRET="nowhere"):
        assert measure(deployment, "MeasureRevocation") == {"CanaryFailures": 1}
    assert is_in_alarm(deployment, "CanaryFails")


def test_an_api_that_keeps_a_verdict_is_found_and_drives_the_alarm(deployment: Deployment) -> None:
    client, name = deployment.emulator.client, deployment.resources()["AuthorizeRequestFunction"]
    assert measure(deployment, "FindCachedAuthorizers") == {"CachedAuthorizers": 0}
    begin_well(deployment, "CachedAuthorizers")
    function = f"arn:aws:lambda:{REGION}:000000000000:function:{name}:live"
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
    http, rest = client("apigatewayv2"), client("apigateway")
    api = http.create_api(Name="keeps", ProtocolType="HTTP")["ApiId"]
    http.create_authorizer(
        ApiId=api,
        Name="keys",
        AuthorizerType="REQUEST",
        AuthorizerUri=uri,
        IdentitySource=["$request.header.Authorization"],
        AuthorizerPayloadFormatVersion="2.0",
        AuthorizerResultTtlInSeconds=60,
    )
    other = rest.create_rest_api(name="keeps as well")["id"]
    rest.create_authorizer(restApiId=other, name="keys", type="TOKEN", authorizerUri=uri)
    try:
        assert measure(deployment, "FindCachedAuthorizers") == {"CachedAuthorizers": 2}
        warnings = [one for one in lines(deployment, "FindCachedAuthorizers") if one["level"] == "WARNING"]
        assert [(one["api"], one["seconds"]) for one in warnings] == [(api, 60), (other, 300)]
        assert is_in_alarm(deployment, "CachedAuthorizers")
    finally:
        http.delete_api(ApiId=api)
        rest.delete_rest_api(restApiId=other)
