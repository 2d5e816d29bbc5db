"""What is measured: one good request to each capability, recorded from a run on DynamoDB Local.

The calls that a capability makes, their answers and units are never written down here: they are what it did.
"""

import base64
import copy
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3

from apikeys.dynamodb import DynamoDb
from apikeys.log import written_to
from benchmarks.responder import asked
from benchmarks.subject import Invocation
from local.issuer import AUDIENCE, LocalIssuer
from local.run import AWS_ENVIRONMENT
from local.template import ROOT, Function, Handler, Template, environment

type JSON = dict[str, Any]
# Requests and answers as spelled, by what was asked.
type Answers = dict[str, list[tuple[JSON, str]]]

# What is measured, and what it takes to get there.
CAPABILITIES = (
    "authorize_request",
    "create_application",
    "introspect_api_key",
    "issue_api_key",
    "list_api_keys",
    "read_api_key",
    "revoke_api_key",
)
FULL_PAGE = 100
OWNER = "alice"


@dataclass(frozen=True, slots=True)
class Call:
    """One call to DynamoDB.

    Args:
        operation: such as `GetItem`.
        request: its JSON.
        answer: its JSON.
        units: read or write units that it consumed.
    """

    operation: str
    request: JSON
    answer: JSON
    units: float


@dataclass(frozen=True, slots=True)
class Work:
    """A request, and what it makes a capability do.

    Args:
        name: for people.
        function: logical id.
        folder: of the function's code.
        event: of the request.
        token: the JWT in it; None where there is none.
        calls: what it asks of DynamoDB.
        answer: that it gives.
    """

    name: str
    function: str
    folder: Path
    event: JSON
    token: str | None
    calls: list[Call]
    answer: JSON

    @property
    def answers(self) -> Answers:
        """Requests and DynamoDB's answers, as it spells them, by what was asked."""
        found: Answers = {}
        for call in self.calls:
            spelled = json.dumps(call.answer, separators=(",", ":"))
            found.setdefault(asked(call.operation, call.request), []).append((call.request, spelled))
        return found

    @property
    def units(self) -> float:
        """What all its calls consume."""
        return sum(call.units for call in self.calls)


@dataclass(frozen=True, slots=True)
class Deployment:
    """The functions as deployed, on a DynamoDB that tells units.

    Args:
        issuer: of the callers' tokens.
        template: as deployed.
        handlers: by capability, the name of its folder.
        calls: made so far.
    """

    issuer: LocalIssuer
    template: Template
    handlers: Mapping[str, Handler]
    calls: list[Call]

    def ask(self, capability: str, event: JSON) -> JSON:
        """Invoke a function; what is not a success ends the run."""
        answer: JSON = self.handlers[capability](event, Invocation())
        if answer.get("isAuthorized") is not True and answer.get("statusCode") not in {200, 201}:
            raise RuntimeError(f"{capability} answers {answer}")
        return answer


class Observed(DynamoDb):
    """DynamoDB, and what each call consumed.

    Args:
        endpoint: its URL.
    """

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.calls: list[Call] = []

    def call(self, operation: str, request: JSON) -> JSON:
        """Make the call, and ask what it consumed."""
        answer = super().call(operation, request | {"ReturnConsumedCapacity": "TOTAL"})
        consumed = answer.pop("ConsumedCapacity", [])
        tables = consumed if isinstance(consumed, list) else [consumed]
        units = sum(table["CapacityUnits"] for table in tables)
        self.calls.append(Call(operation, copy.deepcopy(request), answer, units))
        return answer


@contextmanager
def deployment(dynamodb: str) -> Iterator[Deployment]:
    """Bring the functions up in this process.

    Args:
        dynamodb: URL of an empty DynamoDB Local.
    """
    issuer = LocalIssuer()
    issuer.start()
    try:
        key_set = base64.b64encode(json.dumps(issuer.key_set()).encode()).decode()
        parameters = {
            "Issuer": issuer.url,
            "Audience": AUDIENCE,
            "JwksUrl": f"data:application/json;base64,{key_set}",
            "DynamoDbEndpoint": dynamodb,
        }
        template = Template(parameters)
        # Nobody reads what the functions log.
        with environment(AWS_ENVIRONMENT), written_to(io.StringIO()):
            template.create_tables(boto3.client("dynamodb", endpoint_url=dynamodb))
            observed = Observed(dynamodb)
            with patch.object(DynamoDb, "connect", lambda: observed):
                functions = {found.code.name: found for found in template.functions().values()}
                handlers = {name: functions[name].load() for name in CAPABILITIES}
            yield Deployment(issuer, template, handlers, observed.calls)
    finally:
        issuer.stop()


