"""The canary is there where it has somebody to be, and has what it needs and no more."""

import re

import pytest

from local.template import Template
from tests.deployment import EVERYTHING
from tests.infrastructure.conftest import Settle

SECRET = {name: EVERYTHING[name] for name in ("CanarySecretArn", "CanaryOwner")}
BORDER = {"GuardedUrls": EVERYTHING["GuardedUrls"]}
OURS = {"Issuer": "", "Audience": ""}
OWN = {
    "MeasureRevocationFunction",
    "MeasureRevocationFunctionSchedule",
    "MeasureRevocationFunctionSchedulePermission",
    "MeasureRevocationRole",
    "MeasureRevocationLogs",
    "TimeToLoseAccess",
    "CanaryFails",
}
CLIENT = {"CanaryClient", "CanaryCredentials"}
OFF = {"CanaryMinutes": "0"}
DOMAIN = {
    "DomainName": "api.example.com",
    "CertificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/12345678",
}
URL = re.compile(Template({}).document["Parameters"]["GuardedUrls"]["AllowedPattern"])


def owner(settled: Settle, **parameters: str) -> list[str]:
    """Return whose revoked keys are used on purpose, as each function that checks keys is told."""
    resources = settled(**parameters)
    functions = [
        resources[f"{name}Function"]["Properties"] for name in ("AuthorizeRequest", "IntrospectApiKey")
    ]
    return [function["Environment"]["Variables"]["CANARY_OWNER"] for function in functions]


@pytest.mark.parametrize(
    ("parameters", "wanted", "whose"),
    [
        ({}, set(), ""),
        (BORDER, set(), ""),
        ({"CanaryOwner": "alice"}, set(), ""),
        (SECRET, OWN, "canary"),
        (SECRET | BORDER, OWN | {"TimeToLoseAccessAtBorder"}, "canary"),
        (SECRET | OFF, set(), ""),
        (OURS, OWN | CLIENT, "CanaryClient"),
        (OURS | BORDER, OWN | CLIENT | {"TimeToLoseAccessAtBorder"}, "CanaryClient"),
        (OURS | OFF, set(), ""),
    ],
)
def test_it_is_there_where_it_has_somebody_to_be(
    settled: Settle, parameters: dict[str, str], wanted: set[str], whose: str
) -> None:
    """Guarantee: where there is none, nobody's use of a revoked key is without an alarm, whatever CanaryOwner says.

    Seen to fail with CanaryOwner in force while the canary is off.
    """
    every = settled(**OURS, **BORDER).keys() - settled(**OURS, **OFF).keys()
    assert every == OWN | CLIENT | {"TimeToLoseAccessAtBorder"}
    assert settled(**parameters).keys() & every == wanted
    assert owner(settled, **parameters) == [whose] * 2


def test_its_client_is_another_that_can_do_what_it_does_and_no_more(settled: Settle) -> None:
    """Guarantee: never admin, and no introspection either."""
    resources = settled(**OURS)
    client = resources["CanaryClient"]["Properties"]
    assert client["AllowedOAuthFlows"] == ["client_credentials"]
    assert client["AllowedOAuthScopes"] == [f"api/api-keys:{what}" for what in ("read", "write", "revoke")]
    assert client["GenerateSecret"] is True
    for name in ("RevokeApiKey", "IssueApiKey"):
        variables = resources[f"{name}Function"]["Properties"]["Environment"]["Variables"]
        assert variables["AUDIENCE"] == {"Fn::Sub": "${CallersClient} ${CanaryClient}"}
    without = settled(**OURS, **OFF)["RevokeApiKeyFunction"]["Properties"]["Environment"]["Variables"]
    assert without["AUDIENCE"] == "CallersClient"


@pytest.mark.parametrize(
    ("parameters", "secret"), [(SECRET, SECRET["CanarySecretArn"]), (OURS, "CanaryCredentials")]
)
def test_it_reads_the_one_secret_that_is_its_own(
    settled: Settle, parameters: dict[str, str], secret: str
) -> None:
    resources = settled(**parameters)
    function = resources["MeasureRevocationFunction"]["Properties"]
    assert function["Environment"]["Variables"]["CANARY_SECRET"] == secret
    [policy] = resources["MeasureRevocationRole"]["Properties"]["Policies"]
    assert policy["PolicyDocument"]["Statement"][0]["Resource"] == secret


@pytest.mark.parametrize(
    ("parameters", "url"),
    [
        ({}, "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"),
        (DOMAIN, "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"),
        (DOMAIN | {"DefaultEndpoint": "false"}, "https://${DomainName}"),
        (DOMAIN | {"DefaultEndpoint": "false", "BasePath": "v1/keys"}, "https://${DomainName}/${BasePath}"),
    ],
)
def test_it_measures_where_the_api_is(settled: Settle, parameters: dict[str, str], url: str) -> None:
    function = settled(**SECRET, **parameters)["MeasureRevocationFunction"]["Properties"]
    assert function["Environment"]["Variables"]["API_URL"] == {"Fn::Sub": url}


def test_it_runs_as_often_as_asked_for(settled: Settle) -> None:
    rule = settled(**SECRET)["MeasureRevocationFunctionSchedule"]["Properties"]
    assert rule["ScheduleExpression"] == {"Fn::Sub": "rate(${CanaryMinutes} minutes)"}
    assert Template({}).document["Parameters"]["CanaryMinutes"]["Default"] == "5"


def test_a_secret_needs_an_owner_and_an_issuer() -> None:
    rule = Template({}).document["Rules"]["ACanaryWithASecretIsSomebody"]
    given = {"Fn::Not": [{"Fn::Equals": [{"Ref": "CanarySecretArn"}, ""]}]}
    assert rule["RuleCondition"] == given
    needed = [{"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in ("CanaryOwner", "Issuer")]
    assert rule["Assertions"][0]["Assert"] == {"Fn::And": needed}


@pytest.mark.parametrize(
    "good",
    [
        "",
        "https://a.example",
        "https://a.example:8443/v1/x-y_z~1.2/",
        "http://127.0.0.1:3001/x",
        " ".join(["https://a.example/x"] * 10),
    ],
)
def test_borders_are_urls(good: str) -> None:
    assert URL.search(good)


@pytest.mark.parametrize(
    "wrong",
    [
        "http://a.example",
        "https://a.example/?key=x",
        "https://user@a.example/",
        "https://a.example/ ",
        "https://a.example,https://b.example",
        "http://127.0.0.1.example.com:80/",
        " ".join(["https://a.example/x"] * 11),
    ],
)
def test_a_key_is_sent_to_nothing_else(wrong: str) -> None:
    """Guarantee: no border without TLS, none with something secret in its URL, which becomes a dimension."""
    assert not URL.search(wrong)
