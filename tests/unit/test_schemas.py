"""What a name, a time and an overlap may be."""

from typing import Any

import pytest
import time_machine
from pydantic import ValidationError

from apikeys.errors import BadRequest
from apikeys.request import Request
from apikeys.schemas import Body, NewApiKey, NewApplication, Rotation, read


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


@pytest.mark.parametrize(
    "time", ["2026-11-22T12:00:00Z", "2026-11-22T11:59:59.999Z", "2026-11-22T13:00:00+01:00"]
)
def test_a_time_that_is_not_in_the_future_is_refused(clock: time_machine.Traveller, time: str) -> None:
    with pytest.raises(ValidationError, match="must be in the future"):
        NewApiKey.model_validate({"name": "x", "expiresAt": time})


@pytest.mark.parametrize("seconds", [0, 7 * 24 * 60 * 60])
def test_an_overlap_is_none_to_seven_days(seconds: int) -> None:
    assert Rotation.model_validate({"overlapSeconds": seconds}).overlap_seconds == seconds
    assert Rotation().overlap_seconds == 0


@pytest.mark.parametrize("seconds", [-1, 604_801, "60", 60.0, True, None])
def test_any_other_overlap_is_refused_and_no_other_type_is_taken_for_a_number(seconds: Any) -> None:
    with pytest.raises(ValidationError, match="overlapSeconds"):
        Rotation.model_validate({"overlapSeconds": seconds})


@pytest.mark.parametrize("model", [NewApplication, NewApiKey, Rotation])
def test_a_member_that_nobody_knows_is_refused_and_marked_as_the_callers_own_words(model: type[Body]) -> None:
    """Guarantee: a misspelt member is not ignored, and its name is not logged."""
    headers, body = {"content-type": "application/json"}, '{"name": 1, "hunter2": 1}'
    with pytest.raises(BadRequest) as refused:
        read(Request({"headers": headers, "body": body}), model)
    known = {violation.field: violation.known for violation in refused.value.violations}
    assert known == {"name": model is not Rotation, "hunter2": False}
