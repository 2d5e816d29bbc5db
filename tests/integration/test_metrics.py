"""What is counted of checks and revocations: by the real functions, in the one line that each request has anyway."""

import io

import pytest
import time_machine

from apikeys.dynamodb import DynamoDb
from apikeys.errors import ServiceUnavailable
from apikeys.keys import ApiKey
from apikeys.log import LEVELS
from tests.deployment import Deployment
from tests.embedded import counted
from tests.integration.check.keys import introspect, keys_that_are_not_good, revoke

pytestmark = pytest.mark.usefixtures("clock")
OUTCOMES = {
    "wrong secret": "wrong-secret",
    "unknown key": "unknown",
    "nothing": "malformed",
    "expired": "expired",
    "revoked": "revoked",
}


def clear(log: io.StringIO) -> None:
    log.seek(0)
    log.truncate()


def test_each_check_is_counted_once_by_its_outcome(
    deployment: Deployment, clock: time_machine.Traveller, log: io.StringIO
) -> None:
    for what, key in keys_that_are_not_good(deployment, clock):
        clear(log)
        deployment.accepts(key)
        introspect(deployment, key)
        # Introspection takes no empty form field, so it is no check there.
        times = 1 if what == "nothing" else 2
        assert counted(log, "Checks") == {OUTCOMES.get(what, "malformed"): times}, what
    good = deployment.issue()["key"]
    clear(log)
    deployment.accepts(good)
    introspect(deployment, good)
    deployment.authorize({})
    deployment.authorize({"x-api-key": good, "authorization": "Bearer another"})
    assert counted(log, "Checks") == {"accepted": 2, "no-key": 2}
    assert len(log.getvalue().splitlines()) == 4


def test_a_good_key_for_a_path_that_means_several_is_refused_and_counted_so(
    deployment: Deployment, log: io.StringIO
) -> None:
    key = deployment.issue()["key"]
    clear(log)
    arn = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/prod/GET/things/*"
    answer = deployment.authorize({"x-api-key": key}, version="1.0", type="REQUEST", methodArn=arn)
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert counted(log, "Checks") == {"ambiguous-path": 1}


def test_a_check_that_could_not_be_made_is_counted_as_a_fault(
    deployment: Deployment, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = deployment.issue()["key"]

    def unavailable(*_: object) -> None:
        raise ServiceUnavailable("DynamoDB")

    monkeypatch.setattr(DynamoDb, "call", unavailable)
    clear(log)
    with pytest.raises(Exception, match="could not be made"):
        deployment.accepts(key)
    assert introspect(deployment, key).status == 503
    assert counted(log, "Checks") == {"fault": 2}


def test_checks_are_counted_at_every_log_level(
    deployment: Deployment, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apikeys.log.THRESHOLD", LEVELS["ERROR"])
    deployment.accepts("junk")
    assert counted(log, "Checks") == {"malformed": 1}


def test_each_revocation_is_counted_once_by_its_reason(deployment: Deployment, log: io.StringIO) -> None:
    """The first time, and not when it is repeated. Seen to fail with those counted that change nothing instead."""
    first, second, third, fourth = (deployment.issue() for _ in range(4))
    clear(log)
    for _ in range(2):
        revoke(deployment, first)
        path = {"id": second["applicationId"], "keyId": second["id"]}
        deployment.call("RevokeApiKey", deployment.token(), path=path, query={"reason": "compromised"})
        deployment.revoke_by_string(f"token={third['key']}&reason=leaked")
        deployment.report_by_github({"token": fourth["key"], "type": "example", "url": "", "source": ""})
        assert counted(log, "Revocations") == {"none": 1, "compromised": 1, "leaked": 2}


def test_of_all_keys_of_an_application_each_counts(deployment: Deployment, log: io.StringIO) -> None:
    application_id = deployment.application()
    for _ in range(3):
        deployment.issue(application_id)
    leaked = deployment.issue(deployment.application())
    clear(log)
    for _ in range(2):
        deployment.call("RevokeAllApiKeys", deployment.token(), path={"id": application_id})
        path, query = {"id": leaked["applicationId"]}, {"reason": "compromised"}
        deployment.call("RevokeAllApiKeys", deployment.token(), path=path, query=query)
        assert counted(log, "Revocations") == {"none": 3, "compromised": 1}
    assert len(log.getvalue().splitlines()) == 4


@pytest.mark.parametrize(("overlap", "revoked"), [(0, {"rotated": 1}), (60, {})])
def test_a_rotation_revokes_if_the_old_key_ends_at_once(
    deployment: Deployment, log: io.StringIO, overlap: int, revoked: dict[str, int]
) -> None:
    old = deployment.issue()
    path, body = {"id": old["applicationId"], "keyId": old["id"]}, {"overlapSeconds": overlap}
    assert deployment.call("RotateApiKey", deployment.token(), path=path, body=body).status == 201
    assert counted(log, "Revocations") == revoked


def test_a_revoke_that_is_refused_counts_nothing(deployment: Deployment, log: io.StringIO) -> None:
    issued = deployment.issue(owner="alice")
    for token in (deployment.token("bob"), deployment.token(scope="api-keys:read"), None):
        deployment.revoke(issued["applicationId"], issued["id"], token)
    stranger = ApiKey.generate(key_id=issued["id"]).reveal()
    deployment.revoke_by_string(f"token={stranger}")
    deployment.report_by_github({"token": stranger, "type": "example", "url": "", "source": ""})
    assert counted(log, "Revocations") == {}
