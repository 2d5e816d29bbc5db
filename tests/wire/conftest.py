"""Credentials of nobody, and a client that does not wait between attempts."""

import pytest

from apikeys import dynamodb
from local.run import AWS_ENVIRONMENT


@pytest.fixture(autouse=True)
def _in_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in AWS_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb, "WAITS", (0.0,) * len(dynamodb.WAITS))
