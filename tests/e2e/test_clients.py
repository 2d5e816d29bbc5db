"""The five documented clients make the documented call and print what the documentation's samples print."""

import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.deployment import FORBIDDEN, NOT_FOUND
from tests.over_http.stack import Stack

CLIENTS = Path(__file__).parent / "clients"
COMMANDS = {
    "revoke.sh": ["bash"],
    "revoke.py": [sys.executable],
    "revoke.mjs": ["node"],
    "revoke.go": ["go", "run"],
    "revoke.rb": ["ruby"],
}


def run(client: str, url: str, token: str) -> str:
    program, *arguments = COMMANDS[client]
    assert shutil.which(program), f"{program} is needed for {client}: install it"
    command = [program, *arguments, str(CLIENTS / client), url, token]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def test_each_client_has_its_test() -> None:
    assert {path.name for path in CLIENTS.iterdir()} == COMMANDS.keys()


@pytest.mark.parametrize("client", COMMANDS)
def test_a_client_revokes_a_key_and_prints_the_answer(client: str, stack: Stack) -> None:
    key = stack.put_key()
    url = stack.apis[0].url + stack.key_path(key.application_id, key.key_id)
    assert run(client, url, stack.token()) == ("Response Status: 200 OK" if client == "revoke.go" else "{}")
    assert "revokedAt" in (stack.stored(key.key_id) or {})


@pytest.mark.parametrize("client", COMMANDS)
def test_a_client_prints_an_error_too(client: str, stack: Stack) -> None:
    key, absent = stack.put_key(), str(uuid.uuid4())
    forbidden = run(
        client, stack.apis[0].url + stack.key_path(key.application_id, key.key_id), stack.token("bob")
    )
    missing = run(client, stack.apis[0].url + stack.key_path(key.application_id, absent), stack.token())
    for printed, body in ((forbidden, FORBIDDEN), (missing, NOT_FOUND)):
        assert str(body["code"]) in printed
        # Go's sample prints the status line, in which the phrase is the same words.
        assert str(body["error"]) in printed.replace(str(body["error"]).upper(), str(body["error"]))
    assert "revokedAt" not in (stack.stored(key.key_id) or {})
