"""Lint what SAM's translator makes of template.yaml: by the parameters that add or remove resources.

A program for SAM CLI's environment. Of these options it lints none, all, and each alone: of every two options, both,
neither, and each without the other are among these. A deployment is transformed as AWS does it, its conditions are
decided, and what is left is linted. A resource that was linted before in the same form stands there without its
properties, which is what makes this take seconds. In a deployment with all options one may hide what two of them break
together, so each two are tried with no other as well: nothing may refer to what is not there.
"""

import functools
import itertools
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

from cfnlint.api import lint
from cfnlint.config import ManualArgs

from local.template import ROOT, Template
from tests.infrastructure.transform import transform

CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
# By what each is for, the parameters that add or remove something.
OPTIONS = {
    "an issuer of one's own, and a client of it for the canary": {
        "Issuer": "https://issuer.example.com",
        "Audience": "api-keys",
        "CanarySecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:canary-AbCdEf",
        "CanaryOwner": "canary",
    },
    "no canary": {"CanaryMinutes": "0"},
    "a border to watch": {"GuardedUrls": "https://forecast.example.com/v1/forecast"},
    "CORS": {"CorsOrigins": "https://console.example.com"},
    "no reference page": {"ReferencePage": "false"},
    "no revoke by string": {"RevokeByString": "off"},
    "GitHub's alerts": {"GithubAlerts": "true"},
    "no archive of audit events": {"AuditArchiveDays": "0"},
    "another account": {"TrustedAccount": "210987654321"},
    "nothing is kept": {"KeepData": "false"},
    "reserved concurrency": {
        f"{whose}Concurrency": "10" for whose in ("Authorizer", "Revoke", "RevokeByString", "Public")
    },
    "a gradual deployment": {"AuthorizerDeployment": "Canary10Percent5Minutes"},
    "a domain": {"DomainName": "api.example.com", "CertificateArn": CERTIFICATE},
    "a path of a domain": {"DomainName": "api.example.com", "BasePath": "v1/keys"},
    "a domain alone": {
        "DomainName": "api.example.com",
        "CertificateArn": CERTIFICATE,
        "DefaultEndpoint": "false",
    },
    "bounded roles": {"PermissionsBoundary": "arn:aws:iam::123456789012:policy/boundary"},
    "an alarm topic, no dashboard": {
        "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:on-call",
        "CreateDashboard": "false",
    },
    "an address for alarms": {"AlarmEmail": "on-call@example.com"},
    "a key": {"KmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"},
    "restored tables": {
        "ApiKeysTableName": "restored-ApiKeys",
        "ApiKeysStreamLabel": "2026-11-27T12:00:00.000",
        "ApplicationsTableName": "restored-Applications",
        "ListingsTableName": "restored-Listings",
    },
    "a network": {"SubnetIds": "subnet-0123456789abcdef0", "SecurityGroupIds": "sg-0123456789abcdef0"},
}
# Of what is not used, the whole template tells: here parameters and mappings are, whose values are put in already.
LINTER = ManualArgs(regions=["eu-central-1"], ignore_checks=["W2001", "W7001"])

type Deployment = frozenset[str]


def deployments() -> list[Deployment]:
    """Return the sets of options to try. Of every two options, these hold both, neither, and each without the other."""
    return [frozenset(), frozenset(OPTIONS), *(frozenset({name}) for name in OPTIONS)]


def transformed(deployment: Deployment) -> dict[str, Any]:
    """Return what the translator makes of the template for a deployment, conditions as they are."""
    document: dict[str, Any] = json.loads(_transformed(deployment))
    return document


@functools.cache
def _transformed(deployment: Deployment) -> str:
    return json.dumps(transform(ROOT / "template.yaml", parameters(deployment)), sort_keys=True)


def parameters(deployment: Deployment) -> dict[str, str]:
    """Return what a deployment gives."""
    return {name: value for option in sorted(deployment) for name, value in OPTIONS[option].items()}


def decided(deployment: Deployment) -> tuple[dict[str, Any], set[tuple[str, bool]]]:
    """Return the transformed template with its conditions decided, and what they were."""
    given, document = parameters(deployment), transformed(deployment)
    template = Template(given, document=document)
    for name, value in given.items():
        document["Parameters"][name]["Default"] = value
    held = {(name, template.has({"Condition": name})) for name in document["Conditions"]}
    for section in ("Resources", "Outputs"):
        document[section] = {
            name: {key: template.decide(part) for key, part in one.items() if key != "Condition"}
            for name, one in document[section].items()
            if template.has(one)
        }
    return {section: value for section, value in document.items() if section != "Conditions"}, held


def pairs() -> Iterator[tuple[Deployment, Template]]:
    """Yield each two options, and the template for them, transformed.

    Most options are none of the translator's business: what it makes with one is what it makes without.
    """
    plain = transformed(frozenset())
    shaping = frozenset(name for name in OPTIONS if transformed(frozenset({name})) != plain)
    for pair in map(frozenset, itertools.combinations(OPTIONS, 2)):
        yield pair, Template(parameters(pair), document=transformed(pair & shaping))


def lost(template: Template) -> set[str]:
    """Return the resources that a deployment refers to and does not have."""
    resources = template.document["Resources"]
    missing = {str(name) for name, one in resources.items() if not template.has(one)}
    parts = [*resources.values(), *template.document["Outputs"].values()]
    there = [template.decide(part) for part in parts if template.has(part)]
    return missing.intersection(name for part in there for name in referred(part))


def referred(value: Any) -> Iterator[str]:
    """Yield every name that a value refers to."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::GetAtt": str(attribute)}:
            yield attribute.partition(".")[0]
        case {"Fn::Sub": [str(text), dict(variables)]}:
            yield from re.findall(r"\$\{(\w+)", text)
            yield from referred(variables)
        case {"Fn::Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)", text)
        case dict():
            after = value.get("DependsOn", [])
            yield from [after] if isinstance(after, str) else after
            for member in value.values():
                yield from referred(member)
        case list():
            for member in value:
                yield from referred(member)


def faults_of_pairs() -> list[str]:
    """Return what each two options, without any other, refer to and do not have."""
    return [
        f"With {' and '.join(sorted(pair))}: {name} is referred to and is not there"
        for pair, template in pairs()
        for name in sorted(lost(template))
    ]


def main() -> None:
    """Lint them all; exit with 1 where something is found, or a condition is never tried."""
    tried, linted, wrong = set[tuple[str, bool]](), set[str](), 0
    found = deployments()
    for deployment in found:
        document, held = decided(deployment)
        tried |= held
        resources, known = document["Resources"], set[str]()
        for name, resource in resources.items():
            form = json.dumps([name, resource], sort_keys=True)
            if form in linted:
                known.add(name)
                resources[name] = {"Type": resource["Type"]}
            linted.add(form)
        for match in lint(json.dumps(document), config=LINTER):
            if not (match.path and match.path[0] == "Resources" and match.path[1] in known):
                wrong += 1
                print(f"With {', '.join(sorted(deployment)) or 'nothing'}: {match}")
    for name, _ in sorted(tried):
        for value in (True, False):
            if (name, value) not in tried:
                wrong += 1
                print(f"The condition {name} is never {value}: give OPTIONS what makes it so")
    for fault in faults_of_pairs():
        wrong += 1
        print(fault)
    print(f"{len(found)} deployments, {len(linted)} forms of resources, each two options, {wrong} faults")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
