"""Guarantee: on whatever kind of bad day of the issuer, nobody is let in by it and nobody is locked out by it.

At a cold start it is a 503. Later, known keys keep working, and of unknown ones nobody can tell: 503, never a 401.
When the issuer is back, all is well again. And it takes no longer than a fetch may.
"""

import contextlib
import json
import socket
import struct
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from threading import Barrier

import jwt
import pytest
import time_machine

from apikeys.issuer import IssuerKeys
from apikeys.published_keys import MAX_BYTES
from local.issuer import JWKS
from tests.faulty_issuer import FaultyIssuer
from tests.security.issuer_keys.outcomes import authenticator_of, outcome

type Day = Callable[[BaseHTTPRequestHandler], None]

TIMEOUT = 0.4  # seconds for a fetch, here
PATIENCE = 3  # seconds that a bad day lasts at most for one request
KEYS = b'{"keys": ['


class BadIssuer(FaultyIssuer):
    """An issuer whose answers a test makes itself.

    Attributes:
        day: what it does with a request; None to answer it.
    """

    day: Day | None = None

    def get(self, request: BaseHTTPRequestHandler) -> None:
        if not self.day:
            super().get(request)
            return
        self.fetched.append(request.path)
        request.close_connection = True
        with contextlib.suppress(OSError):
            self.day(request)


def raw(*pieces: bytes, pause: float = 0) -> Day:
    """Send these, with pauses between them, and close."""

    def send(request: BaseHTTPRequestHandler) -> None:
        for piece in pieces:
            request.wfile.write(piece)
            time.sleep(pause)

    return send


def forever(start: bytes, piece: bytes, pause: float) -> Day:
    """Send a start, and then this again and again."""

    def send(request: BaseHTTPRequestHandler) -> None:
        until = time.monotonic() + PATIENCE
        request.wfile.write(start)
        while time.monotonic() < until:
            request.wfile.write(piece)
            time.sleep(pause)

    return send


def silence_after(start: bytes) -> Day:
    """Send a start, and nothing more."""
    return raw(start, b"", pause=PATIENCE / 2)


def reset(request: BaseHTTPRequestHandler) -> None:
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()


def answer(body: bytes, *, status: int = 200, headers: str = "content-type: application/json") -> bytes:
    return f"HTTP/1.1 {status} -\r\n{headers}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
DAYS: dict[str, Day] = {
    "a 500": raw(answer(b"{}", status=500)),
    "a 404": raw(answer(b"{}", status=404)),
    "a 429": raw(answer(b"{}", status=429, headers="retry-after: 3600")),
    "a 204": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "a redirect to itself": raw(answer(b"", status=302, headers=f"location: {JWKS}")),
    "a permanent redirect": raw(answer(b"", status=308, headers="location: https://evil.example/")),
    "HTML": raw(answer(b"<!doctype html><title>Sign in</title>", headers="content-type: text/html")),
    "nothing": raw(answer(b"")),
    "no keys": raw(answer(b'{"keys": []}')),
    "null": raw(answer(b"null")),
    "a closed connection": raw(),
    "a reset connection": reset,
    "half an answer": raw(answer(KEYS + b"]}")[:-1]),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "too many headers": raw(HEAD + b"x: y\r\n" * 200 + b"\r\n{}"),
    "a header without end": forever(HEAD + b"x: ", b"y" * 4096, 0),
    "silence": silence_after(b""),
    "silence within the status line": silence_after(b"HTTP/1."),
    "silence within the headers": silence_after(HEAD),
    "silence within the body": silence_after(HEAD + b"content-length: 1000\r\n\r\n" + KEYS),
    "a byte at a time, of a header": forever(HEAD + b"x: ", b"y", 0.02),
    "a byte at a time, of the body": forever(HEAD + b"content-length: 100000\r\n\r\n" + KEYS, b" ", 0.02),
    "a chunk at a time": forever(HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.02),
    "a body without end": forever(HEAD + b"\r\n" + KEYS, b" " * 65536, 0),
    "chunks without end": forever(
        HEAD + b"transfer-encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65536 + b"\r\n", 0
    ),
    "a length that is gigantic": forever(HEAD + b"content-length: 99999999999\r\n\r\n", b" " * 65536, 0),
    "a document that is a little too long": raw(answer(b" " * MAX_BYTES + b"{}")),
    "a document nested deeply": raw(answer(b'{"keys":' + b"[" * 100_000)),
}


@pytest.fixture
def issuer(clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch) -> Iterator[BadIssuer]:
    monkeypatch.setattr(IssuerKeys, "TIMEOUT", TIMEOUT)
    issuer = BadIssuer()
    issuer.start()
    yield issuer
    issuer.stop()


