"""Guarantee: keys come from the issuer only; its outage neither lets strangers in nor locks on-call out."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from apikeys import deadline
from apikeys.caller import Authenticator
from apikeys.errors import ServiceUnavailable, Unauthorized
from apikeys.issuer import IssuerKeys
from apikeys.settings import TokenSettings
from local.issuer import AUDIENCE, DISCOVERY, JWKS
from tests.faulty_issuer import FaultyIssuer


@pytest.fixture
def issuer(clock: time_machine.Traveller) -> Iterator[FaultyIssuer]:
    issuer = FaultyIssuer()
    issuer.start()
    yield issuer
    issuer.stop()


@pytest.fixture
def authenticator(issuer: FaultyIssuer) -> Authenticator:
    return authenticator_of(issuer)


def authenticator_of(issuer: FaultyIssuer) -> Authenticator:
    return Authenticator(TokenSettings(issuer.url, AUDIENCE, issuer.jwks_url, "sub"))


@contextmanager
def stalling(manner: str) -> Iterator[FaultyIssuer]:
    """Run an issuer that accepts connections and is `silent`, or `dribbling`, on them."""
    issuer = FaultyIssuer()
    issuer.manner = manner
    issuer.start()
    yield issuer
    issuer.stop()


def another_jwk() -> dict[str, Any]:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return dict(jwt.get_algorithm_by_name("ES256").to_jwk(public, as_dict=True)) | {"kid": "another"}


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


def outcome(authenticator: Authenticator, token: str) -> int:
    try:
        authenticator.authenticate(f"Bearer {token}")
    except (Unauthorized, ServiceUnavailable) as error:
        return error.status
    return 200


def test_keys_are_fetched_once_and_kept(issuer: FaultyIssuer, authenticator: Authenticator) -> None:
    assert [outcome(authenticator, issuer.token("alice")) for _ in range(5)] == [200] * 5
    assert issuer.fetched == [JWKS]


def test_keys_are_found_by_discovery(issuer: FaultyIssuer) -> None:
    authenticator = Authenticator(TokenSettings(issuer.url, AUDIENCE, None, "sub"))
    assert outcome(authenticator, issuer.token("alice")) == 200
    assert issuer.fetched == [DISCOVERY, JWKS]


def test_a_discovery_document_of_another_issuer_is_refused(issuer: FaultyIssuer) -> None:
    authenticator = Authenticator(TokenSettings(issuer.url + "/", AUDIENCE, None, "sub"))
    assert outcome(authenticator, issuer.token("alice")) == 503
    assert issuer.fetched == [DISCOVERY]


def test_a_rotated_key_is_fetched_when_its_first_token_comes(
    issuer: FaultyIssuer, authenticator: Authenticator, clock: time_machine.Traveller
) -> None:
    assert outcome(authenticator, issuer.token("alice")) == 200
    issuer.rotate()
    clock.shift(IssuerKeys.COOLDOWN)
    assert outcome(authenticator, issuer.token("alice")) == 200


def test_a_withdrawn_key_stops_working_within_the_time_keys_stay_fresh(
    issuer: FaultyIssuer, authenticator: Authenticator, clock: time_machine.Traveller
) -> None:
    old = issuer.token("alice")
    assert outcome(authenticator, old) == 200
    issuer.rotate()
    clock.shift(IssuerKeys.FRESH_FOR - 1)
    assert outcome(authenticator, old) == 200
    clock.shift(1)
    assert outcome(authenticator, old) == 401


def test_random_key_ids_cannot_make_us_hammer_the_issuer(
    issuer: FaultyIssuer, authenticator: Authenticator, clock: time_machine.Traveller
) -> None:
    token = issuer.token("alice")
    assert outcome(authenticator, token) == 200
    clock.shift(IssuerKeys.COOLDOWN)
    claims = jwt.decode(token, options={"verify_signature": False})
    outcomes = [
        outcome(authenticator, jwt.encode(claims, issuer.private_key, "ES256", {"kid": f"random-{number}"}))
        for number in range(100)
    ]
    assert issuer.fetched == [JWKS, JWKS]
    # The first is settled by a fetch; of the others nobody can tell before the next.
    assert outcomes == [401] + [503] * 99
    assert outcome(authenticator, token) == 200


def test_a_new_key_within_the_cooldown_that_a_stranger_started_is_503_and_works_after_it(
    issuer: FaultyIssuer, authenticator: Authenticator, clock: time_machine.Traveller
) -> None:
    """Guarantee: nobody can make us answer 401 to a token that is good."""
    claims = jwt.decode(issuer.token("alice"), options={"verify_signature": False})
    assert outcome(authenticator, jwt.encode(claims, issuer.private_key, "ES256", {"kid": "junk"})) == 401
    issuer.rotate()
    clock.shift(4)
    with pytest.raises(ServiceUnavailable) as raised:
        authenticator.authenticate(f"Bearer {issuer.token('alice')}")
    assert raised.value.headers == {"retry-after": "6"}
    clock.shift(6)
    assert outcome(authenticator, issuer.token("alice")) == 200


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "KID", "alg": "none"},
        {"alg": "HS256"},
        {"kid": "KID", "alg": "RS256"},
        {"kid": 1, "alg": "ES256"},
    ],
)
def test_a_token_that_no_key_could_make_good_is_401_without_asking_the_issuer_again(
    issuer: FaultyIssuer, authenticator: Authenticator, header: dict[str, str]
) -> None:
    good = issuer.token("alice")
    assert outcome(authenticator, good) == 200
    text = json.dumps(header).replace("KID", issuer.kid).encode()
    forged = base64.urlsafe_b64encode(text).rstrip(b"=").decode() + good[good.index(".") :]
    assert outcome(authenticator, forged) == 401
    assert issuer.fetched == [JWKS]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_withdrawn_key_is_refused_also_when_the_clock_was_set(
    issuer: FaultyIssuer, authenticator: Authenticator, clock: time_machine.Traveller, hours: int
) -> None:
    """Guarantee: a clock that is set back does not prolong the life of a withdrawn key."""
    old = issuer.token("alice", changes={"iat": None})
    assert outcome(authenticator, old) == 200
    issuer.rotate()
    clock.shift(hours * 3600)
    assert outcome(authenticator, old) == 401
    assert issuer.fetched == [JWKS, JWKS]


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


def test_while_the_issuer_is_down_known_keys_keep_working_for_a_bounded_time(
    issuer: FaultyIssuer, authenticator: Authenticator, clock: time_machine.Traveller
) -> None:
    assert outcome(authenticator, issuer.token("alice")) == 200
    issuer.down = True
    clock.shift(IssuerKeys.FRESH_FOR + 1)
    assert outcome(authenticator, issuer.token("alice")) == 200
    clock.shift(IssuerKeys.USABLE_FOR - IssuerKeys.FRESH_FOR - 2)
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


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"keys": 1}',
        b'{"keys": []}',
        b'{"keys": [1, null, "x", {}]}',
        b'{"keys": [{"kty": ["EC"], "crv": {}}]}',
        b'{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}',
        b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}]}',
        b"\xff\xfe",
        b"[" * 100_000,
        b" " * 300_000 + b"{}",
    ],
    ids=lambda document: str(document[:40]),
)
def test_a_key_set_that_is_none_is_503(
    issuer: FaultyIssuer, authenticator: Authenticator, document: bytes
) -> None:
    issuer.served = document
    assert outcome(authenticator, issuer.token("alice")) == 503


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"alg": "ES384"},
        {"alg": "RSA-OAEP"},
        {"alg": ["ES256"]},
        {"crv": "secp256k1"},
        {"crv": None},
        {"kty": "oct"},
        {"kid": 1},
    ],
    ids=str,
)
def test_a_key_that_is_not_for_verifying_signatures_verifies_none(
    issuer: FaultyIssuer, authenticator: Authenticator, change: dict[str, Any]
) -> None:
    good = another_jwk()
    [jwk] = issuer.key_set()["keys"]
    issuer.served = json.dumps({"keys": [good, jwk | change]}).encode()
    assert outcome(authenticator, issuer.token("alice")) == 401


def test_a_published_private_key_vouches_for_nobody(
    issuer: FaultyIssuer, authenticator: Authenticator
) -> None:
    """Guarantee: a key that everybody can sign with verifies nothing."""
    private = dict(jwt.get_algorithm_by_name("ES256").to_jwk(issuer.private_key, as_dict=True))
    assert "d" in private
    issuer.served = json.dumps({"keys": [another_jwk(), private | {"kid": issuer.kid}]}).encode()
    assert outcome(authenticator, issuer.token("alice")) == 401


def test_a_key_set_with_two_keys_of_one_id_is_ambiguous_and_refused(
    issuer: FaultyIssuer, authenticator: Authenticator
) -> None:
    """Guarantee: who may sign is never decided by the order of a list."""
    [jwk], other = issuer.key_set()["keys"], another_jwk()
    for keys in ([jwk, other | {"kid": jwk["kid"]}], [other | {"kid": jwk["kid"]}, jwk]):
        issuer.served = json.dumps({"keys": keys}).encode()
        fresh = authenticator_of(issuer)
        assert outcome(fresh, issuer.token("alice")) == 401


def test_one_id_for_two_types_of_key_is_not_ambiguous(
    issuer: FaultyIssuer, authenticator: Authenticator
) -> None:
    """RFC 7517, section 4.5, allows it: the algorithm tells them apart."""
    [jwk] = issuer.key_set()["keys"]
    public = rsa.generate_private_key(65537, 2048).public_key()
    other = json.loads(jwt.get_algorithm_by_name("RS256").to_jwk(public)) | {"kid": jwk["kid"]}
    issuer.served = json.dumps({"keys": [other, jwk]}).encode()
    assert outcome(authenticator, issuer.token("alice")) == 200


def test_a_token_without_a_key_id_needs_a_key_set_with_one_candidate(
    issuer: FaultyIssuer, clock: time_machine.Traveller
) -> None:
    claims = jwt.decode(issuer.token("alice"), options={"verify_signature": False})
    token = jwt.encode(claims, issuer.private_key, "ES256")
    [jwk], other = issuer.key_set()["keys"], another_jwk()
    for keys, expected in (([jwk], 200), ([jwk, other], 401)):
        issuer.served = json.dumps({"keys": keys}).encode()
        assert (
            outcome(Authenticator(TokenSettings(issuer.url, AUDIENCE, issuer.jwks_url, "sub")), token)
            == expected
        )


@pytest.mark.parametrize("location", ["/elsewhere.json", "file:///etc/passwd", "http://127.0.0.1:1/"])
def test_redirects_are_not_followed(
    issuer: FaultyIssuer, authenticator: Authenticator, location: str
) -> None:
    issuer.redirect_to = location
    assert outcome(authenticator, issuer.token("alice")) == 503
    assert issuer.fetched == [JWKS]


@pytest.mark.parametrize(
    "jwks_uri", ["http://keys.example.com/", "file:///etc/passwd", "ftp://127.0.0.1/", "", None]
)
def test_discovery_cannot_point_to_an_untrusted_url(issuer: FaultyIssuer, jwks_uri: str | None) -> None:
    issuer.served = json.dumps({"issuer": issuer.url, "jwks_uri": jwks_uri}).encode()
    authenticator = Authenticator(TokenSettings(issuer.url, AUDIENCE, None, "sub"))
    assert outcome(authenticator, issuer.token("alice")) == 503
    assert issuer.fetched == [DISCOVERY]


def test_discovery_cannot_point_to_plain_http_elsewhere(issuer: FaultyIssuer) -> None:
    """Guarantee: whoever can change what is sent over plain http cannot hand us keys.

    The keys that the document points to are the right ones, at an address that answers; without the check of the URL in
    issuer.py, the token is accepted.
    """
    elsewhere = FaultyIssuer(host="127.0.0.2")
    elsewhere.start()
    document = {"issuer": issuer.url, "jwks_uri": f"http://127.0.0.2:{elsewhere.port}{JWKS}"}
    issuer.served = json.dumps(document).encode()
    elsewhere.served = json.dumps(issuer.key_set()).encode()
    authenticator = Authenticator(TokenSettings(issuer.url, AUDIENCE, None, "sub"))
    assert outcome(authenticator, issuer.token("alice")) == 503
    assert elsewhere.fetched == []
    elsewhere.stop()


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


def test_a_key_of_a_curve_is_for_the_algorithm_of_that_curve_only(
    issuer: FaultyIssuer, authenticator: Authenticator
) -> None:
    private_key = ec.generate_private_key(ec.SECP384R1())
    jwk = json.loads(jwt.get_algorithm_by_name("ES384").to_jwk(private_key.public_key())) | {"kid": "k"}
    issuer.served = json.dumps({"keys": [jwk]}).encode()
    claims = jwt.decode(issuer.token("alice"), options={"verify_signature": False})
    assert outcome(authenticator, jwt.encode(claims, private_key, "ES384", {"kid": "k"})) == 200
    assert outcome(authenticator, jwt.encode(claims, issuer.private_key, "ES256", {"kid": "k"})) == 401
