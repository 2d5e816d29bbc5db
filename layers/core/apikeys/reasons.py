"""Why a key is revoked, as a caller may say it."""

from apikeys.errors import BadRequest, Violation
from apikeys.records import REASONS
from apikeys.request import Request


def reason_asked_for(request: Request) -> str | None:
    """Return the query's `reason`, None if there is none.

    Raises:
        BadRequest: if it is none of REASONS.
    """
    reason = request.query("reason")
    return None if reason is None else known_reason(reason)


def known_reason(given: str) -> str:
    """Return a reason that a caller gave.

    Raises:
        BadRequest: if it is none of REASONS.
    """
    if given not in REASONS:
        raise BadRequest([Violation("reason", f"must be one of {', '.join(REASONS)}")])
    return given
