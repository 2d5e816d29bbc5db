"""The real handlers, run from call to call: each time anew, with what DynamoDB said so far played back to them.

A handler is a function of its event and of DynamoDB's answers: clock and random numbers are fixed. So where it stands
is told by the answers that it has had, and no thread has to be stopped and held. Calls that it makes at once, by a pool
of threads, are under way together.
"""

import base64
import copy
import hashlib
import io
import json
import secrets
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

import pytest
import time_machine

from apikeys import log
from apikeys.dynamodb import ConditionFailed, DynamoDb, DynamoDbError
from apikeys.errors import ServiceUnavailable
from apikeys.keys import ApiKey
from local.functions import Context
from local.issuer import AUDIENCE, SCOPES, LocalIssuer
from local.run import AWS_ENVIRONMENT
from local.template import Handler, Template, environment
from tests.deployment import NOW, sample_event
from tests.dynamodb_model.model import DynamoDbModel


@dataclass(frozen=True, slots=True)
class Call:
    """A call to DynamoDB.

    Args:
        operation: such as `UpdateItem`.
        request: its JSON.
    """

    operation: str
    request: str

    @property
    def writes(self) -> bool:
        """Whether it may change anything."""
        return self.operation in ("PutItem", "UpdateItem")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler is told of a call.

    Args:
        kind: `answered`, `condition failed`, `refused`, or `no answer`, once the client has given up.
        content: JSON of the answer, or of the item.
    """

    kind: str
    content: str = "null"

    def deliver(self) -> dict[str, Any]:
        """Return the answer, or raise what the client raises."""
        content = json.loads(self.content)
        match self.kind:
            case "answered":
                answer: dict[str, Any] = content
                return answer
            case "condition failed":
                raise ConditionFailed(content)
            case "refused":
                raise DynamoDbError(content)
        raise ServiceUnavailable("DynamoDB: no answer")


NO_ANSWER = Outcome("no answer")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a handler answered.

    Args:
        status: of HTTP; of the authorizer `accepted`, `refused` or `fault`.
        text: the body.
    """

    status: int | str
    text: str = "{}"

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that a client sends.

    Args:
        name: for people.
        kind: what is promised of it.
        function: its logical id without `Function`.
        event: API Gateway's.
        key_id: the key that it names, where it names one.
        overlap: seconds for which a rotated key goes on working.
    """

    name: str
    kind: str
    function: str
    event: Mapping[str, Any] = field(repr=False, compare=False, hash=False)
    key_id: str = ""
    overlap: int = 0


# What a handler was told of each call, and of the how-manieth call like it.
type History = frozenset[tuple[Call, int, Outcome]]
BEGINNING: History = frozenset()


class Paused(BaseException):
    """Raised out of a handler that waits for DynamoDB.

    No Exception, which the handlers would make an answer of.
    """


class PlayedBack(DynamoDb):
    """DynamoDB as the handlers see it: what it said before, and then a stop."""

    def __init__(self) -> None:
        # Not the client's own, which would look for a Region and an endpoint.
        self.begin(BEGINNING)

    def begin(self, history: History) -> None:
        """Begin a run of a handler.

        Args:
            history: what it is told.
        """
        self._told = {(call, number): outcome for call, number, outcome in history}
        self._asked: Counter[Call] = Counter()
        self.under_way: list[Call] = []

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        call = Call(operation, json.dumps(request, sort_keys=True))
        outcome = self._told.get((call, self._asked[call]))
        self._asked[call] += 1
        if outcome:
            return outcome.deliver()
        self.under_way.append(call)
        raise Paused


class Pool(Executor):
    """Stands in for a pool of threads: what is handed to it is under way at once, until its result is asked for."""

    def __init__(self, _: int) -> None:
        """Take as many at once as there are."""

    def submit[T](self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        future: Future[T] = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except (Exception, Paused) as reason:  # noqa: BLE001 -- whatever it is, whoever asks for the result gets it
            future.set_exception(reason)
        return future


@dataclass
class Stack:
    """The handlers as deployed.

    Args:
        issuer: whose tokens they accept.
        template: which they are of.
        dynamodb: as they see it.
        handlers: by logical id.
        runs: how often one was run.
        known: what was found out by that: of each request of a client's, told this and that, what it does next.
    """

    issuer: LocalIssuer
    template: Template
    dynamodb: PlayedBack
    handlers: dict[str, Handler] = field(default_factory=dict)
    runs: int = 0
    known: dict[tuple[str, Request, History], tuple[Call, ...] | Ended] = field(default_factory=dict)
    _drawn: "Iterator[bytes]" = field(default_factory=lambda: drawn_by("nobody"))

    @classmethod
    @contextmanager
    def up(cls) -> Iterator[Self]:
        """Load the handlers; from then until the block ends the clock stands still."""
        issuer = LocalIssuer()
        issuer.start()
        jwks = base64.b64encode(json.dumps(issuer.key_set()).encode()).decode()
        jwks_url = f"data:application/json;base64,{jwks}"
        parameters = {"Issuer": issuer.url, "Audience": AUDIENCE, "JwksUrl": jwks_url}
        stack = cls(issuer, Template(parameters), PlayedBack())
        with (
            environment(AWS_ENVIRONMENT),
            time_machine.travel(NOW, tick=False),
            pytest.MonkeyPatch.context() as patch,
            log.written_to(io.StringIO()),
        ):
            patch.setattr(log, "THRESHOLD", 1 + max(log.LEVELS.values()))
            patch.setattr(DynamoDb, "connect", lambda: stack.dynamodb)
            patch.setattr(ApiKey, "generate", stack.draw_key)
            patch.setattr(uuid, "uuid4", stack.draw_id)
            patch.setattr(secrets, "token_hex", stack.draw_text)
            patch.setattr(futures, "ThreadPoolExecutor", Pool)
            for name, function in stack.template.answering().items():
                if not name.startswith("ServeReference"):
                    stack.handlers[name] = function.load()
            try:
                yield stack
            finally:
                issuer.stop()

    def draw_key(self, *, key_id: str | None = None, prefix: str = "ak") -> ApiKey:
        """Stand in for ApiKey.generate: the next key of the request that runs."""
        drawn = _key(next(self._drawn))
        return ApiKey(key_id or drawn.key_id, drawn.secret, prefix)

    def draw_id(self) -> uuid.UUID:
        """Stand in for uuid.uuid4: the next id of the request that runs."""
        return uuid.UUID(bytes=next(self._drawn)[:16], version=4)

    def draw_text(self, octets: int) -> str:
        """Stand in for secrets.token_hex: the next random text of the request that runs."""
        return next(self._drawn)[:octets].hex()

    def step(self, who: str, request: Request, history: History) -> tuple[Call, ...] | Ended:
        """Return what a request does next: the calls that it waits for, or its answer.

        Args:
            who: sends it; another one draws other random numbers.
            request: which.
            history: what it was told of its calls so far.
        """
        place = (who, request, history)
        if place not in self.known:
            self.known[place] = self.run(who, request, history)
        return self.known[place]

    def run(self, who: str, request: Request, history: History) -> tuple[Call, ...] | Ended:
        """Return the same by running the handler, whether that is known already or not."""
        self.runs += 1
        self.dynamodb.begin(history)
        self._drawn = drawn_by(who)
        try:
            result = self.handlers[f"{request.function}Function"](
                copy.deepcopy(dict(request.event)), Context(request.function, "a request")
            )
        except Paused:
            return tuple(self.dynamodb.under_way)
        except Exception:  # noqa: BLE001 -- as Lambda does
            return Ended("fault")
        if "isAuthorized" in result:
            return Ended("accepted" if result["isAuthorized"] else "refused")
        return Ended(result["statusCode"], result["body"])

    def live(self, who: str, request: Request, model: DynamoDbModel) -> Ended:
        """Run a request from beginning to end, with nobody else about."""
        history = BEGINNING
        while not isinstance(step := self.step(who, request, history), Ended):
            history = told(history, step[0], apply(model, step[0]))
        return step

    def event(  # noqa: PLR0913 -- the parts of a request
        self,
        subject: str,
        scope: str = SCOPES,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return an event of API Gateway's, of a caller with a token."""
        event = copy.deepcopy(sample_event("revoke_api_key/401"))
        event["headers"] |= {"authorization": f"Bearer {self.issuer.token(subject, scope)}"}
        event["pathParameters"], event["queryStringParameters"] = dict(path or {}), dict(query or {})
        if body is not None:
            event["body"] = json.dumps(body)
        if form is not None:
            event["headers"] |= {"content-type": "application/x-www-form-urlencoded"}
            event["body"] = urlencode(form)
        return event


