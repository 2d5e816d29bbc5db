"""Why a key is revoked, as a caller may say it."""

from apikeys.errors import BadRequest, Violation
from apikeys.request import Request

REASONS = ("compromised", "rotated", "unused", "other")


def reason_asked_for(request: Request) -> str | None:
    """Return the query's `reason`, None if there is none.

    Raises:
        BadRequest: if it is none of REASONS.
    """
    reason = request.query("reason")
    if reason not in (None, *REASONS):
        raise BadRequest([Violation("reason", f"must be one of {', '.join(REASONS)}")])
    return reason
