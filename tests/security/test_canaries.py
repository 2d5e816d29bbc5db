"""The canaries of tests/canaries.py sing."""

import io

import pytest

from apikeys import log
from apikeys.errors import NotFound
from apikeys.keys import ApiKey
from tests.canaries import CANARIES, LENGTH
from tests.deployment import Deployment


def found() -> list[str]:
    """Return where a piece was found, and take note of it here, so that this test does not fail for it."""
    where, CANARIES.found = CANARIES.found, []
    return where


def test_a_secret_that_gets_out_fails_the_test_that_let_it_out(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee: a piece of a secret is seen in the log, in what is stored and in an error; 11 characters are none.

    Seen to fail without each of the places that canaries.py takes hold of: keys, tokens, log, DynamoDB and errors.
    """
    key, token = ApiKey.generate(), deployment.token()
    for secret in (key.secret, token.rsplit(".", 1)[1]):
        for at in (0, 7, len(secret) - LENGTH):
            piece = secret[at : at + LENGTH]
            CANARIES.search("terminal", f"said: {piece}!")
            assert found() == ["terminal"]
            CANARIES.search("terminal", f"said: {piece[:-1]}!")
            assert found() == []
    monkeypatch.setattr(log, "redacted", lambda text, *_: text)
    with log.written_to(io.StringIO()):
        log.info(key.reveal())
    assert found() == ["log"]
    NotFound(f"no {key.secret}")
    assert found() == ["errors"]
    deployment.put_key()
    assert found() == []
    deployment.issue(name=key.secret)
    assert set(found()) >= {"DynamoDB"}
