"""Guarantee: an alert is taken from GitHub only, byte for byte as it was signed."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from apikeys.errors import BadRequest, ContentTooLarge, Forbidden, ServiceUnavailable, UnsupportedMediaType
from apikeys.github import MAX_BODY, Found, GithubAlerts, GithubKeys
from apikeys.request import Request
from apikeys.settings import SettingsError
from tests.faulty_issuer import FaultyIssuer

# The sample that GitHub's documentation publishes.
PAYLOAD = b'[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]'
SIGNATURE = "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg=="
KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAdAjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9"
    "/AmtoNP5GrobzUvQSyJFVw=="
)
IDENTIFIER = "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c"


@dataclass
class Github:
    """Where GitHub publishes its keys, and a private key of it."""

    server: FaultyIssuer
    private: ec.EllipticCurvePrivateKey

    def publish(self, *keys: Any) -> None:
        self.server.served = json.dumps({"public_keys": keys}).encode()

    @property
    def keys(self) -> GithubKeys:
        return GithubKeys(self.server.url + "/meta/public_keys/secret_scanning")

    def sign(self, body: bytes) -> str:
        return base64.b64encode(self.private.sign(body, ec.ECDSA(SHA256()))).decode()


def pem(public: Any) -> str:
    return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def published(text: str, identifier: str = IDENTIFIER) -> dict[str, Any]:
    return {"key_identifier": identifier, "key": text, "is_current": True}


@pytest.fixture
def github(clock: time_machine.Traveller) -> Iterator[Github]:
    server = FaultyIssuer()
    server.start()
    github = Github(server, ec.generate_private_key(ec.SECP256R1()))
    sample = f"-----BEGIN PUBLIC KEY-----\n{KEY[:64]}\n{KEY[64:]}\n-----END PUBLIC KEY-----\n"
    github.publish(published(sample), published(pem(github.private.public_key()), "own"))
    yield github
    server.stop()


def refused(keys: GithubKeys, body: bytes, identifier: str | None, signature: str | None) -> bool:
    with pytest.raises(Forbidden):
        keys.verify(body, identifier=identifier, signature=signature)
    return True


def test_the_sample_that_github_publishes_verifies(github: Github) -> None:
    github.keys.verify(PAYLOAD, identifier=IDENTIFIER, signature=SIGNATURE)


def test_the_sample_with_a_changed_byte_is_refused(github: Github) -> None:
    keys = github.keys
    for at in range(len(PAYLOAD)):
        changed = PAYLOAD[:at] + bytes([PAYLOAD[at] ^ 1]) + PAYLOAD[at + 1 :]
        assert refused(keys, changed, IDENTIFIER, SIGNATURE)
    assert refused(keys, PAYLOAD + b"\n", IDENTIFIER, SIGNATURE)
    signed = base64.b64decode(SIGNATURE)
    for at in range(len(signed)):
        changed = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
        assert refused(keys, PAYLOAD, IDENTIFIER, base64.b64encode(changed).decode())


@pytest.mark.parametrize("signature", [None, "", "!", "AAAA", "é", SIGNATURE[:-4], SIGNATURE + "AAAA"])
def test_what_is_no_signature_is_refused(github: Github, signature: str | None) -> None:
    assert refused(github.keys, PAYLOAD, IDENTIFIER, signature)


def test_a_signature_by_another_of_githubs_keys_is_refused(github: Github) -> None:
    body = b"[]"
    github.keys.verify(body, identifier="own", signature=github.sign(body))
    for identifier in (IDENTIFIER, "another", "", None):
        assert refused(github.keys, body, identifier, github.sign(body))


def test_keys_are_fetched_once_and_a_new_one_when_its_first_alert_comes(
    github: Github, clock: time_machine.Traveller
) -> None:
    keys, body = github.keys, b"[]"
    for _ in range(3):
        keys.verify(body, identifier="own", signature=github.sign(body))
    assert len(github.server.fetched) == 1
    github.publish(published(pem(github.private.public_key()), "new"))
    clock.shift(GithubKeys.COOLDOWN)
    keys.verify(body, identifier="new", signature=github.sign(body))
    clock.shift(GithubKeys.COOLDOWN)
    assert refused(keys, body, "own", github.sign(body)), "withdrawn keys go with the fetch"


def test_made_up_identifiers_cannot_make_us_hammer_github(github: Github) -> None:
    keys, body = github.keys, b"[]"
    assert refused(keys, body, "junk", github.sign(body))
    for number in range(50):
        with pytest.raises(ServiceUnavailable):
            keys.verify(body, identifier=f"junk-{number}", signature=github.sign(body))
    assert len(github.server.fetched) == 1
    keys.verify(body, identifier="own", signature=github.sign(body))


def test_while_github_gives_no_keys_nothing_is_taken_and_known_keys_work_on(
    github: Github, clock: time_machine.Traveller
) -> None:
    body, keys = b"[]", github.keys
    keys.verify(body, identifier="own", signature=github.sign(body))
    github.server.down = True
    clock.shift(GithubKeys.FRESH_FOR)
    keys.verify(body, identifier="own", signature=github.sign(body))
    with pytest.raises(ServiceUnavailable):
        github.keys.verify(body, identifier="own", signature=github.sign(body))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"public_keys": 1}',
        b'{"public_keys": []}',
        b'{"public_keys": [1, {}, {"key_identifier": 1, "key": "x"}, {"key_identifier": "own", "key": "x"}]}',
        b'{"public_keys": [{"key_identifier": "own", "key": 1}, {"key_identifier": "own"}]}',
    ],
    ids=str,
)
def test_a_list_of_keys_that_is_none_is_503(github: Github, document: bytes) -> None:
    github.server.served = document
    with pytest.raises(ServiceUnavailable):
        github.keys.verify(b"[]", identifier="own", signature=github.sign(b"[]"))


def test_keys_of_other_kinds_and_two_of_one_identifier_verify_nothing(github: Github) -> None:
    other_curve, other_type = ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)
    own = published(pem(github.private.public_key()), "own")
    body = b"[]"
    github.publish(
        own, published(pem(other_curve.public_key()), "384"), published(pem(other_type.public_key()), "rsa")
    )
    by_384 = base64.b64encode(other_curve.sign(body, ec.ECDSA(SHA256()))).decode()
    assert refused(github.keys, body, "384", by_384)
    assert refused(github.keys, body, "rsa", github.sign(body))
    github.publish(own, own)
    assert refused(github.keys, body, "own", github.sign(body))


@pytest.mark.parametrize("url", ["http://api.github.com/keys", "ftp://127.0.0.1/", "file:///etc/passwd", "x"])
def test_keys_are_never_read_in_the_clear(url: str) -> None:
    with pytest.raises(SettingsError):
        GithubKeys(url)


def request(octets: bytes, github: Github, **changes: Any) -> Request:
    headers = {
        "Content-Type": "application/json",
        "Github-Public-Key-Identifier": "own",
        "Github-Public-Key-Signature": github.sign(octets),
    }
    encoded = {"body": base64.b64encode(octets).decode(), "isBase64Encoded": True}
    return Request({"headers": headers, **encoded} | changes)


def test_what_was_found_is_read_and_where(github: Github) -> None:
    body = json.dumps(
        [
            {"token": "a", "type": "t", "url": "https://example.com/", "source": "content", "new": 1},
            {"token": "b", "type": "t", "url": "", "source": "commit"},
            {"token": "c", "type": "t", "url": 1},
        ]
    ).encode()
    found = GithubAlerts(github.keys).read(request(body, github))
    assert found == [Found("a", "t", "https://example.com/"), Found("b", "t", "commit"), Found("c", "t")]
    assert "token" not in repr(found)
    assert "example.com" not in repr(found)


def test_where_a_key_was_found_is_kept_in_192_printable_bytes(github: Github) -> None:
    """Guarantee: whatever the place is called, the key's item stays small, and nobody's terminal is told what to do."""
    printable = "".join(map(chr, range(0x21, 0x7F)))
    for place, kept in (
        (printable, printable),
        ("a b\x7f\n", "a%20b%7F%0A"),
        ("\u00e9", "%C3%A9"),
        ("x/" * 97, "x/" * 96),
    ):
        body = json.dumps([{"token": "a", "type": "t", "url": place}]).encode()
        [found] = GithubAlerts(github.keys).read(request(body, github))
        assert found.where == kept


def test_the_signature_is_over_the_bytes_whichever_way_the_gateway_hands_them_on(github: Github) -> None:
    body = '[{"token": "é", "type": "t"}]'.encode()
    for handed_on in ({}, {"body": body.decode(), "isBase64Encoded": False}):
        assert GithubAlerts(github.keys).read(request(body, github, **handed_on))[0].token == "é"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", ["body"]),
        (b"no json", ["body"]),
        (b"[" * 100_000, ["body"]),
        (b"{}", ["body"]),
        (b"[1]", ["[0].token", "[0].type"]),
        (b'[{"token": "a", "type": "t"}, {"token": 1, "type": "t"}]', ["[1].token"]),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_signed_body_that_is_no_list_of_finds_names_what_is_wrong(
    github: Github, body: bytes, fields: list[str]
) -> None:
    with pytest.raises(BadRequest) as raised:
        GithubAlerts(github.keys).read(request(body, github))
    assert [violation.field for violation in raised.value.violations] == fields


def test_up_to_a_mebibyte_is_taken_and_no_more(github: Github) -> None:
    alerts, most = GithubAlerts(github.keys), b"[" + b" " * (MAX_BODY - 2) + b"]"
    assert len(most) == 1024 * 1024
    assert alerts.read(request(most, github)) == []
    with pytest.raises(ContentTooLarge):
        alerts.read(request(most + b" ", github))


def test_nothing_is_parsed_before_it_is_known_to_be_githubs(github: Github) -> None:
    unsigned = {"headers": {"content-type": "application/json"}}
    with pytest.raises(Forbidden):
        GithubAlerts(github.keys).read(request(b"no json", github, **unsigned))
    with pytest.raises(UnsupportedMediaType):
        GithubAlerts(github.keys).read(request(b"[]", github, headers={"content-type": "text/plain"}))
