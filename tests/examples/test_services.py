"""examples/fastapi and examples/express: services of somebody else's that ask by introspection."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self

import pytest
import requests

from local.ports import is_listening
from local.template import ROOT
from tests.running import free_ports, running_stack

TIMEOUT = 20
BIN = ROOT / ".venv" / "bin"
SERVICES = {
    "fastapi": [sys.executable, "-m", "uvicorn"],
    "express": [str(BIN / "node"), str(ROOT / "examples" / "express" / "app.mjs")],
}


class Between:
    """Stands between a service and the stack's introspection: hands on, counts, and has bad days.

    Args:
        url: of the real one.

    Attributes:
        asked: how often.
        answer: status and body to give instead of the real ones.
        silent: say nothing at all.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._stopping = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._request_handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/introspect"
        self.well()

    def well(self) -> None:
        """Hand on from now on, and count from none."""
        self.asked = 0
        self.answer: tuple[int, bytes] | None = None
        self.silent = False

    @contextmanager
    def serving(self) -> Iterator[Self]:
        """Serve from a thread, until the block ends."""
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        yield self
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def _request_handler(self) -> type[BaseHTTPRequestHandler]:
        between = self

        class RequestHandler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                between.asked += 1
                form = self.rfile.read(int(self.headers["content-length"]))
                if between.silent:
                    between._stopping.wait(TIMEOUT)
                    return
                status, body = between.answer or between._ask(form, self.headers["authorization"])
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        return RequestHandler

    def _ask(self, form: bytes, authorization: str) -> tuple[int, bytes]:
        headers = {"authorization": authorization, "content-type": "application/x-www-form-urlencoded"}
        answer = requests.post(self._url, form, headers=headers, timeout=TIMEOUT)
        return answer.status_code, answer.content


@pytest.fixture(scope="module")
def stack() -> Iterator[Any]:
    with running_stack() as running:
        yield running.description


@pytest.fixture(scope="module")
def between(stack: Any) -> Iterator[Between]:
    with Between(f"{stack['base_url']}/api/v1/api-keys/introspect").serving() as between:
        yield between


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest, stack: Any, between: Between) -> Iterator[str]:
    """The URL of the forecast of each service."""
    with serving(request.param, stack, between) as url:
        yield url


@contextmanager
def serving(name: str, stack: Any, between: Between) -> Iterator[str]:
    port = free_ports()
    command = list(SERVICES[name])
    if name == "fastapi":
        command += ["--app-dir", str(ROOT / "examples" / "fastapi"), "--port", str(port), "app:app"]
    variables = {
        "CLIENT_ID": "forecast",
        "CLIENT_SECRET": "any",
        "ISSUER": stack["issuer"],
        "TOKEN_ENDPOINT": f"{stack['issuer']}/token",
        "INTROSPECTION_ENDPOINT": between.url,
        "PORT": str(port),
    }
    # A session of its own: what this environment calls node starts the real one.
    process = subprocess.Popen(
        command, env=os.environ | variables, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        while not is_listening(port):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/forecast"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=TIMEOUT)


@pytest.fixture
def key(stack: Any, between: Between) -> Any:
    """A key of its own for each test; between service and stack all is well."""
    between.well()
    keys = f"{stack['base_url']}/api/v1/applications/{stack['applications'][0]['id']}/api-keys"
    return requests.post(
        keys, json={"name": "x"}, headers=bearer(stack["tokens"]["owner"]), timeout=TIMEOUT
    ).json()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def forecast(service: str, key: str) -> int:
    return requests.get(service, headers=bearer(key), timeout=TIMEOUT).status_code


@pytest.mark.parametrize("code", ["fastapi/app.py", "express/app.mjs"])
def test_a_service_needs_no_more_than_30_lines_of_its_own(code: str) -> None:
    lines = (ROOT / "examples" / code).read_text().splitlines()
    own = [line for line in lines if not re.match(r'\s*($|#|//|"""|import |from )', line)]
    assert 15 <= len(own) <= 30


def test_a_good_key_is_let_in_and_refused_at_once_when_it_is_revoked(
    service: str, stack: Any, key: Any
) -> None:
    answer = requests.get(service, headers=bearer(key["key"]), timeout=TIMEOUT)
    assert answer.json() == {"forecast": "sunny", "for": key["applicationId"]}
    url = f"{stack['base_url']}/api/v1/applications/{key['applicationId']}/api-keys/{key['id']}"
    requests.delete(url, headers=bearer(stack["tokens"]["owner"]), timeout=TIMEOUT).raise_for_status()
    assert forecast(service, key["key"]) == 401


def test_no_yes_is_kept(service: str, between: Between, key: Any) -> None:
    assert [forecast(service, key["key"]) for _ in range(3)] == [200] * 3
    assert between.asked == 3


@pytest.mark.parametrize("headers", [{}, bearer("ak_junk"), {"Authorization": "Basic eDp5"}], ids=str)
def test_without_a_good_key_nobody_comes_in(service: str, key: Any, headers: dict[str, str]) -> None:
    answer = requests.get(service, headers=headers, timeout=TIMEOUT)
    assert (answer.status_code, "sunny" in answer.text) == (401, False)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "answer",
    [
        (503, b'{"error": "Service Unavailable", "active": true}'),
        (500, b""),
        (403, b'{"code": 403}'),
        (200, b"no verdict"),
    ],
    ids=lambda answer: answer[0],
)
def test_what_is_no_verdict_denies_and_passes(
    service: str, between: Between, key: Any, answer: tuple[int, bytes]
) -> None:
    between.answer = answer
    assert forecast(service, key["key"]) == 503
    between.well()
    assert forecast(service, key["key"]) == 200


@pytest.mark.parametrize("body", [b"{}", b'{"active": "true"}', b'{"active": 1}', b'{"active": false}'])
def test_only_a_true_yes_counts(service: str, between: Between, key: Any, body: bytes) -> None:
    between.answer = (200, body)
    assert forecast(service, key["key"]) == 401


def test_a_service_that_gets_no_answer_denies_in_time(service: str, between: Between, key: Any) -> None:
    between.silent = True
    started = time.monotonic()
    assert forecast(service, key["key"]) == 503
    assert time.monotonic() - started < 8
    between.well()
    assert forecast(service, key["key"]) == 200
