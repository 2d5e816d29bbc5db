"""Public keys that somebody publishes: fetched, remembered, and fetched again with care."""

import base64
import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from threading import Lock
from typing import Any, ClassVar, Self

from apikeys import deadline, log
from apikeys.errors import ServiceUnavailable
from apikeys.fetch import fetch
from apikeys.metrics import KEYS_AGE, KEYS_NOT_FETCHED
from apikeys.settings import is_trusted_url

MAX_BYTES = 256 * 1024  # of a document
FETCH_FAILURES = (OSError, ValueError, HTTPException, RecursionError)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, by two clocks: the wall's may be set, and the other may stand still while Lambda is frozen.

    Args:
        wall: `time.time()`.
        monotonic: `time.monotonic()`.
    """

    wall: float = -math.inf
    monotonic: float = -math.inf

    @classmethod
    def now(cls) -> Self:
        """Return this moment."""
        return cls(time.time(), time.monotonic())

    def ago(self) -> float:
        """Return how many seconds ago it was, by the clock that says more."""
        return max(time.time() - self.wall, time.monotonic() - self.monotonic)

    def is_to_come(self) -> bool:
        """Tell whether the wall clock was set back behind it; then nobody knows how long ago it was."""
        return time.time() < self.wall


class PublishedKeys[K](ABC):
    """Somebody's public keys, remembered.

    They are fetched again when they are older than FRESH_FOR, or when what is asked for is not among them, but never
    more often than every COOLDOWN. While whoever publishes them does not answer, the keys already known keep working
    until they are USABLE_FOR old.

    Args:
        whose: in the log, such as "the issuer".
        publisher: in metrics, one of metrics.PUBLISHERS.
    """

    FRESH_FOR: ClassVar = 10 * 60
    USABLE_FOR: ClassVar = 6 * 60 * 60
    COOLDOWN: ClassVar = 10
    TIMEOUT: ClassVar = 2.0
    """Seconds for one fetch as a whole: discovery, connecting and reading together."""

    def __init__(self, whose: str, *, publisher: str) -> None:
        self._whose = whose
        self._publisher = publisher
        self._keys: list[K] = []
        self._fetched = self._tried = Moment()
        self._lock = Lock()

    @abstractmethod
    def _fetch(self, until: float) -> list[K]:
        """Return the keys that are published now, at least one; raise one of FETCH_FAILURES otherwise.

        Args:
            until: when to give up, by `time.monotonic()`.
        """

    def keys_that(self, settle: Callable[[list[K]], bool]) -> list[K]:
        """Return the keys, fetched again if that may make a difference.

        Args:
            settle: tells whether these keys decide what is asked, one way or the other.

        Raises:
            ServiceUnavailable: if the keys known do not settle it, and there is no answer or it was asked for too short
                a time ago: the key may be a new one.
        """
        with self._lock:
            keys = self._known(self.FRESH_FOR) if not self._fetched.is_to_come() else []
            if not settle(keys):
                is_news = self._refresh()
                keys = self._known(self.USABLE_FOR)
                if not is_news and not settle(keys):
                    wait = max(1, math.ceil(self.COOLDOWN - min(self.COOLDOWN, self._tried.ago())))
                    raise ServiceUnavailable(f"{self._whose}'s keys do not settle it", retry_after=wait)
        return keys

    def _known(self, seconds: float) -> list[K]:
        return self._keys if self._fetched.ago() < seconds else []

    def _refresh(self) -> bool:
        """Fetch the keys, and tell whether that was done."""
        is_too_soon = self._tried.ago() < self.COOLDOWN and not self._tried.is_to_come()
        if is_too_soon or not deadline.left():
            return False
        self._tried = Moment.now()
        try:
            self._keys = self._fetch(time.monotonic() + min(self.TIMEOUT, deadline.left()))
        except FETCH_FAILURES as failure:
            # What is known stays as it is; keys_that() decides what it is still good for.
            log.count(KEYS_NOT_FETCHED, Publisher=self._publisher)
            if self._keys:
                log.count(KEYS_AGE, int(self._fetched.ago()), Publisher=self._publisher)
            name, reason = type(failure).__name__, str(failure)[:200]
            log.warning(f"{self._whose}'s keys could not be fetched", exception_name=name, reason=reason)
            return False
        self._fetched = self._tried
        return True


def read_document(url: str, until: float) -> dict[str, Any]:
    """Return the JSON object at a URL that keys may be read from.

    Args:
        url: https, a `data:` URL, or http to this very machine.
        until: when to give up, by `time.monotonic()`.

    Raises:
        ValueError: if it is another URL, or what is there is no JSON object.
        OSError: if there is no answer in time.
        http.client.HTTPException: if the answer is no HTTP.
    """
    if not is_trusted_url(url):
        raise ValueError("the keys are not at an https URL")
    _, is_data, data = url.partition("data:application/json;base64,")
    document = json.loads(base64.b64decode(data) if is_data else fetch(url, until=until, at_most=MAX_BYTES))
    if not isinstance(document, dict):
        raise ValueError("the answer is no JSON object")  # noqa: TRY004 -- data, not a bug
    return document
