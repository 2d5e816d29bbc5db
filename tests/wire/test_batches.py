"""What a batch read leaves out is asked for again, with pauses, until the deadline."""

from contextvars import copy_context
from typing import Any

import boto3
import pytest

from apikeys import deadline, dynamodb
from apikeys.dynamodb import DynamoDb
from apikeys.errors import ServiceUnavailable
from tests.wire.scripted import Scripted, dynamodb_that_says, ok

KEYS = [{"keyId": {"S": name}} for name in ("one", "two", "three")]


def batch(found: list[Any], left: list[Any]) -> bytes:
    """Return an answer that has some of the items, and leaves others out."""
    unprocessed = {"Table": {"Keys": left, "ConsistentRead": True}} if left else {}
    return ok({"Responses": {"Table": found}, "UnprocessedKeys": unprocessed})


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is waited, at most; and nothing is."""
    waited: list[float] = []
    monkeypatch.setattr(dynamodb, "_pause", waited.append)
    return waited


def test_all_items_come_though_each_answer_has_but_one(pauses: list[float]) -> None:
    answers = [
        batch([KEYS[0]], KEYS[1:]),
        batch([], KEYS[1:]),
        batch([KEYS[1]], KEYS[2:]),
        batch([KEYS[2]], []),
    ]
    with dynamodb_that_says(*answers) as server:
        assert DynamoDb(server.url).batch_get("Table", KEYS) == KEYS
    assert [body.count(b"keyId") for _, body in server.requests] == [3, 2, 2, 1]
    assert all(b'"ConsistentRead": true' in body for _, body in server.requests)
    assert pauses == [0.05, 0.1, 0.2]


def test_the_pauses_grow_to_a_second(pauses: list[float]) -> None:
    with dynamodb_that_says(*[batch([], KEYS)] * 7, batch(KEYS, [])) as server:
        assert DynamoDb(server.url).batch_get("Table", KEYS) == KEYS
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_503_if_something_is_left_out_until_the_deadline() -> None:
    """Guarantee: it ends, without asking in a tight loop, and half a batch is never taken for all of it."""

    class Invocation:
        def get_remaining_time_in_millis(self) -> int:
            return 900  # of which half a second is kept back

    def ask(server: Scripted) -> None:
        deadline.start(Invocation())
        with pytest.raises(ServiceUnavailable, match="no time is left"):
            DynamoDb(server.url).batch_get("Table", KEYS)

    with dynamodb_that_says(batch(KEYS[:2], KEYS[2:])) as server:
        copy_context().run(ask, server)
    assert 1 <= len(server.requests) < 50


def test_it_ends_where_no_deadline_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guarantee: whoever asks outside a request is not kept for ever."""
    monkeypatch.setattr(deadline, "DEFAULT", 0.3)
    with dynamodb_that_says(batch([], KEYS)) as server, pytest.raises(ServiceUnavailable):
        DynamoDb(server.url).batch_get("Table", KEYS)


def test_of_nothing_nothing_is_asked() -> None:
    with dynamodb_that_says(batch([], [])) as server:
        assert DynamoDb(server.url).batch_get("Table", []) == []
    assert server.requests == []


def test_a_batch_is_as_large_as_dynamodb_takes_one() -> None:
    request: Any = boto3.client("dynamodb").meta.service_model.operation_model("BatchGetItem").input_shape
    keys = request.members["RequestItems"].value.members["Keys"]
    assert keys.metadata["max"] == dynamodb.MOST_IN_A_BATCH
