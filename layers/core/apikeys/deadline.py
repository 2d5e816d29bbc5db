"""One budget of time for a whole request: every call to somebody else takes what is left of it."""

import time
from contextvars import ContextVar
from typing import Any

RESERVE = 0.5  # seconds kept back for making the answer and getting it out
DEFAULT = 9.0  # seconds for a request whose invocation does not say how long it may take

# A context variable, because `make run` serves several requests at once from one process.
_ends: ContextVar[float | None] = ContextVar("deadline", default=None)


def start(context: Any) -> None:
    """Begin the budget of a request.

    Args:
        context: Lambda's context object, which knows the invocation's remaining time.
    """
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    budget = remaining() / 1000 - RESERVE if remaining else DEFAULT
    _ends.set(time.monotonic() + budget)


def stop() -> None:
    """End the budget of a request: what comes after it has one of its own."""
    _ends.set(None)


def left() -> float:
    """Return the seconds that are left, 0 if none are; a budget that never began is a whole one."""
    ends = _ends.get()
    return DEFAULT if ends is None else max(0.0, ends - time.monotonic())
