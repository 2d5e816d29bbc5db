"""Guarantee: an outage of the issuer neither lets strangers in nor locks on-call out."""

import io

import pytest
import time_machine

from apikeys.caller import Authenticator
from apikeys.errors import ServiceUnavailable
from apikeys.issuer import IssuerKeys
from apikeys.log import begin
from local.issuer import JWKS
from tests.embedded import counted
from tests.faulty_issuer import FaultyIssuer
from tests.security.issuer_keys.outcomes import outcome


def test_the_wait_is_never_longer_than_the_cooldown_also_when_the_clock_was_set_back(
    issuer: FaultyIssuer, authenticator: Authenticator, clock: time_machine.Traveller
) -> None:
    issuer.down = True
    for shift in (0, -3600, 7200):
        clock.shift(shift)
        with pytest.raises(ServiceUnavailable) as raised:
            authenticator.authenticate(f"Bearer {issuer.token('alice')}")
        assert raised.value.headers == {"retry-after": str(IssuerKeys.COOLDOWN)}
    assert issuer.fetched == [JWKS] * 3


def test_while_the_issuer_is_down_a_clock_that_is_set_back_does_not_lock_on_call_out(
    issuer: FaultyIssuer, authenticator: Authenticator, clock: time_machine.Traveller
) -> None:
    token = issuer.token("alice", changes={"iat": None})
    assert outcome(authenticator, token) == 200
    issuer.down = True
    clock.shift(-3600)
    assert outcome(authenticator, token) == 200


def test_while_the_issuer_is_down_known_keys_keep_working_for_six_hours(
    issuer: FaultyIssuer, authenticator: Authenticator, clock: time_machine.Traveller
) -> None:
    assert outcome(authenticator, issuer.token("alice")) == 200
    issuer.down = True
    clock.shift(IssuerKeys.FRESH_FOR + 1)
    assert outcome(authenticator, issuer.token("alice")) == 200
    clock.shift(6 * 60 * 60 - IssuerKeys.FRESH_FOR - 2)
    assert outcome(authenticator, issuer.token("alice")) == 200
    clock.shift(1)
    assert outcome(authenticator, issuer.token("alice")) == 503
    issuer.down = False
    clock.shift(IssuerKeys.COOLDOWN)
    assert outcome(authenticator, issuer.token("alice")) == 200


def test_an_issuer_that_is_down_is_asked_no_more_often_than_the_cooldown_allows(
    issuer: FaultyIssuer, authenticator: Authenticator, clock: time_machine.Traveller
) -> None:
    issuer.down = True
    for _ in range(10):
        assert outcome(authenticator, issuer.token("alice")) == 503
    clock.shift(IssuerKeys.COOLDOWN)
    assert outcome(authenticator, issuer.token("alice")) == 503
    assert issuer.fetched == [JWKS, JWKS]


def test_with_no_keys_known_the_answer_is_503_and_says_when_to_come_back(
    issuer: FaultyIssuer, authenticator: Authenticator
) -> None:
    """Guarantee: never a 401 that makes a client drop a good token, and never an allow."""
    issuer.down = True
    with pytest.raises(ServiceUnavailable) as raised:
        authenticator.authenticate(f"Bearer {issuer.token('alice')}")
    assert raised.value.headers == {"retry-after": str(IssuerKeys.COOLDOWN)}


def test_an_unknown_key_while_the_issuer_is_down_is_503_since_nobody_can_tell(
    issuer: FaultyIssuer, authenticator: Authenticator, clock: time_machine.Traveller
) -> None:
    old = issuer.token("alice")
    assert outcome(authenticator, old) == 200
    issuer.rotate()
    issuer.down = True
    clock.shift(IssuerKeys.COOLDOWN)
    assert outcome(authenticator, issuer.token("alice")) == 503
    assert outcome(authenticator, old) == 200


def test_a_malformed_header_is_401_also_while_the_issuer_is_down(
    issuer: FaultyIssuer, authenticator: Authenticator
) -> None:
    issuer.down = True
    assert outcome(authenticator, "a.b.c") == 401


def test_keys_that_are_not_fetched_are_counted_with_the_age_of_those_that_serve_instead(
    issuer: FaultyIssuer, authenticator: Authenticator, clock: time_machine.Traveller, log: io.StringIO
) -> None:
    """Guarantee: the time that is left before nobody can be told apart does not run out in silence."""
    begin("local")
    assert outcome(authenticator, issuer.token("alice")) == 200
    issuer.down = True
    clock.shift(IssuerKeys.FRESH_FOR - 1)
    assert outcome(authenticator, issuer.token("alice")) == 200
    assert log.getvalue() == ""
    clock.shift(1)
    assert outcome(authenticator, issuer.token("alice")) == 200
    assert counted(log, "KeysNotFetched") == {"issuer": 1}
    assert counted(log, "KeysAge") == {"issuer": 600}


def test_where_no_keys_are_known_there_is_no_age(
    issuer: FaultyIssuer, authenticator: Authenticator, log: io.StringIO
) -> None:
    begin("local")
    issuer.down = True
    assert outcome(authenticator, issuer.token("alice")) == 503
    assert counted(log, "KeysNotFetched") == {"issuer": 1}
    assert counted(log, "KeysAge") == {}
