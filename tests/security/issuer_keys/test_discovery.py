"""Guarantee: the keys come from where the configured issuer says, and from nowhere else."""

import json

import pytest

from apikeys.caller import Authenticator
from apikeys.settings import TokenSettings
from local.issuer import AUDIENCE, DISCOVERY, JWKS
from tests.faulty_issuer import FaultyIssuer
from tests.security.issuer_keys.outcomes import outcome


def test_keys_are_found_by_discovery(issuer: FaultyIssuer) -> None:
    authenticator = Authenticator(TokenSettings(issuer.url, (AUDIENCE,), None, "sub"))
    assert outcome(authenticator, issuer.token("alice")) == 200
    assert issuer.fetched == [DISCOVERY, JWKS]


def test_a_discovery_document_of_another_issuer_is_refused(issuer: FaultyIssuer) -> None:
    authenticator = Authenticator(TokenSettings(issuer.url + "/", (AUDIENCE,), None, "sub"))
    assert outcome(authenticator, issuer.token("alice")) == 503
    assert issuer.fetched == [DISCOVERY]


@pytest.mark.parametrize("named", ["https://aaa.example", "https://zzz.example", "", None])
def test_a_discovery_document_that_names_another_issuer_is_refused(
    issuer: FaultyIssuer, named: str | None
) -> None:
    """OpenID Connect Discovery 1.0, section 4.3."""
    issuer.served = json.dumps({"issuer": named, "jwks_uri": issuer.jwks_url}).encode()
    authenticator = Authenticator(TokenSettings(issuer.url, (AUDIENCE,), None, "sub"))
    assert outcome(authenticator, issuer.token("alice")) == 503
    assert issuer.fetched == [DISCOVERY]


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
    authenticator = Authenticator(TokenSettings(issuer.url, (AUDIENCE,), None, "sub"))
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
    authenticator = Authenticator(TokenSettings(issuer.url, (AUDIENCE,), None, "sub"))
    assert outcome(authenticator, issuer.token("alice")) == 503
    assert elsewhere.fetched == []
    elsewhere.stop()
