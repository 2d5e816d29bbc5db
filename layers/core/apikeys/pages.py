"""Pages of a list: how many, from where on, and which."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any

from apikeys.caller import is_identifier
from apikeys.errors import BadRequest, Violation
from apikeys.request import JSON, Request

type Position = tuple[str, str]

DEFAULT, MOST = 50, 100
STATUSES = ("active", "revoked", "expired")
# When and what: creation time and id of the last item of a page. Whose is never taken from the caller.
CURSOR = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f-]{36})", re.ASCII)


def page_asked_for(request: Request) -> tuple[int, Position | None]:
    """Return the query's `limit` and the position that its `cursor` stands for, None for the beginning.

    Raises:
        BadRequest: naming what is malformed.
    """
    limit, cursor = request.query("limit"), request.query("cursor")
    violations = []
    if limit is not None and not (re.fullmatch("[0-9]{1,3}", limit) and 1 <= int(limit) <= MOST):
        violations.append(Violation("limit", f"must be a whole number from 1 to {MOST}"))
    position = _position(cursor) if cursor is not None else None
    if cursor is not None and not position:
        violations.append(Violation("cursor", "must be the nextCursor of an earlier page"))
    if violations:
        raise BadRequest(violations)
    return int(limit or DEFAULT), position


def statuses_asked_for(request: Request) -> list[str] | None:
    """Return the query's `status`, None for all of them.

    Raises:
        BadRequest: if one is none.
    """
    asked = request.query("status")
    if not asked:
        return None
    statuses = asked.split(",")
    if not set(statuses) <= set(STATUSES):
        raise BadRequest([Violation("status", f"must be one or more of {', '.join(STATUSES)}")])
    return None if set(statuses) == set(STATUSES) else statuses


def owner_asked_for(request: Request) -> str | None:
    """Return the query's `owner`, None if it names none.

    Raises:
        BadRequest: if it could be no owner.
    """
    owner = request.query("owner")
    if owner is not None and not is_identifier(owner):
        raise BadRequest([Violation("owner", "must be 1 to 255 printable characters")])
    return owner


def page[T](items: Sequence[T], show: Callable[[T], Any], following: Position | None) -> JSON:
    """Return the body of a page.

    Args:
        items: on it.
        show: what of an item.
        following: the position to go on from, None at the end.
    """
    cursor = base64.urlsafe_b64encode(" ".join(following).encode()).decode() if following else None
    return {"items": [show(item) for item in items], "nextCursor": cursor}


def _position(cursor: str) -> Position | None:
    try:
        match = CURSOR.fullmatch(base64.b64decode(cursor, altchars=b"-_", validate=True).decode())
    except (binascii.Error, ValueError):
        return None
    return (match[1], match[2]) if match else None
