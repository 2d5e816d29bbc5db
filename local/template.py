"""What a deployment of template.yaml would be: its tables, its functions and their environment."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ROOT = Path(__file__).parent.parent
# What CreateTable needs; the rest of a table's properties concerns its operation on AWS.
TABLE_SHAPE = ("AttributeDefinitions", "KeySchema", "BillingMode")

# What `!If` leaves out.
NO_VALUE = {"Ref": "AWS::NoValue"}

type Handler = Callable[[dict[str, Any], Any], Any]


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms: `!Ref x` is `{"Ref": x}`, `!If [..]` is `{"Fn::If": [..]}`."""


def _short_form(loader: yaml.CSafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        value: Any = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_scalar(node)  # type: ignore[arg-type] # no short form takes a mapping here
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _short_form)


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function of the template.

    Args:
        name: its logical id.
        code: folder of its code.
        handler: `module.function` in it.
        environment: variables it starts with.
    """

    name: str
    code: Path
    handler: str
    environment: dict[str, str]

    def load(self) -> Handler:
        """Import the module as a cold start does, with the function's environment, and return the handler."""
        module_name, function_name = self.handler.split(".")
        name = f"{self.code.name}.{module_name}"
        path = str(self.code / f"{module_name}.py")
        module = ModuleType(name)
        module.__file__ = path
        with environment(self.environment), modules_beside(self.code):
            SourceFileLoader(name, path).exec_module(module)
        handler: Handler = getattr(module, function_name)
        return handler


@contextmanager
def modules_beside(folder: Path) -> Iterator[None]:
    """Let what is loaded import the modules of its own folder; the next function has its own of the same name."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for path in folder.glob("*.py"):
            if path.stem not in before:
                sys.modules.pop(path.stem, None)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, and put back what was there."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Template:
    """template.yaml with its parameters filled in; a reference to a resource is its logical id.

    Args:
        parameters: values for those without a default, or instead of it.
        path: of the template.
        document: what it holds, where that is known already.
    """

    def __init__(
        self,
        parameters: Mapping[str, str],
        *,
        path: Path = ROOT / "template.yaml",
        document: dict[str, Any] | None = None,
    ) -> None:
        self.document: dict[str, Any] = document or yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 -- a SafeLoader
        self._root = path.parent
        declared = self.document["Parameters"]
        self._parameters = {name: parameters.get(name, p.get("Default", "")) for name, p in declared.items()}
        self._parameters["AWS::StackName"] = "local"  # as SAM CLI has it

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of all resources of a type, resolved, by logical id."""
        return {
            name: self.resolve(resource["Properties"])
            for name, resource in self.document["Resources"].items()
            if resource["Type"] == kind and self.has(resource)
        }

    def functions(self) -> dict[str, Function]:
        """Return the functions, by logical id."""
        shared = self.resolve(self.document["Globals"]["Function"])
        found = {}
        for name, own in self.resources("AWS::Serverless::Function").items():
            variables = shared["Environment"]["Variables"] | own.get("Environment", {}).get("Variables", {})
            code = self._root / own["CodeUri"]
            # What only AWS can put in stays an expression, as text.
            text = {
                key: value if isinstance(value, str) else json.dumps(value)
                for key, value in variables.items()
            }
            found[name] = Function(name, code, own.get("Handler", shared["Handler"]), text)
        return found

    def answering(self) -> dict[str, Function]:
        """Return those that API Gateway asks, and not those that a stream or a schedule invokes."""
        own = self.resources("AWS::Serverless::Function")
        events = {name: own[name].get("Events", {}).values() for name in own}
        return {
            name: function
            for name, function in self.functions().items()
            if all(event["Type"] == "HttpApi" for event in events[name])
        }

    def has(self, resource: dict[str, Any]) -> bool:
        """Tell whether a deployment with these parameters has a resource, by its condition."""
        return "Condition" not in resource or self._holds(resource["Condition"])

    def create_tables(self, client: "DynamoDBClient") -> None:
        """Create every table, named by its logical id."""
        for name, properties in self.resources("AWS::DynamoDB::Table").items():
            client.create_table(TableName=name, **{k: properties[k] for k in TABLE_SHAPE if k in properties})

    def resolve(self, value: Any) -> Any:
        """Replace references and conditions by what they stand for."""
        return self._refer(self.decide(value))

    def decide(self, value: Any) -> Any:
        """Replace conditions by what they choose, and leave out what is to have no value; references stay."""
        match value:
            case {"Fn::If": [str(condition), then, otherwise]}:
                return self.decide(then if self._holds(condition) else otherwise)
            case dict():
                members = {key: self.decide(member) for key, member in value.items()}
                return {key: member for key, member in members.items() if member != NO_VALUE}
            case list():
                return [member for each in value if (member := self.decide(each)) != NO_VALUE]
            case _:
                return value

    def _refer(self, value: Any) -> Any:
        match value:
            case {"Ref": str(name)}:
                return self._parameters.get(name, name)
            case {"Fn::GetAtt": str(attribute)} if attribute.endswith(".QueueName"):
                return attribute.removesuffix(".QueueName")  # of a queue, a reference is the URL
            case dict():
                return {key: self._refer(member) for key, member in value.items()}
            case list():
                return [self._refer(member) for member in value]
            case _:
                return value

    def _holds(self, condition: str) -> bool:
        return self._is_true(self.document["Conditions"][condition])

    def _is_true(self, expression: dict[str, Any]) -> bool:
        match expression:
            case {"Condition": str(name)}:
                return self._holds(name)
            case {"Fn::Not": [part]}:
                return not self._is_true(part)
            case {"Fn::And": parts}:
                return all(self._is_true(part) for part in parts)
            case {"Fn::Or": parts}:
                return any(self._is_true(part) for part in parts)
        left, right = self.resolve(expression["Fn::Equals"])
        return str(left) == str(right)  # as CloudFormation compares, whatever a parameter's type
