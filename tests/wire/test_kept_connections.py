"""A connection is kept for as long as it is in order, is never shared, and is looked at before it is used again."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest

from apikeys import dynamodb
from apikeys.dynamodb import DynamoDb
from tests.wire.scripted import close, dynamodb_that_says, ok, reset

CALLS, THREADS = 1_000, 8


def asked(key: str) -> dict[str, Any]:
    return {"TableName": "ApiKeysTable", "Key": {"keyId": {"S": key}}}


def answer(key: str) -> dict[str, Any]:
    return {"Item": {"keyId": {"S": key}}}


def test_a_thousand_calls_take_one_connection() -> None:
    with dynamodb_that_says(ok(answer("one"))) as server:
        database = DynamoDb(server.url)
        for _ in range(CALLS):
            assert database.call("GetItem", asked("one")) == answer("one")
    assert (len(server.requests), server.connections) == (CALLS, 1)


def test_one_that_was_closed_while_idle_costs_no_attempt() -> None:
    """As after a sandbox was frozen: the next call goes through at once, and not a byte was sent in vain."""
    closed = Event()

    def answer_and_close(connection: socket.socket, *_: Any) -> None:
        connection.sendall(ok(answer("one")))
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with dynamodb_that_says(answer_and_close, ok(answer("one"))) as server:
        database = DynamoDb(server.url)
        for _ in range(3):
            assert database.call("GetItem", asked("one")) == answer("one")
            closed.wait()
    assert (len(server.requests), server.connections) == (3, 2)


def test_one_that_the_server_wants_to_close_is_not_kept() -> None:
    with dynamodb_that_says(ok(answer("one"), connection="close")) as server:
        database = DynamoDb(server.url)
        for _ in range(3):
            assert database.call("GetItem", asked("one")) == answer("one")
    assert (len(server.requests), server.connections) == (3, 3)


def test_one_that_is_closed_in_the_very_moment_of_use_is_replaced_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dynamodb, "WAITS", (0.0,))
    for ending in (close, reset):
        with dynamodb_that_says(ok(answer("one")), ending, ok(answer("two"))) as server:
            database = DynamoDb(server.url)
            assert database.call("GetItem", asked("one")) == answer("one")
            assert database.call("GetItem", asked("two")) == answer("two")
        assert (len(server.requests), server.connections) == (3, 2)


def test_an_answer_that_nobody_asked_for_is_thrown_away_with_its_connection() -> None:
    """Guarantee: what arrives on an idle connection is never taken for the answer to the next request."""
    read, sent = Event(), Event()

    def answer_and_more(connection: socket.socket, *_: Any) -> None:
        connection.sendall(ok(answer("one")))
        # In a segment of its own, after the answer was read.
        read.wait()
        connection.sendall(ok({"Item": {"keyId": {"S": "two"}, "ownerId": {"S": "mallory"}}}))
        sent.set()

    with dynamodb_that_says(answer_and_more, ok(answer("two"))) as server:
        database = DynamoDb(server.url)
        assert database.call("GetItem", asked("one")) == answer("one")
        read.set()
        sent.wait()
        assert database.call("GetItem", asked("two")) == answer("two")
    assert (len(server.requests), server.connections) == (2, 2)


def test_threads_never_share_one_and_each_gets_its_own_answer() -> None:
    """Guarantee: of many calls at the same time, each gets the answer to its own request."""

    def echo(connection: socket.socket, body: bytes, _: Event) -> None:
        connection.sendall(ok({"Item": json.loads(body)["Key"]}))

    with dynamodb_that_says(echo) as server:
        database = DynamoDb(server.url)
        barrier = Barrier(THREADS)

        def work(number: int) -> None:
            barrier.wait()
            for turn in range(CALLS // THREADS):
                key = f"{number} {turn}"
                assert database.call("GetItem", asked(key)) == answer(key)

        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(work, range(THREADS)))
    assert len(server.requests) == CALLS
    assert server.connections <= THREADS


def test_an_address_that_does_not_answer_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        dynamodb_that_says(ok(answer("one"))) as server,
        socket.create_server(("127.0.0.1", 0), backlog=0) as deaf,
        socket.create_connection(deaf.getsockname()),  # while its queue is full, whoever else connects waits
    ):
        addresses = [deaf.getsockname(), ("127.0.0.1", int(server.url.rsplit(":", 1)[1]))]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        monkeypatch.setattr(dynamodb, "ATTEMPT", 1.0)
        assert DynamoDb(server.url).call("GetItem", asked("one")) == answer("one")
    assert server.connections == 1