def event(
    sample: str, token: str | None = None, *, path: Mapping[str, str] | None = None, **other: Any
) -> JSON:
    """Return a sample event with another token, other path parameters and whatever else.

    Args:
        sample: its name in events/.
        token: JWT or key, instead of the sample's.
        path: parameters.
        other: members to have instead.
    """
    found: JSON = json.loads((ROOT / "events" / f"{sample}.json").read_text())
    if token:
        found["headers"]["authorization"] = f"Bearer {token}"
    return found | ({"pathParameters": dict(path)} if path else {}) | other


@dataclass
class Recording:
    """All work, and keys to go on with.

    Attributes:
        deployment: on which it was recorded.
        work: by name.
        keys: that are active: of each the id and the key string.
        application_id: whose keys they are.
    """

    deployment: Deployment
    work: dict[str, Work] = field(default_factory=dict)
    keys: list[tuple[str, str]] = field(default_factory=list)
    application_id: str = ""

    @property
    def token(self) -> str:
        """A token that may do everything an owner may."""
        return self.deployment.issuer.token(OWNER)

    def issue(self) -> tuple[str, str]:
        """Issue a key; return its id and the key string."""
        sample = event("issue_api_key/201", self.token, path={"id": self.application_id})
        body = json.loads(self.deployment.ask("issue_api_key", sample)["body"])
        return body["id"], body["key"]

    def record(self, name: str, capability: str, sample: JSON, *, token: str | None) -> None:
        """Make a request, and remember all that it did."""
        self.deployment.calls.clear()
        answer = self.deployment.ask(capability, sample)
        functions = self.deployment.template.functions().values()
        [function] = [found for found in functions if found.code.name == capability]
        calls = list(self.deployment.calls)
        self.work[name] = Work(name, function.name, function.code, sample, token, calls, answer)


def record(deployed: Deployment) -> Recording:
    """Make one good request to each capability that is measured."""
    recording = Recording(deployed)
    token = recording.token
    created = deployed.ask("create_application", event("create_application/201", token))
    recording.application_id = json.loads(created["body"])["id"]
    recording.keys = [recording.issue() for _ in range(FULL_PAGE - 1)]
    (key_id, key), (other_id, _) = recording.keys.pop(), recording.keys.pop()
    application = {"id": recording.application_id}
    page = {"queryStringParameters": {"limit": str(FULL_PAGE)}}
    path = application | {"keyId": key_id}
    recording.record("check", "authorize_request", event("authorize_request/refused", key), token=None)
    form = event("introspect_api_key/200", token, body=f"token={key}", isBase64Encoded=False)
    recording.record("introspect", "introspect_api_key", form, token=token)
    recording.record("read", "read_api_key", event("read_api_key/200", token, path=path), token=token)
    path = application | {"keyId": other_id}
    recording.record("revoke", "revoke_api_key", event("revoke_api_key/200", token, path=path), token=token)
    one_more = event("issue_api_key/201", token, path=application)
    recording.record("issue", "issue_api_key", one_more, token=token)
    whole = event("list_api_keys/200", token, path=application, **page)
    recording.record("list of 100", "list_api_keys", whole, token=token)
    return recording


def zipped(function: Function) -> int:
    """Return the bytes of a function's own code as it is uploaded."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as upload:
        for path in function.code.glob("*.py"):
            upload.write(path, path.name)
    return len(archive.getvalue())


def specification(recording: Recording, work: Work, endpoint: str) -> JSON:
    """Return what a subject must know to do this work.

    Args:
        recording: that it is of.
        work: to do.
        endpoint: URL of DynamoDB.
    """
    template, issuer = recording.deployment.template, recording.deployment.issuer
    variables = template.functions()[work.function].environment | AWS_ENVIRONMENT
    bare_calls = [(_method(call.operation), call.request) for call in work.calls]
    return {
        "folder": str(work.folder),
        "event": work.event,
        "environment": variables | {"AWS_ENDPOINT_URL_DYNAMODB": endpoint},
        "token": work.token,
        "jwk": issuer.key_set()["keys"][0],
        "audience": AUDIENCE,
        "issuer": issuer.url,
        "calls": [(call.operation, call.request) for call in work.calls],
        "bare_calls": bare_calls,
        "keys": recording.keys,
        "size": len(json.dumps(work.answer)),
    }


def _method(operation: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
