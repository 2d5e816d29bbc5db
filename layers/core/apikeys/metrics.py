"""The metrics: what is counted, under which names and dimensions. Alarms and dashboard are held against this list.

Each has the dimension `Stack`, and those named here, whose values are of a fixed list: every other value would be one
more metric to pay for.
"""

import enum
import json
from collections.abc import Iterable

from apikeys.records import REASONS

NAMESPACE = "ApiKeys"
OTHER = "other"  # than any value of the list


class Outcome(enum.StrEnum):
    """What came of a check."""

    ACCEPTED = "accepted"
    NO_KEY = "no-key"
    """None was presented, or several."""
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    WRONG_SECRET = "wrong-secret"  # noqa: S105 -- no password
    REVOKED = "revoked"
    EXPIRED = "expired"
    AMBIGUOUS_PATH = "ambiguous-path"
    """A good key, but IAM would read the path as several."""
    FAULT = "fault"
    """Nobody could tell."""


class Metric:
    """A metric.

    Args:
        name: of it.
        dimensions: names of them besides `Stack`, each with the values that it may have.
        unit: as CloudWatch calls it.
    """

    __slots__ = ("_dimensions", "directive", "name")

    def __init__(self, name: str, unit: str = "Count", **dimensions: Iterable[str]) -> None:
        self.name = name
        self._dimensions = {name: (*values, OTHER) for name, values in dimensions.items()}
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [["Stack", *dimensions]],
            "Metrics": [{"Name": name, "Unit": unit}],
        }
        # As text, and made once: a line costs by the byte and a request by the microsecond.
        self.directive = json.dumps(directive, separators=(",", ":"))
        """What tells CloudWatch to take it from a line, as JSON."""

    def dimensions(self, given: dict[str, str]) -> dict[str, str]:
        """Return a value for each dimension: the given one if it is on the list, else OTHER."""
        wanted = self._dimensions.items()
        return {name: given[name] if given.get(name) in values else OTHER for name, values in wanted}

    def values(self) -> dict[str, tuple[str, ...]]:
        """Return the values that each dimension may have."""
        return dict(self._dimensions)


PUBLISHERS = ("issuer", "github")

CHECKS = Metric("Checks", Outcome=tuple(Outcome))
REVOCATIONS = Metric("Revocations", Reason=(*REASONS, "none"))
REVOKED_KEY_USED = Metric("RevokedKeyUsed")
KEYS_NOT_FETCHED = Metric("KeysNotFetched", Publisher=PUBLISHERS)
KEYS_AGE = Metric("KeysAge", "Seconds", Publisher=PUBLISHERS)

# Of the canary.
TIME_TO_LOSE_ACCESS = Metric("TimeToLoseAccess", "Milliseconds")
LONGEST_TIME_AT_BORDER = Metric("LongestTimeAtBorder", "Milliseconds")
CANARY_FAILURES = Metric("CanaryFailures")
ISSUE_LATENCY = Metric("IssueLatency", "Milliseconds")
CHECK_LATENCY = Metric("CheckLatency", "Milliseconds")
REVOKE_LATENCY = Metric("RevokeLatency", "Milliseconds")
CACHED_AUTHORIZERS = Metric("CachedAuthorizers")