@pytest.mark.parametrize("day", DAYS)
def test_nobody_is_let_in_and_nobody_locked_out(
    issuer: BadIssuer, clock: time_machine.Traveller, day: str
) -> None:
    """Seen to fail with broken code.

    No time-out at each receive in wire.py; keys forgotten when a fetch fails in published_keys.py; a 401
    instead of the 503 there.
    """
    good, authenticator = issuer.token("alice"), authenticator_of(issuer)
    issuer.day = DAYS[day]
    started = time.monotonic()
    assert outcome(authenticator, good) == 503  # at a cold start
    assert time.monotonic() - started < TIMEOUT + 0.5

    clock.shift(IssuerKeys.COOLDOWN)
    issuer.day = None
    assert outcome(authenticator, good) == 200  # back again

    clock.shift(IssuerKeys.FRESH_FOR)
    issuer.day = DAYS[day]
    kid, key = issuer.kid, issuer.private_key
    issuer.rotate()
    unknown = issuer.token("alice")
    assert outcome(authenticator, good) == 200  # down later
    assert outcome(authenticator, unknown) == 503
    issuer.kid, issuer.private_key = kid, key

    clock.shift(IssuerKeys.USABLE_FOR - IssuerKeys.FRESH_FOR)
    assert outcome(authenticator, issuer.token("alice")) == 503  # for too long
    clock.shift(IssuerKeys.COOLDOWN)
    issuer.day = None
    assert outcome(authenticator, issuer.token("alice")) == 200  # and back


@pytest.mark.parametrize("status", [201, 203, 206, 302, 401, 404, 500, 503])
def test_keys_that_come_with_another_status_than_200_are_none(issuer: BadIssuer, status: int) -> None:
    """Seen to fail with a status that is not looked at in fetch.py."""
    issuer.day = raw(answer(json.dumps(issuer.key_set()).encode(), status=status))
    assert outcome(authenticator_of(issuer), issuer.token("alice")) == 503


@pytest.mark.parametrize("day", ["", "a 500", "a reset connection", "silence"])
def test_a_thundering_herd_of_unknown_keys_makes_one_fetch(issuer: BadIssuer, day: str) -> None:
    """Guarantee: the fetches are counted. However many ask at once, the issuer is asked once a cooldown.

    Seen to fail without the cooldown in published_keys.py.
    """
    authenticator = authenticator_of(issuer)
    claims = jwt.decode(issuer.token("alice"), options={"verify_signature": False})
    issuer.day = DAYS.get(day)
    tokens = [jwt.encode(claims, issuer.private_key, "ES256", {"kid": f"k{number}"}) for number in range(200)]
    with ThreadPoolExecutor(32) as threads:
        outcomes = list(threads.map(lambda token: outcome(authenticator, token), tokens))
    assert set(outcomes) <= {401, 503}
    assert issuer.fetched == [JWKS]


def test_a_gigantic_document_takes_no_memory(issuer: BadIssuer) -> None:
    """Guarantee: seen to fail without the limit on what is read in fetch.py."""
    issuer.day = DAYS["a length that is gigantic"]
    tracemalloc.start()
    assert outcome(authenticator_of(issuer), issuer.token("alice")) == 503
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MAX_BYTES


def test_a_slow_issuer_that_is_in_time_is_good_enough(issuer: BadIssuer) -> None:
    body = json.dumps(issuer.key_set()).encode()
    whole = answer(body)
    issuer.day = raw(*(whole[at : at + 64] for at in range(0, len(whole), 64)), pause=TIMEOUT / 20)
    assert outcome(authenticator_of(issuer), issuer.token("alice")) == 200


def test_at_a_cold_start_everybody_waits_for_the_one_fetch(issuer: BadIssuer) -> None:
    """Guarantee: who comes while the keys are fetched for somebody else is let in as well, by the same fetch.

    Seen to fail without the lock in published_keys.py.
    """
    issuer.day = raw(b"", answer(json.dumps(issuer.key_set()).encode()), pause=TIMEOUT / 4)
    authenticator, together = authenticator_of(issuer), Barrier(8)

    def ask(token: str) -> int:
        together.wait(PATIENCE)
        return outcome(authenticator, token)

    with ThreadPoolExecutor(together.parties) as threads:
        outcomes = list(threads.map(ask, [issuer.token("alice")] * together.parties))
    assert outcomes == [200] * together.parties
    assert issuer.fetched == [JWKS]


@pytest.mark.parametrize("jump", [-10 * 365 * 86400, -86400, -60, 60, 86400, 10 * 365 * 86400])
def test_after_a_jump_of_the_clock_the_keys_are_looked_at_anew_and_good_tokens_work(
    issuer: BadIssuer, clock: time_machine.Traveller, jump: int
) -> None:
    """Guarantee: neither way does a jump keep a withdrawn key alive, or lock anybody out for longer than a fetch.

    Seen to fail with the monotonic clock alone in published_keys.py.
    """
    authenticator = authenticator_of(issuer)
    assert outcome(authenticator, issuer.token("alice")) == 200
    clock.shift(jump)
    issuer.rotate()
    assert outcome(authenticator, issuer.token("alice")) == 200
    assert len(issuer.fetched) == 2
