"""What a name and a time may be."""

import pytest
from pydantic import ValidationError

from apikeys.schemas import NewApiKey, NewApplication


def is_a_name(text: str) -> bool:
    try:
        NewApplication(name=text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "name",
    [
        *(
            "production",
            "Weather widget",
            "x",
            "42",
            "a  b",
            "Zo\u00eb",
            "Zoe\u0308",
            "\u5929\u6c17",
            "\u0928\u093f",
            "\u2603",
        ),
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",  # a family
        "\U0001f469\U0001f3fd\u200d\U0001f4bb",  # a technologist
        "\u2764\ufe0f",  # a heart
        "\u0915\u094d\u200d\u0937",  # Devanagari, with a joiner between
        "x" * 100,
    ],
    ids=ascii,
)
def test_a_name_is_what_can_be_seen(name: str) -> None:
    assert is_a_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", " a", "a ", "a\n", "a\tb", "a\u00a0b", "a\u3000b", "a\u0000", "\ud800", "x" * 101),
        *(
            "\u3164",
            "\u2800",
            "a\u3164",
            "\u115f",
            "\u1160",
            "\uffa0",
            "a\u034f",
            "\u17b4",
            "\u00ad",
        ),  # blank
        *("\u200b", "a\u200bb", "a\u2060b", "\ufeffa", "a\u200c"),  # no width
        *(
            "\u200d",
            "a\u200d",
            "\u200da",
            "a\u200d\u200db",
            "a \u200db",
            "a\u200d b",
        ),  # a joiner that joins nothing
        *("\ufe0f", "\u0308", " \u0308a", "a \ufe0f"),  # a mark on nothing
        *("\u202ea", "a\u2066b"),  # turns the direction
        *("\ue000", "\u0378"),  # of private use, unassigned
    ],
    ids=ascii,
)
def test_nothing_invisible_is_a_name_or_part_of_one(name: str) -> None:
    """Guarantee: what a person reads in a list or an audit is all there is of a name."""
    assert not is_a_name(name)


@pytest.mark.parametrize(
    "time",
    [
        "2999-01-01T00:00:00Z",
        "2999-01-01t00:00:00.123456789z",
        "2999-01-01T00:00:00+23:59",
        "2999-01-01T00:00:00-00:00",
    ],
)
def test_a_time_is_what_rfc_3339_allows(time: str) -> None:
    assert NewApiKey.model_validate({"name": "x", "expiresAt": time}).expires_at


@pytest.mark.parametrize(
    "time",
    [
        *(
            "2999-01-01T00:00:00+00:60",
            "2999-01-01T00:00:00+24:00",
            "2999-01-01T00:00:00-99:99",
            "2999-01-01T00:00:00+0100",
        ),
        *(
            "2999-01-01T24:00:00Z",
            "2999-02-30T00:00:00Z",
            "2999-01-01T00:00:61Z",
            "2999-01-01 00:00:00Z",
            "2999-01-01",
        ),
        *(
            "2999-01-01T00:00:00",
            "2999-01-01T00:00:00Z ",
            "\u0662999-01-01T00:00:00Z",
            "9999-12-31T23:59:59-23:59",
        ),
    ],
)
def test_a_time_that_there_is_not_is_refused(time: str) -> None:
    with pytest.raises(ValidationError, match="RFC 3339"):
        NewApiKey.model_validate({"name": "x", "expiresAt": time})
