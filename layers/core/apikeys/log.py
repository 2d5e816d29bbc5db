"""The log: one JSON object a request, and nothing in it that could be a secret.

Members: `level`, `timestamp` (RFC 3339, UTC), `service`, `message`; of the request `route`, `aws_request_id`,
`application_id` and `key_id` where the path has them, `subject` once the caller is known; of its outcome `status`, or
`allowed`, and `reason`; of a fault `exception_name` and `exception`; of a metric its name, its dimensions and `_aws`.
What is unknown is left out.
"""

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from apikeys.metrics import Metric
from apikeys.records import timestamp

type Value = str | int | bool | None

LEVELS = {"INFO": 20, "WARNING": 30, "ERROR": 40}
# What is less is not written, unless a metric is in it.
THRESHOLD = LEVELS.get(os.environ.get("LOG_LEVEL", "INFO").upper(), LEVELS["INFO"])

# Whatever is one word of base 62 or base64url: the secret of a key, a part of a JWT, also cut short or in another case.
LONG = re.compile(r"[A-Za-z0-9_-]{16,}")
# Longer than the subjects that issuers make up (43 characters), shorter than a key string (74).
LONGER = re.compile(r"[A-Za-z0-9_-]{60,}")
# UUIDs and other ids in hexadecimal, and the names that code has. Of random text of base 62, 16 characters pass for
# such a name 4 times in 10,000, and 22 twice in 100,000.
HARMLESS = re.compile(
    r"[0-9a-f-]{16,64}|[0-9A-F-]{16,64}"
    r"|_*[A-Za-z][a-z]{0,14}(?:[_-]+[A-Za-z][a-z]{0,14}|[A-Z][a-z]{2,14})*+_*"
)


class _Request:
    """What is known of a request, and what has been counted since the last line."""

    __slots__ = ("counted", "members", "stack")

    def __init__(self, stack: str, members: dict[str, Value]) -> None:
        self.stack = stack
        self.members = members
        self.counted: dict[str, tuple[Metric, int, dict[str, str]]] = {}


# Context variables, because `make run` serves several requests at once from one process.
_request: ContextVar[_Request | None] = ContextVar("request", default=None)
_stream: TextIO | None = None


def begin(stack: str | None = None, /, **members: Value) -> None:
    """Begin a request, or end it: every line from now on has these members, and none of the one before.

    Args:
        stack: what the deployment is called in metrics.
        members: of each line.
    """
    _begun(stack, members)


def add(**members: Value) -> None:
    """Add what has become known of the request."""
    request = _current()
    request.members = request.members | members


def info(message: str, **members: Value) -> None:
    """Write a line about something that is as it should be."""
    _write("INFO", message, members)


def warning(message: str, **members: Value) -> None:
    """Write a line about something to look at."""
    _write("WARNING", message, members)


def fault(message: str, exception: Exception, **members: Value) -> None:
    """Write a line about a fault of ours, with all that is known of it."""
    import traceback  # noqa: PLC0415 -- which nobody needs until something breaks

    text = "".join(traceback.format_exception(exception))
    _write("ERROR", message, members | {"exception_name": type(exception).__name__, "exception": text})


def count(metric: Metric, value: int = 1, **dimensions: str) -> None:
    """Put a metric into the next line, which then is written whatever the level; of several values of one, the last.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

    Args:
        metric: which.
        value: of it.
        dimensions: of the metric, besides the stack.
    """
    _current().counted[metric.name] = (metric, value, metric.dimensions(dimensions))


@contextmanager
def written_to(stream: TextIO) -> Iterator[None]:
    """Write to this stream instead of standard output, until the block ends."""
    global _stream  # noqa: PLW0603 -- one log for the process, as there is one standard output
    before, _stream = _stream, stream
    try:
        yield
    finally:
        _stream = before


def redacted(text: str, word: re.Pattern[str] = LONG) -> str:
    """Return a text in which every long word that could be a secret is replaced; in linear time.

    Args:
        text: from wherever.
        word: what is long.
    """
    if HARMLESS.fullmatch(text):  # as ids are, and most of what is written: no need to look for words in it
        return text
    return word.sub(lambda found: found[0] if HARMLESS.fullmatch(found[0]) else "[redacted]", text)


def _current() -> _Request:
    return _request.get() or _begun(None, {})


def _begun(stack: str | None, members: dict[str, Value]) -> _Request:
    request = _Request(stack or "api-keys", members)
    _request.set(request)
    return request


def _write(level: str, message: str, members: dict[str, Value]) -> None:
    request = _current()
    if LEVELS[level] < THRESHOLD and not request.counted:
        return
    line: dict[str, Any] = {
        "level": level,
        "timestamp": timestamp(),
        "service": "api-keys",
        "message": message,
    }
    for name, value in (request.members | members).items():
        if isinstance(value, str) and name != "exception_name":  # which is a name in code
            # The issuer vouches for a subject, and it may look like anything.
            line[name] = redacted(value, LONGER if name == "subject" else LONG)
        elif value is not None:
            line[name] = value
    embedded = ""
    if request.counted:
        embedded = _embed(request, line)
    stream = _stream or sys.stdout
    # In one piece, so that lines of several threads do not mix.
    stream.write(f"{json.dumps(line)[:-1]}{embedded}}}\n")
    stream.flush()


def _embed(request: _Request, line: dict[str, Any]) -> str:
    """Put what was counted into a line, and return as JSON what is to follow its members."""
    line["Stack"] = request.stack
    directives = []
    for metric, value, dimensions in request.counted.values():
        line |= dimensions
        line[metric.name] = value
        directives.append(metric.directive)
    request.counted = {}
    return (
        f', "_aws":{{"Timestamp":{time.time_ns() // 1_000_000},"CloudWatchMetrics":[{",".join(directives)}]}}'
    )
