"""Guarantee: an issuer that hangs cannot hold up a revoke, nor use this process up."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import time_machine

from apikeys import deadline
from apikeys.errors import ServiceUnavailable
from apikeys.issuer import IssuerKeys
from tests.faulty_issuer import FaultyIssuer
from tests.security.issuer_keys.outcomes import authenticator_of, outcome


@contextmanager
def stalling(manner: str) -> Iterator[FaultyIssuer]:
    """Run an issuer that accepts connections and is `silent`, or `dribbling`, on them."""
    issuer = FaultyIssuer()
    issuer.manner = manner
    issuer.start()
    yield issuer
    issuer.stop()


class Remaining:
    """A Lambda context of an invocation with so many seconds left."""

    def __init__(self, seconds: float) -> None:
        self.get_remaining_time_in_millis = lambda: seconds * 1000


def sockets_to(port: int) -> int:
    """Return how many TCP sockets of this process are connected to a port of this machine."""
    inodes = {str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    to_it = [row for row in rows if int(row[2].split(":")[1], 16) == port]
    return len([row for row in to_it if f"socket:[{row[9]}]" in inodes])


def test_an_issuer_that_dribbles_leaves_no_thread_and_no_socket_behind(clock: time_machine.Traveller) -> None:
    """Guarantee: an issuer on a bad day, or somebody who keeps asking meanwhile, cannot use this process up."""
    with stalling("dribbling") as issuer:
        authenticator = authenticator_of(issuer)
        sockets, threads = sockets_to(issuer.port), {thread.name for thread in threading.enumerate()}
        for _ in range(2):
            assert outcome(authenticator, issuer.token("alice")) == 503
            clock.shift(IssuerKeys.COOLDOWN)
        assert sockets_to(issuer.port) == sockets == 0
        # Of the threads that are new, all serve the issuer.
        new = {thread.name for thread in threading.enumerate()} - threads
        assert [name for name in new if "process_request_thread" not in name] == []


@pytest.mark.parametrize("manner", ["silent", "dribbling"])
def test_a_fetch_takes_what_is_left_of_the_request_if_that_is_less(manner: str) -> None:
    with stalling(manner) as issuer:
        authenticator = authenticator_of(issuer)
        deadline.start(Remaining(deadline.RESERVE + 0.5))
        started = time.monotonic()
        assert outcome(authenticator, issuer.token("alice")) == 503
        assert 0.4 < time.monotonic() - started < 1
        deadline.start(Remaining(0))
        fresh = authenticator_of(issuer)
        with pytest.raises(ServiceUnavailable) as raised:
            fresh.authenticate(f"Bearer {issuer.token('alice')}")
        deadline.stop()
        assert raised.value.headers == {"retry-after": "1"}
        assert len(issuer.fetched) == 1


@pytest.mark.parametrize("manner", ["silent", "dribbling"])
def test_a_fetch_takes_two_seconds_at_most(manner: str) -> None:
    """Guarantee: an issuer that hangs, or answers a byte at a time, cannot hold up a revoke for longer."""
    with stalling(manner) as issuer:
        authenticator = authenticator_of(issuer)
        token = issuer.token("alice")
        started = time.monotonic()
        assert outcome(authenticator, token) == 503
        assert 1.5 < time.monotonic() - started < 2.5
