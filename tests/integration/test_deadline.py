"""One deadline for a whole request: whoever is slow, an answer gets out before Lambda ends the invocation."""

import copy
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from apikeys import deadline
from apikeys.errors import InternalError
from apikeys.keys import ApiKey
from local.issuer import AUDIENCE, LocalIssuer
from local.run import AWS_ENVIRONMENT
from local.template import Handler, Template, environment
from tests.deployment import EVERYTHING, FORM, sample_event
from tests.faulty_issuer import FaultyIssuer

KEY_ID = "123e4567-e89b-12d3-a456-426614174000"
REMAINING = 3.5  # seconds of the invocation
FUNCTIONS = Template(EVERYTHING).answering()
# These ask nobody.
ALONE = {"RefuseUnknownRouteFunction": 404, "ServeReferenceFunction": 200, "WhoamiFunction": 401}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an invocation, and after how many seconds."""

    result: Any
    seconds: float


class Context:
    """A Lambda context of an invocation that began when it was made."""

    def __init__(self) -> None:
        self.aws_request_id = "x"
        self._ends = time.monotonic() + REMAINING

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends - time.monotonic()) * 1000)


@contextmanager
def slow_dynamodb(manner: str) -> Iterator[str]:
    """Accept connections and finish no answer: say nothing, or send one header, a byte at a time."""
    piece = b"x" if manner == "dribbling" else b""

    def stall(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nx-amzn-requestid: " if piece else b"")
            for _ in range(int(3 * REMAINING / 0.1)):
                time.sleep(0.1)
                connection.sendall(piece)

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                Thread(target=stall, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def event_of(function: str, issuer: LocalIssuer) -> dict[str, Any]:
    """Return an event on which the function asks whomever it may ask."""
    event = copy.deepcopy(sample_event("revoke_api_key/401"))
    event["headers"] |= {"authorization": f"Bearer {issuer.token('alice')}"}
    event["pathParameters"] = {"id": KEY_ID, "keyId": KEY_ID}
    match function:
        case "AuthorizeRequestFunction":
            event["headers"] = {"x-api-key": ApiKey.generate().reveal()}
        case "IntrospectApiKeyFunction" | "RevokeLeakedApiKeyFunction":
            event["headers"] |= FORM
            event["body"] = f"token={ApiKey.generate().reveal()}"
        case "RevokeApiKeysFoundByGithubFunction":
            event["body"] = json.dumps([{"token": ApiKey.generate().reveal(), "type": "api_keys"}])
            event["headers"] |= issuer.github.headers(event["body"].encode())
        case "CreateApplicationFunction" | "IssueApiKeyFunction":
            event["body"] = json.dumps({"name": "x"})
        case "ServeReferenceFunction":
            event["routeKey"] = "GET /"
    return event


def invoke(handler: Handler, event: dict[str, Any]) -> Outcome:
    started = time.monotonic()
    try:
        result = handler(event, Context())
    except InternalError as fault:
        result = fault
    return Outcome(result, time.monotonic() - started)


@pytest.fixture(scope="module", params=["silent", "dribbling"])
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[str, Outcome]]:
    """Every function, all at once, with an issuer that takes 1.5 seconds and a DynamoDB that takes for ever."""
    issuer = FaultyIssuer()
    issuer.delay = 1.5
    issuer.start()
    with slow_dynamodb(request.param) as url, environment(AWS_ENVIRONMENT):
        given = {"Issuer": issuer.url, "Audience": AUDIENCE, "DynamoDbEndpoint": url}
        template = Template(EVERYTHING | {"GithubKeysUrl": issuer.github_keys_url} | given)
        handlers = {name: function.load() for name, function in template.answering().items()}
        with ThreadPoolExecutor(len(handlers)) as pool:
            running = {
                name: pool.submit(invoke, handler, event_of(name, issuer))
                for name, handler in handlers.items()
            }
            found = {name: future.result() for name, future in running.items()}
    yield found
    issuer.stop()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_answer_gets_out_in_time_while_issuer_and_dynamodb_are_slow(
    outcomes: dict[str, Outcome], function: str
) -> None:
    """Guarantee: a 503 before Lambda ends the invocation. Seen to fail with a call that ignores the deadline."""
    outcome = outcomes[function]
    assert outcome.seconds < REMAINING
    if function == "AuthorizeRequestFunction":
        assert isinstance(outcome.result, InternalError)
    else:
        assert outcome.result["statusCode"] == ALONE.get(function, 503), outcome
        assert function in ALONE or "retry-after" in outcome.result["headers"]


def test_api_gateway_waits_longer_for_the_authorizer_than_it_takes() -> None:
    """It waits 10 seconds, in which a cold start has to find room too."""
    properties = Template({}).resources("AWS::Serverless::Function")["AuthorizeRequestFunction"]
    assert properties["Timeout"] <= 8


def test_a_request_has_the_time_of_its_invocation_less_half_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: now))
    deadline.start(SimpleNamespace(get_remaining_time_in_millis=lambda: 3500))
    for now, left in ((1000.0, 3.0), (1002.5, 0.5), (1003.0, 0.0), (1004.0, 0.0)):  # noqa: B007 -- the clock
        assert deadline.left() == left
    deadline.stop()
    assert deadline.left() == deadline.DEFAULT
