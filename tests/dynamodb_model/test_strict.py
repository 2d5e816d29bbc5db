"""Guarantee: the model guesses nothing. What it was not taught ends the test that asks it."""

from typing import Any

import pytest

from local.template import Template
from tests.dynamodb_model.expressions import Unknown
from tests.dynamodb_model.model import DynamoDbModel, Schema

KEY = {"keyId": {"S": "k"}}
READ = {"TableName": "Keys", "Key": KEY, "ConsistentRead": True}
WRITE = {"TableName": "Keys", "Item": KEY}
QUERY = {"TableName": "Lists", "ConsistentRead": True, "ExpressionAttributeValues": {":k": {"S": "k"}}}
UPDATE = {"TableName": "Keys", "Key": KEY, "UpdateExpression": "REMOVE a"}


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("TransactWriteItems", {"TransactItems": []}),
        ("DeleteItem", {"TableName": "Keys", "Key": KEY}),
        ("Scan", {"TableName": "Keys", "ConsistentRead": True}),
        ("GetItem", READ | {"ConsistentRead": False}),
        ("GetItem", {name: READ[name] for name in ("TableName", "Key")}),
        ("GetItem", READ | {"AttributesToGet": ["a"]}),
        ("GetItem", READ | {"ProjectionExpression": "a.b"}),
        ("PutItem", WRITE | {"Expected": {}}),
        ("PutItem", WRITE | {"ReturnValues": "ALL_OLD"}),
        ("PutItem", WRITE | {"ConditionExpression": "begins_with(a, b)"}),
        ("PutItem", {"TableName": "Keys", "Item": KEY | {"a": {"N": "1"}}}),
        ("UpdateItem", UPDATE | {"UpdateExpression": "ADD a :one"}),
        ("UpdateItem", UPDATE | {"UpdateExpression": "SET a = a + b"}),
        ("UpdateItem", UPDATE | {"ReturnValuesOnConditionCheckFailure": "ALL_NEW"}),
        ("Query", {"TableName": "Keys", "IndexName": "byName", "ConsistentRead": True}),
        ("Query", QUERY | {"KeyConditionExpression": "whose = :k AND what <= :k"}),
        ("Query", QUERY | {"KeyConditionExpression": "what < :k AND whose = :k"}),
        ("BatchGetItem", {"RequestItems": {"Keys": {"Keys": [KEY]}}}),
    ],
)
def test_what_it_does_not_know_it_refuses_to_answer(operation: str, request_: dict[str, Any]) -> None:
    with pytest.raises(Unknown):
        DynamoDbModel({"Keys": Schema("keyId"), "Lists": Schema("whose", "what")}).call(operation, request_)


def test_what_is_stored_cannot_be_changed_past_it() -> None:
    model = DynamoDbModel({"Keys": Schema("keyId")})
    item: dict[str, Any] = KEY | {"a": {"S": "x"}}
    model.call("PutItem", {"TableName": "Keys", "Item": item})
    item["a"]["S"] = "y"
    model.call("GetItem", READ)["Item"]["a"]["S"] = "z"
    twin = model.copy()
    twin.call("UpdateItem", UPDATE)
    assert model.call("GetItem", READ) == {"Item": KEY | {"a": {"S": "x"}}}
    assert twin.call("GetItem", READ) == {"Item": KEY}


def test_it_has_no_index() -> None:
    template = Template({})
    indexed = template.document["Resources"]["ApiKeysTable"]["Properties"]
    indexed["GlobalSecondaryIndexes"] = [{"IndexName": "byName"}]
    with pytest.raises(Unknown, match="lag behind"):
        DynamoDbModel.of(template)
