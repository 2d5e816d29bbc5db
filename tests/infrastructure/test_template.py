"""What SAM's own translator makes of template.yaml holds what is meant; tools.lint_template says that it is valid."""

import collections
import json
from typing import Any

from local.template import ROOT, Template
from tests.emitted import STAGE

CAPABILITIES = len(list((ROOT / "functions").iterdir()))
# Authorizer, stream and schedules have none, the reference three, each by GET and HEAD.
ROUTES = CAPABILITIES - 4 + 5
# Of functions, API and issuer; throttles of each table; errors of what is asked of tables; a gradual deployment's; of
# audit events that are late, or could not be published; of the canary; of caches.
ALARMS = 9 + 6 + 9 + 1 + 2 + 3 + 2
TABLES = ("ApiKeysTable", "ApplicationsTable", "ListingsTable")
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"


def test_it_holds_these_resources_and_no_others(transformed: dict[str, Any]) -> None:
    """Guarantee: nothing that SAM adds by itself goes unnoticed: no role, no policy, no alias, no bucket."""
    assert collections.Counter(resource["Type"] for resource in transformed["Resources"].values()) == {
        "AWS::Lambda::Function": CAPABILITIES,
        "AWS::IAM::Role": CAPABILITIES + 1,  # a gradual deployment's
        "AWS::Lambda::Version": 1,  # the authorizer's, which others call
        "AWS::Lambda::Alias": 1,
        "AWS::Logs::LogGroup": CAPABILITIES + 1,  # the access log
        "AWS::Lambda::Permission": ROUTES
        + 4,  # the authorizer's: this API's, and a trusted account's; two schedules'
        "AWS::Lambda::LayerVersion": 2,
        "AWS::DynamoDB::Table": len(TABLES),
        "AWS::CloudWatch::Alarm": ALARMS,
        "AWS::CloudWatch::Dashboard": 1,
        "AWS::ApiGatewayV2::Api": 1,
        "AWS::ApiGatewayV2::Stage": 1,
        "AWS::ApiGatewayV2::DomainName": 1,  # with a domain
        "AWS::ApiGatewayV2::ApiMapping": 1,
        "AWS::IAM::ManagedPolicy": 1,  # in a network
        "AWS::Lambda::EventSourceMapping": 1,
        "AWS::Events::EventBus": 1,
        "AWS::Events::Archive": 1,
        "AWS::Events::Rule": 2,  # schedules
        "AWS::SQS::Queue": 1,
        # Where an address is given:
        "AWS::SNS::Topic": 1,
        "AWS::SNS::TopicPolicy": 1,
        # Where no issuer is given:
        "AWS::Cognito::UserPool": 1,
        "AWS::Cognito::UserPoolDomain": 1,
        "AWS::Cognito::UserPoolResourceServer": 1,
        "AWS::Cognito::UserPoolClient": 2,  # the canary's is the other
        "AWS::SecretsManager::Secret": 1,  # for the canary
    }


def test_the_language_extensions_are_there_for_the_deletion_policies(transformed: dict[str, Any]) -> None:
    """Without them CloudFormation takes no condition there; they must come before SAM's transform."""
    transforms = Template({}).document["Transform"]
    assert transforms == [LANGUAGE_EXTENSIONS, "AWS::Serverless-2016-10-31"]
    kept = {"Fn::If": ["DataIsKept", "Retain", "Delete"]}
    for name in TABLES:
        table = transformed["Resources"][name]
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == (kept, kept)


def test_arm64_is_what_is_deployed_unless_asked_otherwise(transformed: dict[str, Any]) -> None:
    assert transformed["Parameters"]["Architecture"]["Default"] == "arm64"
    architectures = {
        json.dumps(resource["Properties"]["Architectures"])
        for resource in transformed["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    assert architectures == {'[{"Ref": "Architecture"}]'}


def test_the_stage_has_the_name_by_which_alarms_and_dashboard_know_it(transformed: dict[str, Any]) -> None:
    [stage] = [
        resource["Properties"]["StageName"]
        for resource in transformed["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Stage"
    ]
    assert stage == STAGE
