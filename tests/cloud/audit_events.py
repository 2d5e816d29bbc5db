"""The events of a deployed stack, as a consumer gets them: by a rule of the bus, in a queue."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.audit_stream import hold_against_its_schema
from tests.cloud.deployment import Deployment
from tests.cloud.queues import Queue

PATIENCE = 30  # seconds for an event to arrive, its function's cold start included


@dataclass(frozen=True)
class Inbox:
    """A queue that gets every event.

    Args:
        queue: which.
    """

    queue: Queue

    def wait_for(self, key_id: str, *kinds: str) -> list[dict[str, Any]]:
        """Return the events of a key once there are these types; each is held against its schema."""
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + PATIENCE
        while not {event["detail-type"] for event in found} >= set(kinds):
            assert time.monotonic() < deadline, (kinds, found)
            found += [event for event in self._take() if event["detail"]["keyId"] == key_id]
        return sorted(found, key=lambda event: str(event["detail"]["sequence"]))

    def _take(self) -> list[dict[str, Any]]:
        events = self.queue.take(wait=1)
        for event in events:
            assert event["source"] == "api-keys"
            hold_against_its_schema(event["detail-type"], event["detail"])
        return events


@contextmanager
def inbox(deployment: Deployment) -> Iterator[Inbox]:
    """Put a rule onto the stack's bus, until the block ends."""
    bridge = deployment.emulator.client("events")
    name, bus = f"inbox-of-{deployment.name}", deployment.outputs()["AuditBusName"]
    queue = Queue.create(deployment.emulator, name)
    bridge.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": ["api-keys"]}))
    bridge.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "inbox", "Arn": queue.arn}])
    yield Inbox(queue)
    bridge.remove_targets(Rule=name, EventBusName=bus, Ids=["inbox"])
    bridge.delete_rule(Name=name, EventBusName=bus)
    queue.delete()
