"""DynamoDB, as much of it as the store uses: one call is one atomic step, and reads are strongly consistent.

It stands where the client stands, and its `call` says what the client's says: the answer's JSON, `ConditionFailed`
with the item, or `DynamoDbError`. It never fails in passing: what may get lost on the way is for `tests/interleavings`.
"""

import base64
import binascii
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from apikeys.dynamodb import ConditionFailed, DynamoDb, DynamoDbError
from local.template import Template
from tests.dynamodb_model.expressions import Invalid, Item, Names, Reader, Unknown, Value, order

type JSON = dict[str, Any]
type Key = tuple[bytes, ...]

BATCH = 100  # keys that one BatchGetItem may ask for
READING = {"TableName", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"}
WRITING = {
    "TableName",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
}
MEMBERS = {
    "GetItem": READING | {"Key"},
    "PutItem": WRITING | {"Item"},
    "UpdateItem": WRITING | {"Key", "UpdateExpression"},
    "Query": READING
    | {
        "KeyConditionExpression",
        "ExpressionAttributeValues",
        "ScanIndexForward",
        "Limit",
        "ExclusiveStartKey",
    },
    "BatchGetItem": {"RequestItems"},
}


@dataclass(frozen=True, slots=True)
class Schema:
    """A table's primary key, all of its attributes strings.

    Args:
        partition: name of the partition key.
        sort: name of the sort key, None where the table has none.
    """

    partition: str
    sort: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all of it."""
        return (self.partition, self.sort) if self.sort else (self.partition,)

    def key_of(self, item: Item) -> Key:
        """Return what tells an item from others.

        Raises:
            Invalid: if it lacks a part of the key, or that is no string, or empty.
        """
        for name in self.names:
            if name not in item or "S" not in item[name] or not item[name]["S"]:
                raise Invalid(f"{name} is not a key")
        return tuple(order(item[name]) for name in self.names)

    def exactly(self, key: Item) -> Key:
        """Return the same of a request's Key, which may have nothing else."""
        if key.keys() != set(self.names):
            raise Invalid("not the key of this table")
        return self.key_of(key)


class DynamoDbModel(DynamoDb):
    """Tables and their items.

    Args:
        schemas: of the tables, by name.
    """

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        # Not the client's own, which would look for a Region and an endpoint.
        self._schemas = schemas
        # Items are replaced, never changed, so that a copy need not copy them.
        self.tables: dict[str, dict[Key, Item]] = {name: {} for name in schemas}

    @classmethod
    def of(cls, template: Template) -> Self:
        """Return the tables of a template, empty."""
        return cls(
            {
                name: Schema(**_schema(name, properties))
                for name, properties in template.resources("AWS::DynamoDB::Table").items()
            }
        )

    def copy(self) -> Self:
        """Return the same tables with the same items; what happens to one does not happen to the other."""
        twin = copy.copy(self)
        twin.tables = {name: dict(items) for name, items in self.tables.items()}
        return twin

    def call(self, operation: str, request: JSON) -> JSON:
        """Make one call, atomically.

        Args:
            operation: such as `UpdateItem`.
            request: its JSON, as on the wire: binary values are Base64.

        Raises:
            ConditionFailed: if the write's condition does not hold.
            DynamoDbError: if DynamoDB would refuse the request.
            Unknown: if the model does not know what DynamoDB would do.
        """
        if operation not in MEMBERS:
            raise Unknown(operation)
        if unknown := request.keys() - MEMBERS[operation]:
            raise Unknown(f"{operation} with {sorted(unknown)}")
        answers: Mapping[str, Callable[[JSON], JSON]] = {
            "GetItem": self._get,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "Query": self._query,
            "BatchGetItem": self._get_batch,
        }
        try:
            # Copied, as the wire does: nobody who holds an answer holds what is stored.
            return copy.deepcopy(answers[operation](copy.deepcopy(request)))
        except Invalid as invalid:
            raise DynamoDbError("ValidationException") from invalid

    def _get(self, request: JSON) -> JSON:
        _require_strong(request)
        schema, items = self._table(request)
        show = _projected(request)
        key = schema.exactly(_checked(request["Key"]))
        return {"Item": show(items[key])} if key in items else {}

    def _put(self, request: JSON) -> JSON:
        schema, items = self._table(request)
        names = Names(request)
        condition = _condition(request, names)
        names.require_all_used()
        item = _checked(request["Item"])
        key = schema.key_of(item)
        _require(condition, request, items.get(key))
        items[key] = item
        return {}

    def _update(self, request: JSON) -> JSON:
        schema, items = self._table(request)
        names = Names(request)
        changes = Reader(request["UpdateExpression"], names).update()
        condition = _condition(request, names)
        names.require_all_used()
        key = schema.exactly(_checked(request["Key"]))
        _require(condition, request, items.get(key))
        if not changes.keys().isdisjoint(schema.names):
            raise Invalid("a part of the key is updated")
        old: Item = items.get(key) or request["Key"]
        new = {name: value for name, value in old.items() if name not in changes}
        for name, operand in changes.items():
            if operand:
                new[name] = _existing(operand(old))
        items[key] = new
        return {}

    def _query(self, request: JSON) -> JSON:
        _require_strong(request)
        schema, items = self._table(request)
        names = Names(request)
        expression = Reader(request["KeyConditionExpression"], names)
        partition, condition = expression.key_condition(schema.partition, schema.sort)
        show = _projected(request, names)
        if not _value(partition).get("S"):
            raise Invalid("a partition that cannot be")
        is_forward = request.get("ScanIndexForward", True)
        found = sorted(key for key, item in items.items() if key[0] == order(partition) and condition(item))
        if not is_forward:
            found.reverse()
        if "ExclusiveStartKey" in request:
            if " AND " in request["KeyConditionExpression"]:
                raise Unknown("which starting keys are outside of what is asked for")
            start = schema.exactly(_checked(request["ExclusiveStartKey"]))
            if start[0] != order(partition):
                raise Invalid("a start outside the partition")
            found = [key for key in found if (key > start if is_forward else key < start)]
        limit = request.get("Limit", len(found) + 1)
        if limit < 1:
            raise Invalid("a limit of nothing")
        shown = found[:limit]
        answer: JSON = {"Items": [show(items[key]) for key in shown], "Count": len(shown)}
        answer["ScannedCount"] = len(shown)
        if len(shown) == limit:
            last = items[shown[-1]]
            answer["LastEvaluatedKey"] = {name: last[name] for name in schema.names}
        return answer

    def _get_batch(self, request: JSON) -> JSON:
        responses: dict[str, list[Item]] = {}
        wanted = request["RequestItems"]
        if not wanted or not 0 < sum(len(one["Keys"]) for one in wanted.values()) <= BATCH:
            raise Invalid("too few or too many keys")
        for table, one in wanted.items():
            if unknown := one.keys() - (READING - {"TableName"}) - {"Keys"}:
                raise Unknown(f"BatchGetItem with {sorted(unknown)}")
            _require_strong(one)
            schema, items = self._table({"TableName": table})
            show = _projected(one)
            keys = [schema.exactly(_checked(key)) for key in one["Keys"]]
            if not keys or len(set(keys)) < len(keys):
                raise Invalid("a key twice, or none")
            responses[table] = [show(items[key]) for key in sorted(keys) if key in items]
        return {"Responses": responses, "UnprocessedKeys": {}}

    def _table(self, request: JSON) -> tuple[Schema, dict[Key, Item]]:
        name = request["TableName"]
        if name not in self._schemas:
            raise DynamoDbError("ResourceNotFoundException")
        return self._schemas[name], self.tables[name]


def _schema(name: str, properties: JSON) -> dict[str, str]:
    if "GlobalSecondaryIndexes" in properties or "LocalSecondaryIndexes" in properties:
        raise Unknown(f"{name}: indexes lag behind, and what they show then is not known")
    names = {"HASH": "partition", "RANGE": "sort"}
    return {names[part["KeyType"]]: part["AttributeName"] for part in properties["KeySchema"]}


def _require_strong(request: JSON) -> None:
    if request.get("ConsistentRead") is not True:
        raise Unknown("what a read sees that is not strongly consistent")


def _condition(request: JSON, names: Names) -> Callable[[Item], bool]:
    if "ConditionExpression" not in request:
        return lambda _: True
    return Reader(request["ConditionExpression"], names).condition()


def _require(condition: Callable[[Item], bool], request: JSON, item: Item | None) -> None:
    """Refuse a write whose condition does not hold, as the real client does."""
    wanted = request.get("ReturnValuesOnConditionCheckFailure", "NONE")
    if wanted not in ("NONE", "ALL_OLD"):
        raise Unknown(f"ReturnValuesOnConditionCheckFailure {wanted}")
    if not condition(item or {}):
        raise ConditionFailed(copy.deepcopy(item) if wanted == "ALL_OLD" else None)


def _projected(request: JSON, names: Names | None = None) -> Callable[[Item], Item]:
    names = names or Names(request)
    wanted = None
    if "ProjectionExpression" in request:
        wanted = Reader(request["ProjectionExpression"], names).projection()
    names.require_all_used()
    return lambda item: {name: value for name, value in item.items() if wanted is None or name in wanted}


def _existing(value: Value | None) -> Value:
    if value is None:
        raise Invalid("an attribute that is not there is assigned")
    return _value(value)


def _checked(item: Item) -> Item:
    for value in item.values():
        _value(value)
    return item


def _value(value: Value) -> Value:
    match value:
        case {"S": str(), **others} if not others:
            return value
        case {"B": str(content), **others} if not others:
            try:
                base64.b64decode(content, validate=True)
            except binascii.Error:
                raise Invalid("no Base64") from None
            return value
        case {"L": list(members), **others} if not others:
            for member in members:
                _value(member)
            return value
    raise Unknown(f"a value of the type {sorted(value)}")
