"""A domain of the deployment's own, or a path of one that is there, and API Gateway's own address switched off."""

from typing import Any

import pytest

from local.template import Template
from tests.infrastructure.conftest import PARAMETERS, Settle

CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
DOMAIN = {"DomainName": "api.example.com", "CertificateArn": CERTIFICATE}
PATH = {"DomainName": "api.example.com", "BasePath": "v1/keys"}
DEFAULT = {"Fn::Sub": "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"}


def is_off(resources: dict[str, Any]) -> Any:
    [server] = resources["HttpApi"]["Properties"]["Body"]["servers"]
    return server["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"]


def outputs(**parameters: str) -> dict[str, Any]:
    template = Template(PARAMETERS | parameters)
    found = template.document["Outputs"].items()
    return {name: template.resolve(one["Value"]) for name, one in found if template.has(one)}


def address(name: str, **parameters: str) -> str:
    """Return an output that is an address, with the parameters put in."""
    text: str = outputs(**parameters)[name]["Fn::Sub"]
    for parameter in ("DomainName", "BasePath"):
        text = text.replace("${" + parameter + "}", parameters.get(parameter, ""))
    return text


def test_without_a_domain_the_api_is_at_api_gateways_address(settled: Settle) -> None:
    resources = settled()
    assert not [name for name in resources if name.startswith("CustomDomain")]
    assert is_off(resources) is False
    assert outputs()["ApiUrl"] == DEFAULT
    assert not [name for name in outputs() if name.startswith("Domain")]


def test_a_domain_with_its_certificate_leads_to_the_api_by_tls_1_2(settled: Settle) -> None:
    resources = settled(**DOMAIN)
    [configuration] = resources["CustomDomain"]["Properties"]["DomainNameConfigurations"]
    assert configuration == {
        "CertificateArn": CERTIFICATE,
        "EndpointType": "REGIONAL",
        "SecurityPolicy": "TLS_1_2",
    }
    assert resources["CustomDomainMapping"]["Properties"] == {
        "DomainName": "CustomDomain",
        "ApiId": "HttpApi",
        "Stage": "HttpApiApiGatewayDefaultStage",
    }
    assert is_off(resources) is False, "unless asked for"
    assert {name for name in outputs(**DOMAIN) if name.startswith("Domain")} == {
        "DomainTarget",
        "DomainTargetZone",
    }


def test_without_a_certificate_a_path_is_added_to_a_domain_that_is_there(settled: Settle) -> None:
    """A domain that several APIs share is none of this stack's."""
    resources = settled(**PATH)
    assert "CustomDomain" not in resources
    mapping = resources["CustomDomainMapping"]["Properties"]
    assert (mapping["DomainName"], mapping["ApiMappingKey"]) == (PATH["DomainName"], PATH["BasePath"])
    assert not [name for name in outputs(**PATH) if name.startswith("Domain")]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (DOMAIN, "https://api.example.com"),
        (DOMAIN | {"BasePath": "keys"}, "https://api.example.com/keys"),
        (PATH, "https://api.example.com/v1/keys"),
        (DOMAIN | {"DefaultEndpoint": "false"}, "https://api.example.com"),
    ],
)
def test_the_outputs_say_the_address_of_the_domain(given: dict[str, str], url: str) -> None:
    """Guarantee: no output leads to an address that is switched off. Seen to fail with the base path left out."""
    assert address("ApiUrl", **given) == url
    assert address("ReferenceUrl", **given) == url + "/", "what the page loads is relative to it"
    assert not [name for name, value in outputs(**given).items() if ".execute-api." in str(value)]


def test_the_default_endpoint_can_be_switched_off(settled: Settle) -> None:
    """Guarantee: then nobody gets around what guards the domain. Seen to fail with the condition turned round."""
    assert is_off(settled(**DOMAIN, DefaultEndpoint="false")) is True


def test_an_api_that_nobody_could_reach_is_refused() -> None:
    """Guarantee: the default endpoint is off only with a domain. Seen to fail without the rule."""
    rule = Template({}).document["Rules"]["WithoutADomainTheDefaultEndpointIsTheOnlyOne"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "DomainName"}, ""]}
    assert [assertion["Assert"] for assertion in rule["Assertions"]] == [
        {"Fn::Equals": [{"Ref": "DefaultEndpoint"}, "true"]},
        {
            "Fn::And": [
                {"Fn::Equals": [{"Ref": "CertificateArn"}, ""]},
                {"Fn::Equals": [{"Ref": "BasePath"}, ""]},
            ]
        },
    ]
