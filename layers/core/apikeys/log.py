"""The log: one JSON object a request, and nothing in it that could be a secret.

Members: `level`, `timestamp` (RFC 3339, UTC), `service`, `message`; of the request `route`, `aws_request_id`,
`application_id` and `key_id` where the path has them, `subject` once the caller is known; of its outcome `status`, or
`allowed`, and `reason`; of a fault `exception_name` and `exception`. What is unknown is left out.
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

from apikeys.records import timestamp

type Value = str | int | bool | None

LEVELS = {"INFO": 20, "WARNING": 30, "ERROR": 40}
# What is less is not written; metrics always are.
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

# Context variables, because `make run` serves several requests at once from one process.
_request: ContextVar[dict[str, Value] | None] = ContextVar("request", default=None)
_stream: TextIO | None = None


def begin(**members: Value) -> None:
    """Begin a request, or end it: every line from now on has these members, and none of the one before."""
    _request.set(members)


def add(**members: Value) -> None:
    """Add what has become known of the request."""
    _request.set((_request.get() or {}) | members)


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


def metric(name: str, message: str, *, stack: str, **members: Value) -> None:
    """Count one, and say so in a warning: one line is both. It is written whatever the level.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

    Args:
        name: of the metric, in the namespace ApiKeys.
        message: of the warning.
        stack: the metric's only dimension.
        members: to tell besides.
    """
    definition = {"Name": name, "Unit": "Count"}
    directive = {"Namespace": "ApiKeys", "Dimensions": [["Stack"]], "Metrics": [definition]}
    embedded = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}}
    _write("WARNING", message, members | {"Stack": stack, name: 1}, embedded, threshold=0)


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
    return word.sub(lambda found: found[0] if HARMLESS.fullmatch(found[0]) else "[redacted]", text)


def _write(
    level: str,
    message: str,
    members: dict[str, Value],
    embedded: dict[str, Any] | None = None,
    *,
    threshold: int | None = None,
) -> None:
    if LEVELS[level] < (THRESHOLD if threshold is None else threshold):
        return
    line: dict[str, Any] = {
        "level": level,
        "timestamp": timestamp(),
        "service": "api-keys",
        "message": message,
    }
    for name, value in ((_request.get() or {}) | members).items():
        if isinstance(value, str) and name != "exception_name":  # which is a name in code
            # The issuer vouches for a subject, and it may look like anything.
            line[name] = redacted(value, LONGER if name == "subject" else LONG)
        elif value is not None:
            line[name] = value
    stream = _stream or sys.stdout
    # In one piece, so that lines of several threads do not mix.
    stream.write(json.dumps(line | (embedded or {})) + "\n")
    stream.flush()
