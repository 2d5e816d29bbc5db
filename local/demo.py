"""The demo data of `make run`: two applications of two owners, three keys each."""

from dataclasses import dataclass
from typing import Any

from apikeys.keys import ApiKey
from apikeys.records import Application, KeyRecord, timestamp
from apikeys.store import Store

OWNER, OTHER = "alice", "bob"
# The documentation's own example id, so that its curl works as it stands: application and first key alike.
DOCUMENTED_ID = "123e4567-e89b-12d3-a456-426614174000"
KEYS = ["production", "staging", "ci"]


@dataclass(frozen=True, slots=True)
class Demo:
    """An application of the demo data, and the id of its first key."""

    id: str
    owner: str
    name: str
    first_key_id: str | None


DEMOS = [
    Demo(DOCUMENTED_ID, OWNER, "Weather widget", DOCUMENTED_ID),
    Demo("7d444840-9dc0-11d1-b245-5ffdce74fad2", OTHER, "Shipping bot", None),
]


def seed(store: Store) -> list[dict[str, Any]]:
    """Store the demo data.

    Args:
        store: of empty tables.

    Returns:
        What `.local/stack.json` says of the applications, key strings included.
    """
    return [_seed(store, demo) for demo in DEMOS]


def _seed(store: Store, demo: Demo) -> dict[str, Any]:
    store.add_application(Application(demo.id, demo.name, demo.owner, timestamp()))
    shown: list[dict[str, str]] = []
    for name in KEYS:
        key = ApiKey.generate(key_id=None if shown else demo.first_key_id)
        record = KeyRecord(key.key_id, demo.id, demo.owner, name, key.start, (), timestamp(), demo.owner)
        store.add_key(record, key)
        shown.append({"id": key.key_id, "name": name, "key": key.reveal()})
    return {"id": demo.id, "owner": demo.owner, "api_keys": shown}
