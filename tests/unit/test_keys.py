"""The key string."""

import re
import secrets
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apikeys.keys import ApiKey, _base62, _checksum

KEY_STRING = re.compile(r"ak_[0-9A-Za-z]{71}")


def test_a_key_is_one_word_of_74_characters() -> None:
    assert KEY_STRING.fullmatch(ApiKey.generate().reveal())


@given(st.uuids())
def test_what_is_revealed_parses_to_the_same_key(key_id: uuid.UUID) -> None:
    key = ApiKey.generate(key_id=str(key_id))
    assert ApiKey.parse(key.reveal()) == key


def test_a_secret_is_256_bits_of_the_operating_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def ones(bits: int) -> int:
        asked.append(bits)
        return (1 << bits) - 1

    monkeypatch.setattr(secrets, "randbits", ones)
    assert ApiKey.generate().secret == _base62((1 << 256) - 1, 43)
    assert asked == [256]


def test_no_two_keys_are_alike() -> None:
    keys = [ApiKey.generate() for _ in range(1000)]
    assert len({key.key_id for key in keys}) == len({key.secret for key in keys}) == 1000


@given(st.integers(0, 73), st.characters(codec="ascii"))
def test_a_key_changed_in_one_character_is_junk(at: int, other: str) -> None:
    text = ApiKey.generate(key_id="123e4567-e89b-12d3-a456-426614174000").reveal()
    if other != text[at]:
        assert ApiKey.parse(text[:at] + other + text[at + 1 :]) is None


@given(st.text())
def test_junk_is_no_key(text: str) -> None:
    assert ApiKey.parse(text) is None


def test_an_id_beyond_128_bits_is_junk_even_with_a_right_checksum() -> None:
    for number in (1 << 128, 62**22 - 1):
        body = "ak_" + _base62(number, 22) + "0" * 43
        assert ApiKey.parse(body + _checksum(body)) is None
    body = "ak_" + _base62((1 << 128) - 1, 22) + "0" * 43
    assert ApiKey.parse(body + _checksum(body))


def test_a_key_of_another_prefix_is_junk() -> None:
    for prefix in ("aj", "al", "live"):
        text = ApiKey.generate(prefix=prefix).reveal()
        assert ApiKey.parse(text) is None
        assert ApiKey.parse(text, prefix=prefix)


@pytest.mark.parametrize("around", [" {}", "{} ", "{}\n", "\ufeff{}"])
def test_a_key_with_anything_around_it_is_junk(around: str) -> None:
    assert ApiKey.parse(around.format(ApiKey.generate().reveal())) is None


def test_neither_repr_nor_str_shows_the_secret() -> None:
    """Guarantee: a key in an exception, a log or a debugger does not leak."""
    key = ApiKey.generate()
    assert str(key) == repr(key) == f"ApiKey(key_id='{key.key_id}')"


def test_what_people_are_shown_is_the_beginning_and_none_of_the_secret() -> None:
    key = ApiKey.generate()
    assert key.reveal().startswith(key.start)
    assert len(key.start) == 9
    assert key.start[3:] in key.reveal()[3:25]


def test_a_secret_matches_its_own_hash_only() -> None:
    key, other = ApiKey.generate(), ApiKey.generate()
    assert key.matches(key.hash)
    assert not key.matches(other.hash)
    assert not key.matches(b"")


@given(st.uuids(), st.integers(0, 70), st.sampled_from(["ak", "live2"]))
def test_a_string_in_which_a_character_is_wrong_is_decoded_and_called_wrong(
    key_id: uuid.UUID, at: int, prefix: str
) -> None:
    text = ApiKey.generate(key_id=str(key_id), prefix=prefix).reveal()
    assert ApiKey.decode(text) == (ApiKey.parse(text, prefix=prefix), True)
    at += len(prefix) + 1
    wrong = text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]
    _, is_whole = ApiKey.decode(wrong)
    assert not is_whole


@pytest.mark.parametrize("text", ["", "ak_", "x" * 74, "ak_" + "z" * 71, "ak_" + "0" * 70])
def test_what_has_not_the_form_of_a_key_is_not_decoded(text: str) -> None:
    assert ApiKey.decode(text) == (None, False)
