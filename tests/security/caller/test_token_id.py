"""The id of a caller's token, which is kept with what is done with it."""

import re
from typing import Any

import pytest

from apikeys.caller import Authenticator
from apikeys.keys import ApiKey
from local.issuer import LocalIssuer
from tests.security.caller.tokens import accepts, claims, signed

pytestmark = pytest.mark.usefixtures("clock")

HASHED = re.compile(r"sha256:[0-9a-f]{32}")


def token_id(issuer: LocalIssuer, authenticator: Authenticator, jti: Any) -> str:
    return authenticator.authenticate(f"Bearer {signed(issuer, claims(issuer, jti=jti))}").token_id


@pytest.mark.parametrize(
    "jti", ["5f0b4a52-6a1e-4a44-9a3e-0d1b8f6c2a11", "onrtac:8c1e", "AT." + "x" * 43, "a.b", "x" * 48]
)
def test_it_is_kept_as_the_issuer_gives_it(
    issuer: LocalIssuer, authenticator: Authenticator, jti: str
) -> None:
    assert token_id(issuer, authenticator, jti) == jti


def test_a_token_without_one_is_as_good(issuer: LocalIssuer, authenticator: Authenticator) -> None:
    assert token_id(issuer, authenticator, None) == ""
    assert token_id(issuer, authenticator, "") == ""


def test_one_that_is_no_string_is_401(issuer: LocalIssuer, authenticator: Authenticator) -> None:
    """RFC 7519, section 4.1.7."""
    assert not accepts(authenticator, signed(issuer, claims(issuer, jti=7)))


@pytest.mark.parametrize(
    "jti", ["x" * 49, "x" * 5000, "a b", "a\n", "\x00", "\u00e9", "\ud800", "\U0001f511"]
)
def test_one_that_is_long_or_not_plain_is_kept_as_the_beginning_of_its_hash(
    issuer: LocalIssuer, authenticator: Authenticator, jti: str
) -> None:
    """Guarantee: an issuer's habits do not make an item longer than a write unit."""
    assert HASHED.fullmatch(token_id(issuer, authenticator, jti))


@pytest.mark.parametrize("around", ["{}", "id:{}", "{}/1"])
@pytest.mark.parametrize("secret", ["key", "token", "short token"])
def test_one_that_could_be_a_secret_is_kept_as_the_beginning_of_its_hash(
    issuer: LocalIssuer, authenticator: Authenticator, secret: str, around: str
) -> None:
    """Guarantee: no secret in a stored item, whatever an issuer puts into its tokens."""
    secrets = {
        "key": ApiKey.generate().reveal(),
        "token": signed(issuer, claims(issuer)),
        "short token": "eyJhbGciOiJub25lIn0.e30.",
    }
    assert HASHED.fullmatch(token_id(issuer, authenticator, around.format(secrets[secret])))
