"""What may be asked of a list: how many, from where on, which, whose."""

from typing import Any

import pytest

from apikeys.errors import BadRequest
from apikeys.pages import owner_asked_for, page, page_asked_for, statuses_asked_for
from apikeys.request import Request

POSITION = ("2026-11-22T12:00:00.000Z", "123e4567-e89b-12d3-a456-426614174000")


def query(**parameters: str) -> Request:
    return Request({"queryStringParameters": parameters})


def fields(refused: pytest.ExceptionInfo[BadRequest]) -> list[str]:
    return [violation.field for violation in refused.value.violations]


@pytest.mark.parametrize(
    ("limit", "most"), [({}, 50), ({"limit": "1"}, 1), ({"limit": "099"}, 99), ({"limit": "100"}, 100)]
)
def test_a_page_has_50_unless_another_limit_is_asked_for_up_to_100(limit: dict[str, str], most: int) -> None:
    assert page_asked_for(query(**limit)) == (most, None)


@pytest.mark.parametrize(
    "limit", ["", "0", "000", "101", "999", "1000", "-1", "+1", "1.0", " 1", "1\n", "\u0661"]
)
def test_another_limit_is_refused(limit: str) -> None:
    with pytest.raises(BadRequest) as refused:
        page_asked_for(query(limit=limit))
    assert fields(refused) == ["limit"]


def test_a_cursor_leads_on_from_where_its_page_ended() -> None:
    shown = page(["a", "b"], str.upper, POSITION)
    assert shown["items"] == ["A", "B"]
    assert page_asked_for(query(cursor=shown["nextCursor"])) == (50, POSITION)


@pytest.mark.parametrize("more", ["!", " ", "\n", "\u00e9"])
def test_a_cursor_with_anything_more_in_it_is_refused(more: str) -> None:
    cursor = page([], str, POSITION)["nextCursor"]
    for odd in (more + cursor, cursor[:8] + more + cursor[8:], cursor + more):
        with pytest.raises(BadRequest) as refused:
            page_asked_for(query(cursor=odd))
        assert fields(refused) == ["cursor"]


def test_the_last_page_has_no_cursor() -> None:
    assert page([], str.upper, None) == {"items": [], "nextCursor": None}


@pytest.mark.parametrize(
    "position",
    [
        ("2026-11-22T12:00:00.000Z",),
        (*POSITION, "alice"),
        ("", POSITION[1]),
        ("2026-11-22T12:00:00Z", POSITION[1]),
        (POSITION[0], POSITION[1].upper()),
        (POSITION[0], POSITION[1] + "0"),
        (POSITION[0], POSITION[1][:-1]),
        (POSITION[0] + "\n", POSITION[1]),
        ("\u0662" + POSITION[0][1:], POSITION[1]),
    ],
)
def test_a_position_of_another_form_is_none(position: Any) -> None:
    """Guarantee: a cursor says when and which, and never whose."""
    with pytest.raises(BadRequest) as refused:
        page_asked_for(query(cursor=page([], str, position)["nextCursor"]))
    assert fields(refused) == ["cursor"]


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "AAA", "_w==", "MjAyNg==\n", "Mj Ay", "+/+/", "\u00e9"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadRequest) as refused:
        page_asked_for(query(cursor=cursor, limit="0"))
    assert fields(refused) == ["limit", "cursor"]


@pytest.mark.parametrize(
    ("asked", "statuses"),
    [
        ({}, None),
        ({"status": ""}, None),
        ({"status": "active"}, ["active"]),
        ({"status": "expired,revoked"}, ["expired", "revoked"]),
        ({"status": "revoked,active,expired"}, None),
    ],
)
def test_all_statuses_are_asked_for_or_some(asked: dict[str, str], statuses: list[str] | None) -> None:
    assert statuses_asked_for(query(**asked)) == statuses


@pytest.mark.parametrize(
    "status", ["Active", "active,", "active, revoked", "active;revoked", "gone", ",", " "]
)
def test_a_status_that_there_is_not_is_refused(status: str) -> None:
    with pytest.raises(BadRequest) as refused:
        statuses_asked_for(query(status=status))
    assert fields(refused) == ["status"]


def test_an_owner_is_asked_for_or_none() -> None:
    assert owner_asked_for(query()) is None
    assert owner_asked_for(query(owner="alice")) == "alice"
    for owner in ("", "a\n", "x" * 256):
        with pytest.raises(BadRequest) as refused:
            owner_asked_for(query(owner=owner))
        assert fields(refused) == ["owner"]
