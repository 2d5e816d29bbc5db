"""The stack inside the test process, and how a test speaks to it."""

import base64
import copy
import gzip
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import boto3
import pytest

from apikeys.dynamodb import DynamoDb
from apikeys.keys import ApiKey
from local.functions import Context
from local.issuer import AUDIENCE, SCOPES, LocalIssuer
from local.run import AWS_ENVIRONMENT
from local.template import ROOT, Handler, Template, environment
from tests.documented import CONTRACT
from tests.moto_server import empty, moto_server

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NOTHING: Mapping[str, str] = MappingProxyType({})
# Parameters of a deployment that has every function, also those that are off unless asked for.
EVERYTHING = {
    "GithubAlerts": "true",
    "CanarySecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:canary-AbCdEf",
    "CanaryOwner": "canary",
    "GuardedUrls": "https://forecast.example.com/v1/forecast",
}
FORM = {"content-type": "application/x-www-form-urlencoded"}
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
UNAUTHORIZED = {
    "error": "Unauthorized",
    "message": "Authentication required. Please provide a valid API token",
    "code": 401,
}
FORBIDDEN = {
    "error": "Forbidden",
    "message": "You don't have permission to access this resource",
    "code": 403,
}
NOT_FOUND = {"error": "Not Found", "message": "The requested resource was not found", "code": 404}


def bad_request(*fields: str, **messages: str) -> dict[str, Any]:
    """Return the documented 400: these fields are no UUIDs, and those are wrong in another way."""
    details = dict.fromkeys(fields, "Invalid UUID format") | messages
    return {
        "error": "Bad Request",
        "message": "The request contains invalid parameters or malformed data",
        "code": 400,
        "details": [{"field": name, "message": message} for name, message in details.items()],
    }


