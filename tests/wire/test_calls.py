"""Every call of the store is, on the wire, the call that boto3 makes of it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import time_machine
from botocore.awsrequest import AWSPreparedRequest

from apikeys import VERSION
from apikeys.connection import Connection
from apikeys.dynamodb import DynamoDb
from benchmarks.floor import octets
from tests.deployment import NOW, Deployment
from tests.wire.recorder import Recorder, parts_of

SENT_BY_BOTH = ("authorization", "content-length", "content-type", "x-amz-date", "x-amz-target")


def a_keys_whole_life(deployment: Deployment) -> None:
    """Do everything that makes a call, with every option that changes one."""
    token, admin = deployment.token(), deployment.token("on-call", "api-keys:admin")
    application_id = deployment.application()
    limited = deployment.issue(application_id, expiresAt="2999-01-01T00:00:00Z", scopes=["a:read"])
    for body in ({}, {"overlapSeconds": 60}):
        key = deployment.issue(application_id)
        path = {"id": application_id, "keyId": key["id"]}
        assert deployment.accepts(key["key"])
        deployment.call("RotateApiKey", token, path=path, body=body)
        deployment.call("ReadApiKey", token, path=path)
        deployment.call("RevokeApiKey", token, path=path)
        deployment.call("RevokeApiKey", admin, path=path, query={"reason": "compromised"})
        deployment.revoke_by_string(f"token={key['key']}")
        deployment.report_by_github({"token": key["key"], "type": "api_keys", "url": "https://github.com/"})
    for function, parameters in (("ListApiKeys", {"id": application_id}), ("ListApplications", {})):
        page = deployment.call(function, token, path=parameters, query={"limit": "1"})
        deployment.application()
        cursor = {"cursor": page.body["nextCursor"]} if page.body["nextCursor"] else {}
        deployment.call(function, token, path=parameters, query={"limit": "1"} | cursor)
    deployment.call("RevokeApiKey", token, path={"id": application_id, "keyId": limited["id"]})
    deployment.call("RevokeAllApiKeys", token, path={"id": application_id}, query={"reason": "other"})


@pytest.fixture
def calls(deployment: Deployment) -> list[tuple[str, dict[str, Any]]]:
    deployment.requests.clear()
    a_keys_whole_life(deployment)
    return list(deployment.requests)


@pytest.fixture
def at_one_moment() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def test_every_call_of_the_store_is_the_one_that_boto3_makes(
    calls: list[tuple[str, dict[str, Any]]], at_one_moment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee: DynamoDB cannot tell us from AWS's own library, but for the User-Agent."""
    recorder = Recorder()
    monkeypatch.setattr(Connection, "open", recorder.open)
    ours, theirs = DynamoDb(), Boto3()
    for operation, request in calls:
        ours.call(operation, request)
        line, headers, body = parts_of(recorder.sent)
        expected = theirs.call(operation, request)
        assert line == "POST / HTTP/1.1"
        assert f"https://{headers['host']}/" == expected.url
        assert body == expected.body
        # Signed by both over the same headers: boto3's own are not among them.
        for name in SENT_BY_BOTH:
            assert headers[name] == text(expected.headers[name]), name
    assert {operation for operation, _ in calls} >= {
        "GetItem",
        "PutItem",
        "UpdateItem",
        "Query",
        "BatchGetItem",
    }


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


class Stopped(Exception):
    """Raised when a request is ready to be sent."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        super().__init__()
        self.request = request


class Boto3:
    """boto3's client, and what it would send: of a session of its own, since the default one keeps its credentials."""

    def __init__(self) -> None:
        self._client: Any = boto3.Session().client("dynamodb")
        self._client.meta.events.register("before-send.dynamodb", self._stop)

    def call(self, operation: str, request: dict[str, Any]) -> Any:
        """Return the request that it makes of a call."""
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        with pytest.raises(Stopped) as stopped:
            getattr(self._client, method)(**octets(request))
        return stopped.value.request

    def _stop(self, request: AWSPreparedRequest, **_: Any) -> None:
        raise Stopped(request)


def test_the_user_agent_names_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr(Connection, "open", recorder.open)
    DynamoDb.connect().call("ListTables", {})
    _, headers, _ = parts_of(recorder.sent)
    assert headers["user-agent"] == f"api-keys/{VERSION}"


def test_a_wrong_byte_would_be_noticed(at_one_moment: None) -> None:
    """The test above can fail: another spacing of the JSON is another body, and another signature."""
    recorder = Recorder()
    request = {"TableName": "ApiKeysTable", "Key": {"keyId": {"S": "one"}}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "open", recorder.open)
        patch.setattr("apikeys.dynamodb.json.dumps", json.JSONEncoder(separators=(",", ":")).encode)
        DynamoDb().call("GetItem", request)
    _, headers, body = parts_of(recorder.sent)
    expected = Boto3().call("GetItem", request)
    assert body != expected.body
    assert headers["authorization"] != text(expected.headers["authorization"])
