"""When something breaks, the client gets the documented shape and no detail, and the log gets everything."""

import io
import json
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from apikeys.caller import Caller
from apikeys.endpoint import public_endpoint
from apikeys.errors import ServiceUnavailable
from apikeys.issuer import IssuerKeys
from apikeys.store import CONFIG, Store
from local.functions import Context
from local.template import TABLES
from tests.deployment import Deployment, sample_event

INTERNAL_ERROR = {
    "error": "Internal Server Error",
    "message": "Something went wrong on our side. Please try again",
    "code": 500,
}
ALICE = Caller("alice", "alice", frozenset({"api-keys:revoke"}))


def revoke_on(endpoint: str) -> None:
    client = boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="eu-central-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=CONFIG,
    )
    store = Store(client, **TABLES)
    store.revoke(str(uuid.uuid4()), application_id=str(uuid.uuid4()), caller=ALICE)


@contextmanager
def dynamodb_that_answers(status: int, code: str) -> Iterator[tuple[str, list[str]]]:
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(self.headers["x-amz-target"])
            self.rfile.read(int(self.headers["content-length"]))
            payload = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", requests
    server.shutdown()
    server.server_close()


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


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ThrottlingException"),
        (400, "ProvisionedThroughputExceededException"),
        (500, "InternalServerError"),
    ],
)
def test_503_after_two_attempts_while_dynamodb_is_busy(status: int, code: str) -> None:
    with dynamodb_that_answers(status, code) as (url, requests), pytest.raises(ServiceUnavailable) as raised:
        revoke_on(url)
    assert raised.value.headers == {"retry-after": "1"}
    assert requests == ["DynamoDB_20120810.UpdateItem"] * 2


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"]
)
def test_a_mistake_in_the_deployment_is_a_fault_and_not_a_passing_failure(code: str) -> None:
    with dynamodb_that_answers(400, code) as (url, requests), pytest.raises(ClientError):
        revoke_on(url)
    assert len(requests) == 1


def test_503_in_less_than_the_functions_ten_seconds_while_dynamodb_hangs() -> None:
    """Guarantee: an answer always gets out, even if fetching the issuer's keys took all its time before."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(ServiceUnavailable):
            revoke_on(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert time.monotonic() - started < 10 - IssuerKeys.TIMEOUT


def test_503_while_dynamodb_cannot_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServiceUnavailable):
        revoke_on(f"http://127.0.0.1:{port}")


def test_a_condition_that_fails_on_an_active_key_of_the_caller_is_never_a_200(deployment: Deployment) -> None:
    """Guarantee: a 200 is sent only where the key is known to be revoked."""

    class Refusing:
        exceptions = deployment.dynamodb.exceptions

        def update_item(self, **_: Any) -> None:
            item = {"applicationId": {"S": "a"}, "ownerId": {"S": "alice"}}
            error: Any = {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": item}
            raise self.exceptions.ConditionalCheckFailedException(error, "UpdateItem")

    client: Any = Refusing()
    with pytest.raises(RuntimeError, match="active key"):
        Store(client, **TABLES).revoke("k", application_id="a", caller=ALICE)


@pytest.mark.parametrize(("conflicts", "raises"), [(1, False), (4, False), (5, True)])
def test_a_revoke_that_meets_a_transaction_waits_for_it(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, conflicts: int, raises: bool
) -> None:
    """Guarantee: a rotate under way at the same moment does not make a revoke fail at once."""
    waits: list[float] = []
    monkeypatch.setattr("apikeys.store.time.sleep", waits.append)
    outcomes = iter([True] * conflicts + [False])

    class Busy:
        exceptions = deployment.dynamodb.exceptions

        def update_item(self, **_: Any) -> None:
            if next(outcomes):
                error: Any = {"Error": {"Code": "TransactionConflictException"}}
                raise self.exceptions.TransactionConflictException(error, "UpdateItem")

    client: Any = Busy()
    store = Store(client, **TABLES)
    with pytest.raises(ServiceUnavailable) if raises else nullcontext():
        store.revoke("k", application_id="a", caller=ALICE)
    assert len(waits) == min(conflicts, 4)
    assert sum(waits) < 0.5
