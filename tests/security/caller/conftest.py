"""The issuer of these tests' tokens, and an authenticator that trusts it."""

from typing import Any

import pytest

from apikeys.caller import Authenticator
from apikeys.settings import TokenSettings
from local.issuer import AUDIENCE, LocalIssuer


@pytest.fixture(scope="module")
def issuer() -> Any:
    issuer = LocalIssuer()
    issuer.start()
    yield issuer
    issuer.stop()


@pytest.fixture
def authenticator(issuer: LocalIssuer) -> Authenticator:
    return Authenticator(TokenSettings(issuer.url, (AUDIENCE,), None, "sub"))
