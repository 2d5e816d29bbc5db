"""The demo data of `make run`: two applications of two owners, three keys each."""

from dataclasses import dataclass
from typing import Any

from apikeys.dynamodb import DynamoDb
from apikeys.keys import ApiKey
from apikeys.records import Application, KeyRecord, timestamp
from apikeys.store.api_keys import ApiKeys
from apikeys.store.applications import Applications
from apikeys.store.listings import Listings

OWNER, OTHER = "alice", "bob"
# The documentation's own example id, so that its curl works as it stands: application and first key alike.
DOCUMENTED_ID = "123e4567-e89b-12d3-a456-426614174000"
SECOND_ID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
SHIPPING_ID = "7d444840-9dc0-11d1-b245-5ffdce74fad2"
KEYS = ["production", "staging", "ci"]


@dataclass(frozen=True, slots=True)
class Demo:
    """An application of the demo data, and the ids of its keys; None for a random one."""

    id: str
    owner: str
    name: str
    key_ids: tuple[str | None, str | None, str | None]


DEMOS = [
    Demo(DOCUMENTED_ID, OWNER, "Weather widget", (DOCUMENTED_ID, SECOND_ID, None)),
    Demo(SHIPPING_ID, OTHER, "Shipping bot", (None, None, None)),
]


def seed(dynamodb: DynamoDb) -> list[dict[str, Any]]:
    """Store the demo data.

    Args:
        dynamodb: with empty tables, named by their logical ids.

    Returns:
        What `.local/stack.json` says of the applications, key strings included.
    """
    applications, keys = Applications(dynamodb, "ApplicationsTable"), ApiKeys(dynamodb, "ApiKeysTable")
    listings = Listings(dynamodb, "ListingsTable")
    return [_seed(demo, applications, keys, listings) for demo in DEMOS]


def _seed(demo: Demo, applications: Applications, keys: ApiKeys, listings: Listings) -> dict[str, Any]:
    application = Application(demo.id, demo.name, demo.owner, timestamp())
    listings.add_application(application)
    applications.add(application)
    shown: list[dict[str, str]] = []
    for name, key_id in zip(KEYS, demo.key_ids, strict=True):
        key = ApiKey.generate(key_id=key_id)
        record = KeyRecord(key.key_id, demo.id, demo.owner, name, key.start, (), timestamp(), demo.owner)
        listings.add_key(record)
        keys.add(record, key)
        shown.append({"id": key.key_id, "name": name, "key": key.reveal()})
    return {"id": demo.id, "owner": demo.owner, "api_keys": shown}
