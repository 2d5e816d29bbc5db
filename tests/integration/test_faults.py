"""When something breaks, the client gets the documented shape and no detail, and the log gets everything."""

import io
import json
import uuid
from typing import Any

import pytest

from apikeys import dynamodb
from apikeys.caller import Caller
from apikeys.dynamodb import DynamoDb, DynamoDbError
from apikeys.endpoint import public_endpoint
from apikeys.errors import ServiceUnavailable
from apikeys.store.api_keys import ApiKeys
from local.functions import Context
from tests.deployment import Deployment, sample_event
from tests.wire.scripted import dynamodb_that_says, refused

INTERNAL_ERROR = {
    "error": "Internal Server Error",
    "message": "Something went wrong on our side. Please try again",
    "code": 500,
}
ALICE = Caller("alice", "alice", frozenset({"api-keys:revoke"}))


def test_500_says_nothing_and_the_log_says_all_but_the_token(
    deployment: Deployment, log: io.StringIO
) -> None:
    """Guarantee: neither the response nor the log of a fault holds the token."""
    event, token = sample_event("revoke_api_key/401"), deployment.token()
    event["headers"]["authorization"] = f"Bearer {token}"

    def broken(request: Any) -> dict[str, Any]:
        raise LookupError(
            f"the index is gone; was asked with {request.header('authorization')} by {request!r}"
        )

    result = public_endpoint(broken)(event, Context("Broken"))

    assert (result["statusCode"], json.loads(result["body"])) == (500, INTERNAL_ERROR)
    [line] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert line["level"] == "ERROR"
    assert line["exception_name"] == "LookupError"
    assert "the index is gone" in line["exception"]
    assert "def broken" not in result["body"]
    assert all(part not in log.getvalue() for part in token.split("."))


@pytest.mark.parametrize(
    "event", [{}, {"headers": None}, {"headers": {}, "pathParameters": None, "rawPath": None}]
)
def test_an_event_with_nothing_in_it_is_refused(deployment: Deployment, event: dict[str, Any]) -> None:
    assert deployment.invoke("RevokeApiKeyFunction", event).status == 401
    assert deployment.invoke("RefuseUnknownRouteFunction", event).status == 404


def test_the_log_names_the_members_that_the_schema_knows_and_no_other(
    deployment: Deployment, log: io.StringIO
) -> None:
    """Guarantee: what a caller calls a member is the caller's own text, and stays out of the log."""
    body = {"name": " ", "hunter2": 1, "swordfish": 2}
    answer = deployment.call("CreateApplication", deployment.token(), body=body)
    assert {detail["field"] for detail in answer.body["details"]} == body.keys()
    [line] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert line["reason"] == "name, an unknown member"


def test_no_answer_is_logged_with_a_token(deployment: Deployment, log: io.StringIO) -> None:
    """Guarantee: whatever the outcome, the log names the subject and never holds a token."""
    key, token = deployment.put_key(), deployment.token()
    for application_id, key_id in (
        (key["applicationId"], key["keyId"]),
        ("42", token),
        (token, str(uuid.uuid4())),
    ):
        deployment.revoke(application_id, key_id, token)
    deployment.revoke(key["applicationId"], key["keyId"], token[:-8])
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["status"] for line in lines] == [200, 400, 400, 401]
    assert [line.get("subject") for line in lines] == ["alice", "alice", "alice", None]
    assert all(part not in log.getvalue() for part in token.split(".")[1:])


def test_503_while_dynamodb_is_busy(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb, "WAITS", (0.0, 0.0))
    with dynamodb_that_says(refused("ThrottlingException")) as server:
        keys = ApiKeys(DynamoDb(server.url), "ApiKeysTable")
        with pytest.raises(ServiceUnavailable) as raised:
            keys.revoke(str(uuid.uuid4()), application_id=str(uuid.uuid4()), caller=ALICE)
    assert (raised.value.status, raised.value.headers) == (503, {"retry-after": "1"})
    assert len(server.requests) == 2


def test_a_mistake_in_the_deployment_is_a_fault_and_not_a_passing_failure(deployment: Deployment) -> None:
    with dynamodb_that_says(refused("AccessDeniedException")) as server:
        keys = ApiKeys(DynamoDb(server.url), "ApiKeysTable")
        with pytest.raises(DynamoDbError):
            keys.revoke(str(uuid.uuid4()), application_id=str(uuid.uuid4()), caller=ALICE)
    assert len(server.requests) == 1


def test_a_condition_that_fails_on_an_active_key_of_the_caller_is_never_a_200(deployment: Deployment) -> None:
    """Guarantee: a 200 is sent only where the key is known to be revoked."""
    item = {"keyId": {"S": "k"}, "applicationId": {"S": "a"}, "ownerId": {"S": "alice"}}
    with (
        dynamodb_that_says(refused("ConditionalCheckFailedException", Item=item)) as server,
        pytest.raises(RuntimeError, match="active key"),
    ):
        ApiKeys(DynamoDb(server.url), "ApiKeysTable").revoke("k", application_id="a", caller=ALICE)
