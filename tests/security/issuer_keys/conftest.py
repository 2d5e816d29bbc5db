"""An issuer that has bad days, and an authenticator that trusts it."""

from collections.abc import Iterator

import pytest
import time_machine

from apikeys.caller import Authenticator
from tests.faulty_issuer import FaultyIssuer
from tests.security.issuer_keys.outcomes import authenticator_of


@pytest.fixture
def issuer(clock: time_machine.Traveller) -> Iterator[FaultyIssuer]:
    issuer = FaultyIssuer()
    issuer.start()
    yield issuer
    issuer.stop()


@pytest.fixture
def authenticator(issuer: FaultyIssuer) -> Authenticator:
    return authenticator_of(issuer)
