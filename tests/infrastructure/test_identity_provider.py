"""Where no issuer is given, the stack brings an Amazon Cognito user pool; where one is, none of that is created."""

import pytest

from local.issuer import SCOPES
from local.template import Template
from tests.infrastructure.conftest import Settle

OWN = {"Callers", "CallersDomain", "CallersScopes", "CallersClient"}
WITHOUT = {"Issuer": "", "Audience": "", "CanaryMinutes": "0"}


def test_without_an_issuer_there_is_one(settled: Settle) -> None:
    given, own = settled(), settled(**WITHOUT)
    assert own.keys() - given.keys() == OWN
    assert given.keys() <= own.keys()
    # What a function is told fits together: whose tokens, for whom, and how its scopes begin.
    variables = own["RevokeApiKeyFunction"]["Properties"]["Environment"]["Variables"]
    pool = {"Fn::Sub": "https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}/${Callers}"}
    assert variables["ISSUER"] == pool
    assert variables["AUDIENCE"] == "CallersClient"
    assert variables["SCOPE_PREFIX"] == own["CallersScopes"]["Properties"]["Identifier"] + "/"


def test_its_client_is_a_machine_and_never_an_administrator(settled: Settle) -> None:
    """Guarantee: what is there from the first day acts for itself, not for any owner."""
    client = settled(**WITHOUT)["CallersClient"]["Properties"]
    assert client["AllowedOAuthFlows"] == ["client_credentials"]
    assert client["AllowedOAuthScopes"] == [f"api/{scope}" for scope in SCOPES.split()]


def test_its_scopes_are_those_of_the_api(settled: Settle) -> None:
    scopes = settled(**WITHOUT)["CallersScopes"]["Properties"]["Scopes"]
    assert [one["ScopeName"] for one in scopes] == [*SCOPES.split(), "api-keys:admin"]


@pytest.mark.parametrize(
    ("keep", "policy", "protected"), [("true", "Retain", "ACTIVE"), ("false", "Delete", "INACTIVE")]
)
def test_it_outlives_the_stack_as_the_keys_do_that_belong_to_its_clients(
    keep: str, policy: str, protected: str
) -> None:
    template = Template({"KeepData": keep})
    for name in OWN:
        resource = template.document["Resources"][name]
        assert template.resolve(resource["DeletionPolicy"]) == policy
        assert template.resolve(resource["UpdateReplacePolicy"]) == policy
    assert template.resources("AWS::Cognito::UserPool")["Callers"]["DeletionProtection"] == protected


def test_an_issuer_needs_an_audience_and_the_stacks_own_takes_none() -> None:
    """Guarantee: a deployment that could accept nobody's tokens, or another's, is refused."""
    rules = Template({}).document["Rules"]
    ours, empty = {"Fn::Equals": [{"Ref": "Issuer"}, ""]}, {"Fn::Equals": [{"Ref": "Audience"}, ""]}
    assert rules["AnIssuerHasAnAudience"]["RuleCondition"] == {"Fn::Not": [ours]}
    assert rules["AnIssuerHasAnAudience"]["Assertions"][0]["Assert"] == {"Fn::Not": [empty]}
    assert rules["TheStacksOwnIssuerHasItsOwn"]["RuleCondition"] == ours
    prefix = {"Fn::Equals": [{"Ref": "ScopePrefix"}, ""]}
    assert rules["TheStacksOwnIssuerHasItsOwn"]["Assertions"][0]["Assert"] == {"Fn::And": [empty, prefix]}
