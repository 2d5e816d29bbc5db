"""Over TLS, and with whom we speak is known."""

import ssl
from collections.abc import Iterator

import pytest
import trustme

from apikeys import tls
from apikeys.dynamodb import WAITS, DynamoDb
from apikeys.errors import ServiceUnavailable
from tests.wire.scripted import dynamodb_that_says, ok

ASKED = {"TableName": "ApiKeysTable", "Key": {"keyId": {"S": "one"}}}
ITEM = {"Item": {"keyId": {"S": "one"}, "text": {"S": "x" * 40_000}}}


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    """The only authority that is trusted."""
    authority = trustme.CA()
    tls.context.cache_clear()
    with authority.cert_pem.tempfile() as path:
        monkeypatch.setenv("SSL_CERT_FILE", path)
        yield authority
    tls.context.cache_clear()


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_many_calls_take_one_connection_and_one_context(authority: trustme.CA) -> None:
    context = certified(authority, "127.0.0.1")
    with dynamodb_that_says(ok(ITEM), context=context) as server:
        database = DynamoDb(server.url)
        for _ in range(100):
            assert database.call("GetItem", ASKED) == ITEM
    assert (len(server.requests), server.connections) == (100, 1)
    assert tls.context() is tls.context()


def test_nobody_is_believed_whom_no_known_authority_vouches_for(authority: trustme.CA) -> None:
    """Guarantee: who cannot prove to be DynamoDB gets no request, and so neither its signature nor its data."""
    context = certified(trustme.CA(), "127.0.0.1")
    with dynamodb_that_says(ok(ITEM), context=context) as server, pytest.raises(ServiceUnavailable) as raised:
        DynamoDb(server.url).call("GetItem", ASKED)
    assert "SSLCertVerificationError" in raised.value.reason
    assert server.requests == []
    assert server.connections == len(WAITS)


def test_nobody_is_believed_who_is_somebody_else(authority: trustme.CA) -> None:
    """Guarantee: a good certificate for another name is none for DynamoDB."""
    context = certified(authority, "dynamodb.example.com")
    with dynamodb_that_says(ok(ITEM), context=context) as server, pytest.raises(ServiceUnavailable) as raised:
        DynamoDb(server.url).call("GetItem", ASKED)
    assert "SSLCertVerificationError" in raised.value.reason
    assert server.requests == []


def test_nobody_is_spoken_to_in_a_broken_version(authority: trustme.CA) -> None:
    assert tls.context().minimum_version >= ssl.TLSVersion.TLSv1_2
    assert tls.context().verify_mode == ssl.CERT_REQUIRED
    assert tls.context().check_hostname


def test_whoever_speaks_no_tls_gets_no_request(authority: trustme.CA) -> None:
    with dynamodb_that_says(ok(ITEM)) as server, pytest.raises(ServiceUnavailable, match="no connection"):
        DynamoDb(server.url.replace("http:", "https:")).call("GetItem", ASKED)


def test_an_answer_that_nobody_asked_for_is_seen_also_where_tls_holds_it_back(authority: trustme.CA) -> None:
    """Guarantee: a second answer in the same TLS record is not kept for the next request."""
    context = certified(authority, "127.0.0.1")
    other = ok({"Item": {"keyId": {"S": "two"}}})
    with dynamodb_that_says(ok(ITEM) + other, ok(ITEM), context=context) as server:
        assert DynamoDb(server.url).call("GetItem", ASKED) == ITEM
    assert server.connections == 2
