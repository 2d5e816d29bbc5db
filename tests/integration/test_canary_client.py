"""What the canary asks of the API, of its issuer and of the URLs that are registered with it, request by request."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from tests.canary import API, CREDENTIALS, FUNCTION
from tests.deployment import Deployment

TOKEN_URL = CREDENTIALS["tokenUrl"]


class World:
    """Stands in for urllib3's pool of connections, and for the clock.

    Attributes:
        answers: by `METHOD URL`, status and body.
        sent: each request, with its body.
        now: seconds by the clock, which began to run a moment ago.
        latency: seconds that a request takes.
    """

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {f"POST {TOKEN_URL}": (200, {"access_token": "t"})}
        self.sent: list[tuple[str, str | None]] = []
        self.now, self.latency = 0.5, 0.0

    def request(self, method: str, url: str, *, body: str | None, **_: Any) -> SimpleNamespace:
        self.sent.append((f"{method} {url}", body))
        self.now += self.latency
        status, answer = self.answers[f"{method} {url}"]
        return SimpleNamespace(status=status, data=json.dumps(answer).encode())

    def tokens(self) -> int:
        """Return how many tokens were asked for."""
        return [sent for sent, _ in self.sent].count(f"POST {TOKEN_URL}")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(deployment: Deployment, world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    maker = deployment.handlers[FUNCTION].__globals__["Client"]
    monkeypatch.setitem(maker.call.__globals__, "time", SimpleNamespace(monotonic=lambda: world.now))
    client = maker(API, lambda: CREDENTIALS)
    monkeypatch.setattr(client, "_http", world)
    return client


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, True), (204, True), (299, True), (401, False), (403, False)]
    + [(status, None) for status in (199, 300, 302, 400, 402, 404, 429, 500)],
)
def test_a_success_is_a_yes_401_and_403_are_a_no_and_nothing_else_is_either(
    client: Any, world: World, status: int, verdict: bool | None
) -> None:
    world.answers["GET https://guarded.example.com"] = (status, {})
    if verdict is not None:
        assert client.lets_in("https://guarded.example.com", "a key") is verdict
        return
    with pytest.raises(Exception, match=f"^{status} of https://guarded"):
        client.lets_in("https://guarded.example.com", "a key")


@pytest.mark.parametrize(("given", "kept_for"), [({}, 300 - 120), ({"expires_in": 3600}, 3600 - 120)])
def test_a_token_is_kept_until_two_minutes_before_its_end(
    client: Any, world: World, given: dict[str, int], kept_for: int
) -> None:
    world.answers[f"POST {TOKEN_URL}"] = (200, {"access_token": "t"} | given)
    world.answers[f"GET {API}/x"] = (200, {})
    for after, tokens in ((0, 1), (kept_for - 0.125, 1), (0.125, 2)):
        world.now += after
        client.call("GET", "/x")
        assert world.tokens() == tokens
    client.forget()
    client.call("GET", "/x")
    assert world.tokens() == 3


def test_it_takes_the_application_of_its_name_and_makes_one_where_there_is_none(
    client: Any, world: World
) -> None:
    applications, others = (
        f"{API}/api/v1/applications",
        [{"name": "app", "id": "1"}, {"name": "web", "id": "2"}],
    )
    world.answers[f"GET {applications}?limit=100"] = (200, {"items": others})
    world.answers[f"POST {applications}"] = (201, {"name": "canary", "id": "3"})
    assert client.application() == client.application() == "3"
    assert world.sent[1:] == [
        (f"GET {applications}?limit=100", None),
        (f"POST {applications}", '{"name": "canary"}'),
    ]
    world.answers[f"GET {applications}?limit=100"] = (
        200,
        {"items": [*others, {"name": "canary", "id": "4"}]},
    )
    client.forget()
    assert client.application() == "4"
    assert world.tokens() == 2, "forgotten, too"


def test_what_went_wrong_is_said_without_the_query(client: Any, world: World) -> None:
    world.answers[f"DELETE {API}/x?reason=other"] = (500, {})
    with pytest.raises(Exception, match=r"^500 of DELETE /x$"):
        client.call("DELETE", "/x?reason=other")


def test_what_a_request_took_is_told_in_milliseconds(client: Any, world: World) -> None:
    world.answers["GET https://guarded.example.com"], world.latency = (200, {}), 2.5
    client.lets_in("https://guarded.example.com", "a key")
    assert client.took == 2500


@pytest.fixture
def hangs_up() -> Iterator[tuple[str, list[str]]]:
    """URL of a server that reads a request and hangs up, and the requests that it got."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    asked.append(connection.recv(4096).decode().split("\r\n")[0])
                    connection.close()

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_nothing_is_sent_twice(deployment: Deployment, hangs_up: tuple[str, list[str]]) -> None:
    """Guarantee: a latency is that of one request, and a key goes once to whom it is meant for."""
    url, asked = hangs_up
    names = deployment.handlers[FUNCTION].__globals__
    client = names["Client"](API, dict)
    with pytest.raises(names["measure"].__globals__["FAILURES"]):
        client.lets_in(f"{url}/guarded", "a key")
    client.hang_up()
    assert asked == ["GET /guarded HTTP/1.1"]