def told(history: History, call: Call, outcome: Outcome) -> History:
    """Return a history that goes on with the outcome of a call."""
    number = sum(before == call for before, _, _ in history)
    return history | {(call, number, outcome)}


def apply(model: DynamoDbModel, call: Call) -> Outcome:
    """Make a call, and return what it says."""
    try:
        answer = model.call(call.operation, json.loads(call.request))
    except ConditionFailed as failure:
        return Outcome("condition failed", json.dumps(failure.item, sort_keys=True))
    except DynamoDbError as failure:
        return Outcome("refused", json.dumps(failure.code))
    return Outcome("answered", json.dumps(answer, sort_keys=True))


def drawn_by(who: str) -> Iterator[bytes]:
    """Yield the random bytes that a request draws its ids and keys from, the same each time."""
    number = 0
    while True:
        yield hashlib.sha256(f"{who} {number}".encode()).digest()
        number += 1


def key_of(who: str) -> ApiKey:
    """Return the first key that a request draws."""
    return _key(next(drawn_by(who)))


def text_of(who: str, octets: int) -> str:
    """Return the first random text that a request draws, in hexadecimal."""
    return next(drawn_by(who))[:octets].hex()


def _key(octets: bytes) -> ApiKey:
    return ApiKey(str(uuid.UUID(bytes=octets[:16], version=4)), octets.hex()[:43])
