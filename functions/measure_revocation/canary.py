"""The life of the canary's key: issued, used, revoked, and tried until nobody lets it in."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from client import FAILURES, NAME, CanaryError, Client

from apikeys import log
from apikeys.metrics import CHECK_LATENCY, ISSUE_LATENCY, REVOKE_LATENCY, Metric
from apikeys.records import timestamp

LIFETIME = timedelta(minutes=30)  # of a key whose revoke fails
PAUSES = (0.0, 0.1, 0.4, 1.0, 2.0)  # seconds before each round of checks after the revoke
LONGEST = 60.0  # seconds after which no further round begins, though the key is still let in


@dataclass
class Measured:
    """What came of it.

    Attributes:
        failures: of URLs that did not say yes before the revoke, or neither yes nor no after it; or of the whole.
        times: by URL, ms from the revoke's answer to the last check that let the key in; 0 for none.
        latencies: ms of the steps.
    """

    failures: int
    times: dict[str, int] = field(default_factory=dict)
    latencies: dict[Metric, int] = field(default_factory=dict)


def measure(client: Client, *, owner: str, guarded: Sequence[str]) -> Measured:
    """Take a key through its life.

    Args:
        client: of the API.
        owner: whose revoked keys are no alarm when they are used.
        guarded: URLs at which the key is tried besides the API's own.

    Raises:
        CanaryError: if a step went wrong before there was anything to measure.
    """
    keys = f"/api/v1/applications/{client.application()}/api-keys"
    expires = timestamp(datetime.now(UTC) + LIFETIME)
    issued = client.call("POST", keys, {"name": NAME, "expiresAt": expires})
    latencies = {ISSUE_LATENCY: client.took}
    if client.owner_of(issued["key"]) != owner:
        raise CanaryError(
            "CANARY_OWNER is not whom the canary's token acts for, and each run would be an alarm"
        )
    latencies[CHECK_LATENCY] = client.took
    opened = [url for url in guarded if _is_let_in(client, url, issued["key"])]
    client.call("DELETE", f"{keys}/{issued['id']}?reason=other")
    latencies[REVOKE_LATENCY] = client.took
    times, unclear = _watch(client, issued["key"], [client.whoami, *opened])
    return Measured(len(guarded) - len(opened) + len(unclear), times, latencies)


def _watch(client: Client, key: str, urls: Sequence[str]) -> tuple[dict[str, int], set[str]]:
    """Try a key that was revoked this very moment, at once and again and again; while it is let in somewhere, go on.

    Every check begins after the revoke's answer, so every yes breaks the promise. It is timed by its own answer, as
    1 ms at least.

    Returns:
        By URL, ms to its last yes, 0 for none; and the URLs that answered neither yes nor no, which are then left
        alone. Of those that had not said yes before, nothing is known, and no time is returned.
    """
    revoked, pauses = time.monotonic(), list(PAUSES)
    times, unclear = dict.fromkeys(urls, 0), set[str]()
    while pauses and time.monotonic() - revoked < LONGEST:
        time.sleep(pauses.pop(0))
        answers = {}
        for url in [url for url in urls if url not in unclear]:
            answers[url] = _is_let_in(client, url, key)
            if answers[url]:
                times[url] = max(1, round((time.monotonic() - revoked) * 1000))
                log.warning("a revoked key was let in", url=url)
        unclear |= {url for url, answer in answers.items() if answer is None}
        if any(answers.values()) and not pauses:
            pauses = [PAUSES[-1]] * 2
    return {url: ms for url, ms in times.items() if ms or url not in unclear}, unclear


def _is_let_in(client: Client, url: str, key: str) -> bool | None:
    """Tell whether the key is let in; None if there is no telling."""
    try:
        return client.lets_in(url, key)
    except FAILURES as failure:
        log.warning("neither yes nor no", url=url, reason=f"{type(failure).__name__}: {failure}")
        return None
