"""An operation of the contract, as the reference page shows it and its console sends it."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

type Json = dict[str, Any]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class NotShown(Exception):
    """The contract has something that the page does not know how to show: teach it here and in reference/."""


@dataclass(frozen=True, slots=True)
class Field:
    """What a reader fills in.

    Args:
        place: in the request: path, query or header, or form for a member of a form.
    """

    name: str
    place: str
    required: bool
    description: str
    schema: Json
    example: Any

    @property
    def takes_many(self) -> bool:
        """Tell whether several values may be chosen."""
        return self.schema.get("type") == "array"

    @property
    def choices(self) -> list[Any]:
        """What can be chosen from; nothing if anything can be written."""
        found: list[Any] = (self.schema["items"] if self.takes_many else self.schema).get("enum", [])
        return found


@dataclass(frozen=True, slots=True)
class Credential:
    """What a reader enters to be let in.

    Args:
        scheme: its name in the contract.
        title: for people.
        description: for people.
        header: that carries it.
        prefix: of the header's value.
        example: as samples have it.
        required: whether there is no other way in.
    """

    scheme: str
    title: str
    description: str
    header: str
    prefix: str
    example: str
    required: bool


@dataclass(frozen=True, slots=True)
class Body:
    """A body of one content type."""

    type: str
    required: bool
    description: str
    schema: Json
    example: Any

    @property
    def text(self) -> str:
        """Return the example, of a body that is written as a whole; a form has fields instead."""
        return "" if self.type == FORM else _indented(self.example)


@dataclass(frozen=True, slots=True)
class Answer:
    """A documented answer; its examples are pairs of a title and a text."""

    status: str
    description: str
    headers: Json
    schema: Json
    examples: list[tuple[str, str]]

    @property
    def phrase(self) -> str:
        """The status in words, which HTTP/2 does not send."""
        return HTTPStatus(int(self.status)).phrase

    @property
    def is_success(self) -> bool:
        """Tell whether the request did what it was for."""
        return self.status.startswith("2")


class Operation:
    """One operation.

    Args:
        document: the contract, its references resolved.
        path: of the operation, as the contract has it.
        method: in lower case.

    Raises:
        NotShown: if the page could not show it, or not send it.
    """

    def __init__(self, document: Json, path: str, method: str) -> None:
        item = document["paths"][path]
        operation = item[method]
        ways_in: list[Json] = operation.get("security", document["security"])
        schemes = document["components"]["securitySchemes"]
        self.path = path
        self.method = method.upper()
        self.id: str = operation["operationId"]
        self.tag: str = operation["tags"][0]
        self.summary: str = operation["summary"]
        self.description: str = operation["description"]
        self.time_to_lose_access: str = operation.get("x-time-to-lose-access", "")
        self.scopes = [scope for way in ways_in for scopes in way.values() for scope in scopes]
        self.credentials = [
            _credential(name, schemes[name], required=len(ways_in) == 1) for way in ways_in for name in way
        ]
        self.body = _body(operation["requestBody"]) if "requestBody" in operation else None
        parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
        self.fields = [_field(parameter) for parameter in parameters] + _members(self.body)
        self.answers = [_answer(status, one) for status, one in operation["responses"].items()]

    @property
    def content_type(self) -> str:
        """What the request says it is: its body's type; without a body JSON, as documented, unless it only reads."""
        if self.body:
            return self.body.type
        return "" if self.method == "GET" else JSON

    @property
    def answers_nothing(self) -> bool:
        """Tell whether a success has no more to say than its status."""
        return all(text == "{}" for one in self.answers if one.is_success for _, text in one.examples)


def _credential(name: str, scheme: Json, *, required: bool) -> Credential:
    match scheme:
        case {"type": "http", "scheme": "bearer", "bearerFormat": kind}:
            title, header, prefix = f"Bearer Token ({kind})", "Authorization", "Bearer "
            example = f"YOUR_API_TOKEN ({kind})"
        case {"type": "apiKey", "in": "header", "name": header}:
            title, prefix, example = header, "", "YOUR_API_KEY"
        case _:
            raise NotShown(f"the security scheme {name}")
    return Credential(name, title, scheme["description"], header, prefix, example, required)


def _field(parameter: Json) -> Field:
    name, place = parameter["name"], parameter["in"]
    if place not in {"path", "query", "header"}:
        raise NotShown(f"the parameter {name} in a {place}")
    required = parameter.get("required", False)
    return Field(
        name, place, required, parameter["description"], parameter["schema"], parameter.get("example")
    )


def _body(body: Json) -> Body:
    [(kind, content)] = body["content"].items()
    if kind not in {JSON, FORM}:
        raise NotShown(f"a body of the type {kind}")
    return Body(kind, body.get("required", False), body["description"], content["schema"], content["example"])


def _members(body: Body | None) -> list[Field]:
    if not body or body.type != FORM:
        return []
    required = body.schema["required"]
    return [
        Field(name, "form", name in required, member["description"], member, body.example.get(name))
        for name, member in body.schema["properties"].items()
    ]


def _answer(status: str, response: Json) -> Answer:
    content: Json = next(iter(response.get("content", {}).values()), {})
    examples = content.get("examples", {"": {"value": content["example"]}} if "example" in content else {})
    shown = [(example.get("summary", ""), _indented(example["value"])) for example in examples.values()]
    return Answer(
        status, response["description"], response.get("headers", {}), content.get("schema", {}), shown
    )


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