def sample_event(name: str) -> dict[str, Any]:
    """Return an event of events/, such as `revoke_api_key/200`."""
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def calls_of(operation: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the IAM actions of a call to DynamoDB, each with its table."""
    tables = body["RequestItems"] if operation == "BatchGetItem" else [body["TableName"]]
    return [(f"dynamodb:{operation}", table) for table in tables]


def size_of(item: dict[str, Any]) -> int:
    """Return the bytes of an item, as DynamoDB counts them.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """

    def of(value: dict[str, Any]) -> int:
        match value:
            case {"S": str(text)}:
                return len(text.encode())
            case {"B": bytes(octets)}:
                return len(octets)
            case {"L": list(members)}:
                return 3 + sum(1 + of(member) for member in members)
        raise ValueError(value)

    return sum(len(name.encode()) + of(value) for name, value in item.items())


def text_of(result: dict[str, Any]) -> str:
    """Return a response's body as a client reads it."""
    if not result.get("isBase64Encoded"):
        return str(result.get("body", ""))
    octets = base64.b64decode(result["body"])
    compressed = result["headers"].get("content-encoding") == "gzip"
    return (gzip.decompress(octets) if compressed else octets).decode()


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as API Gateway sends it."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


class RecordedDynamoDb(DynamoDb):
    """DynamoDB, and what it was asked.

    Args:
        endpoint: its URL.
        calls: where each call is put down, as IAM names it.
        requests: where each is put down with its operation.
    """

    def __init__(
        self, endpoint: str, calls: list[tuple[str, str]], requests: list[tuple[str, dict[str, Any]]]
    ) -> None:
        super().__init__(endpoint)
        self._calls, self._requests = calls, requests

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self._requests.append((operation, request))
        self._calls.extend(calls_of(operation, request))
        return super().call(operation, request)


@dataclass
class Deployment:
    """The functions of template.yaml on moto's DynamoDB, with an issuer that serves its keys over HTTP."""

    issuer: LocalIssuer
    template: Template
    dynamodb: "DynamoDBClient"
    calls: list[tuple[str, str]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)
    parameters: Mapping[str, str] = NOTHING

    @classmethod
    @contextmanager
    def up(cls, dynamodb: str = "") -> Iterator[Self]:
        """Bring it up, and take it down again.

        Args:
            dynamodb: URL of an empty DynamoDB; moto's if there is none.
        """
        issuer = LocalIssuer()
        issuer.start()
        with nullcontext(dynamodb) if dynamodb else moto_server() as url, environment(AWS_ENVIRONMENT):
            given = {"Issuer": issuer.url, "Audience": AUDIENCE, "DynamoDbEndpoint": url}
            given |= EVERYTHING | {"GithubKeysUrl": issuer.github_keys_url}
            own_client = boto3.client("dynamodb", endpoint_url=url)
            Template(given).create_tables(own_client)
            yield cls._of(issuer, own_client, given)
        issuer.stop()

    @classmethod
    def _of(cls, issuer: LocalIssuer, dynamodb: "DynamoDBClient", parameters: Mapping[str, str]) -> Self:
        deployment = cls(issuer, Template(parameters), dynamodb, parameters=parameters)
        functions_own = RecordedDynamoDb(dynamodb.meta.endpoint_url, deployment.calls, deployment.requests)
        with environment(AWS_ENVIRONMENT), pytest.MonkeyPatch.context() as patch:
            patch.setattr(DynamoDb, "connect", lambda: functions_own)
            for name, function in deployment.template.functions().items():
                deployment.handlers[name] = function.load()
        return deployment

    def begin_anew(self) -> None:
        """Have empty tables: of moto's alone."""
        empty(self.dynamodb.meta.endpoint_url)
        self.template.create_tables(self.dynamodb)

    def deployed_again(self, **parameters: str) -> Self:
        """Return it as a second deployment with other parameters has it; what is stored is the same."""
        return self._of(self.issuer, self.dynamodb, {**self.parameters, **parameters})

    def invoke(self, function: str, event: dict[str, Any]) -> Answer:
        """Invoke a function as API Gateway does. Every answer is held against the contract."""
        result = self.handlers[function](event, Context(function))
        answer = Answer(result["statusCode"], result.get("headers", {}), text_of(result))
        method, path = self.request_line(function, event)
        CONTRACT.check(method, path, answer.status, answer.headers, answer.text, by_a_function=True)
        return answer

    def request_line(self, function: str, event: dict[str, Any]) -> tuple[str, str]:
        """Return method and path: of the function's route or, where it has several or none, of the event."""
        events = self.template.resources("AWS::Serverless::Function")[function]["Events"].values()
        match [route["Properties"] for route in events]:
            case [{"Method": method, "Path": path}]:
                return method, path
        method = event.get("requestContext", {}).get("http", {}).get("method", "GET")
        if event.get("routeKey") in ("$default", "ANY /{proxy+}", "OPTIONS /{proxy+}"):
            # Without what a stage or a base path puts before it.
            return method, "/" + (event.get("pathParameters") or {}).get("proxy", "")
        return method, event.get("routeKey", "GET /no/path").split(" ")[-1]

    def revoke(
        self, application_id: str, key_id: str, token: str | None, *, authorization: str | None = None
    ) -> Answer:
        """Send the documented DELETE."""
        event = copy.deepcopy(sample_event("revoke_api_key/401"))
        event["pathParameters"] = {"id": application_id, "keyId": key_id}
        if token:
            authorization = f"Bearer {token}"
        if authorization is not None:
            event["headers"]["authorization"] = authorization
        return self.invoke("RevokeApiKeyFunction", event)

    def call(  # noqa: PLR0913 -- the parts of a request
        self,
        function: str,
        token: str | None = None,
        *,
        path: Mapping[str, str] = NOTHING,
        query: Mapping[str, str] = NOTHING,
        body: Any = None,
        headers: Mapping[str, str] = NOTHING,
        **changes: Any,
    ) -> Answer:
        """Call a function as API Gateway does.

        Args:
            function: its logical id without `Function`.
            token: the caller's JWT.
            path: parameters.
            query: parameters.
            body: text as it is; anything else as JSON.
            headers: to have besides, or instead.
            changes: members of the event to have instead.
        """
        event = copy.deepcopy(sample_event("revoke_api_key/401"))
        event["headers"] |= ({"authorization": f"Bearer {token}"} if token else {}) | dict(headers)
        event["pathParameters"], event["queryStringParameters"] = dict(path), dict(query)
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        return self.invoke(f"{function}Function", event | changes)

    def revoke_by_string(self, body: str, **changes: Any) -> Answer:
        """Send a form to the revoke by string."""
        return self.call("RevokeLeakedApiKey", body=body, headers=FORM, **changes)

    def report_by_github(self, *found: dict[str, Any]) -> Answer:
        """Send an alert of GitHub's."""
        body = json.dumps(found)
        headers = self.issuer.github.headers(body.encode())
        return self.call("RevokeApiKeysFoundByGithub", body=body, headers=headers)

    def authorize(self, headers: Mapping[str, str], **changes: Any) -> Any:
        """Ask the Lambda authorizer about a request with these headers."""
        event = copy.deepcopy(sample_event("revoke_api_key/401"))
        event["headers"] = dict(headers)
        return self.handlers["AuthorizeRequestFunction"](event | changes, Context("AuthorizeRequestFunction"))

    def accepts(self, key: str) -> bool:
        """Tell whether the authorizer lets this key through."""
        return bool(self.authorize({"authorization": f"Bearer {key}"})["isAuthorized"])

    def application(self, owner: str = "alice") -> str:
        """Create an application and return its id."""
        answer = self.call("CreateApplication", self.token(owner), body={"name": "An application"})
        return str(answer.body["id"])

    def issue(self, application_id: str | None = None, owner: str = "alice", **body: Any) -> dict[str, Any]:
        """Issue a key, in a new application unless one is given, and return the answer's body."""
        path = {"id": application_id or self.application(owner)}
        answer = self.call("IssueApiKey", self.token(owner), path=path, body={"name": "A key"} | body)
        assert answer.status == 201, answer
        issued: dict[str, Any] = answer.body
        return issued

    def token(self, subject: str = "alice", scope: str | None = SCOPES, **changes: Any) -> str:
        """Mint a token, valid at the current time, with claims changed or (None) left out."""
        return self.issuer.token(subject, scope, changes=changes)

    def put_key(
        self, *, application_id: str | None = None, owner: str = "alice", **attributes: str
    ) -> dict[str, str]:
        """Store an active key, unless the attributes say otherwise, and return what identifies it."""
        key = ApiKey.generate()
        item = {
            "keyId": key.key_id,
            "applicationId": application_id or str(uuid.uuid4()),
            "ownerId": owner,
            "name": "production",
            "start": key.start,
            "createdAt": "2026-11-01T09:00:00.000Z",
            "createdBy": owner,
        } | attributes
        stored = {name: {"S": value} for name, value in item.items()}
        self.dynamodb.put_item(TableName="ApiKeysTable", Item=stored | {"hash": {"B": key.hash}})
        return item

    def stored(self, key_id: str) -> dict[str, Any] | None:
        """Return the item of a key as it is stored, or None."""
        return self.dynamodb.get_item(TableName="ApiKeysTable", Key={"keyId": {"S": key_id}}).get("Item")

    def everything(self) -> list[dict[str, Any]]:
        """Return every stored key item, in a fixed order."""
        items = (
            self.dynamodb.get_paginator("scan")
            .paginate(TableName="ApiKeysTable")
            .build_full_result()["Items"]
        )
        return sorted(items, key=lambda item: item["keyId"]["S"])
