"""Whose credentials sign a request: the environment's, read anew each time, or those that botocore finds."""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from apikeys import credentials
from apikeys.credentials import Credentials
from apikeys.dynamodb import DynamoDb
from apikeys.errors import ServiceUnavailable
from apikeys.settings import SettingsError
from tests.wire.scripted import dynamodb_that_says, ok

NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.fixture(autouse=True)
def _no_session_is_kept() -> None:
    credentials._botocore_session.cache_clear()  # noqa: SLF001 -- what one process remembers for good


@pytest.fixture
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def signers(requests: list[tuple[bytes, bytes]]) -> list[str]:
    heads = [head.decode() for head, _ in requests]
    return [head.split("Credential=")[1].split("/")[0] for head in heads]


def test_those_of_the_environment_are_read_anew_for_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rotated ones sign from the next request on, over the same connection."""
    with dynamodb_that_says(ok({})) as server:
        database = DynamoDb(server.url)
        for name in ("first", "second"):
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", name)
            monkeypatch.setenv("AWS_SESSION_TOKEN", f"{name}-token")
            database.call("ListTables", {})
        monkeypatch.setenv("AWS_SESSION_TOKEN", "")
        database.call("ListTables", {})
    assert signers(server.requests) == ["first", "second", "second"]
    tokens = [
        b"x-amz-security-token: " + name in head
        for head, _ in server.requests
        for name in (b"first", b"second")
    ]
    assert tokens == [True, False, False, True, False, False]
    assert server.connections == 1


def test_a_container_gives_them_where_the_environment_does_not(
    nothing_in_the_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under SnapStart: by botocore's chain, from the address in the environment."""
    given = {
        "AccessKeyId": "of-the-container",
        "SecretAccessKey": "secret",
        "Token": "token",
        "Expiration": "2999-01-01T00:00:00Z",
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(given).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as container:
        thread = Thread(target=container.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{container.server_port}/credentials"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        with dynamodb_that_says(ok({})) as server:
            DynamoDb(server.url).call("ListTables", {})
        container.shutdown()
        thread.join()
    assert signers(server.requests) == ["of-the-container"]


class Source:
    """As much of botocore's credentials as is used; they change whenever they are asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def get_frozen_credentials(self) -> Any:
        from botocore.credentials import ReadOnlyCredentials  # noqa: PLC0415 -- as in the code

        self.asked += 1
        return ReadOnlyCredentials(f"key-{self.asked}", "secret", "token", None)


def test_an_instances_are_refreshed_by_botocore(
    nothing_in_the_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are asked for with each request, and botocore decides when to fetch them again."""
    source = Source()
    monkeypatch.setattr("botocore.session.Session.get_credentials", lambda _: source)
    assert [Credentials.current().access_key_id for _ in range(3)] == ["key-1", "key-2", "key-3"]
    assert Credentials.current() == Credentials("key-4", "secret", "token")


def test_none_anywhere_is_a_mistake_of_the_deployment(nothing_in_the_environment: None) -> None:
    with pytest.raises(SettingsError, match="no AWS credentials"):
        Credentials.current()


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_half_a_pair_is_none(
    nothing_in_the_environment: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "half")
    monkeypatch.setattr("botocore.session.Session.get_credentials", lambda _: None)
    with pytest.raises(SettingsError, match="no AWS credentials"):
        Credentials.current()


def test_what_shows_credentials_shows_which_they_are_and_nothing_that_signs() -> None:
    """Guarantee: they get into no log by way of an exception's text or a debugger's."""
    assert repr(Credentials("which", "secret", "token")) == "Credentials(access_key_id='which')"


def test_503_if_their_source_does_not_give_them(
    nothing_in_the_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import CredentialRetrievalError  # noqa: PLC0415 -- as in the code

    def fail(_: Any) -> None:
        raise CredentialRetrievalError(provider="test", error_msg="secret text")

    monkeypatch.setattr("botocore.session.Session.get_credentials", fail)
    with pytest.raises(ServiceUnavailable) as raised:
        Credentials.current()
    assert raised.value.reason == "no AWS credentials: CredentialRetrievalError"


def test_botocore_is_imported_only_where_the_environment_has_none() -> None:
    code = (
        "import sys; from apikeys.credentials import Credentials; Credentials.current(); print(*sys.modules)"
    )
    variables = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | variables, capture_output=True, text=True, check=True
    )
    assert "apikeys.credentials" in run.stdout
    assert "botocore" not in run.stdout
