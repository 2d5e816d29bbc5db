"""A create that was applied, and whose answer came too late, is repeated by the client and is a success."""

import uuid
from dataclasses import replace

import pytest

from apikeys.caller import Caller
from apikeys.dynamodb import ConditionFailed, DynamoDb
from apikeys.keys import ApiKey
from apikeys.records import Application, KeyRecord, timestamp
from apikeys.store.api_keys import ApiKeys
from apikeys.store.applications import Applications
from apikeys.store.listings import Listings, keys_of
from tests.deployment import Deployment

ALICE = Caller("alice", "alice", frozenset())


@pytest.fixture
def dynamodb(deployment: Deployment) -> DynamoDb:
    return DynamoDb(deployment.dynamodb.meta.endpoint_url)


def test_a_repeated_issue_finds_its_own_key(deployment: Deployment, dynamodb: DynamoDb) -> None:
    """Guarantee: only a key with this very secret passes for ours; of any other, nothing is changed."""
    keys, key = ApiKeys(dynamodb, "ApiKeysTable"), ApiKey.generate()
    record = KeyRecord(key.key_id, str(uuid.uuid4()), "alice", "x", key.start, (), timestamp(), "alice")
    keys.add(record, key)
    stored = deployment.stored(key.key_id)
    keys.add(record, key)
    with pytest.raises(ConditionFailed):
        keys.add(record, ApiKey.generate(key_id=key.key_id))
    assert deployment.stored(key.key_id) == stored


def test_a_repeated_create_finds_its_own_application(dynamodb: DynamoDb) -> None:
    """Guarantee: only an application that is the same in every member passes for ours."""
    applications = Applications(dynamodb, "ApplicationsTable")
    application = Application(str(uuid.uuid4()), "x", "alice", timestamp())
    applications.add(application)
    applications.add(application)
    with pytest.raises(ConditionFailed):
        applications.add(replace(application, name="y"))


def test_a_repeated_entry_is_one_entry(dynamodb: DynamoDb) -> None:
    listings, key = Listings(dynamodb, "ListingsTable"), ApiKey.generate()
    record = KeyRecord(key.key_id, str(uuid.uuid4()), "alice", "x", key.start, (), timestamp(), "alice")
    listings.add_key(record)
    listings.add_key(record)
    found = listings.entries(keys_of(record.application_id), most=100, after=None)
    assert found == ([(record.created_at, record.key_id)], None)


def test_a_repeated_end_of_an_old_key_finds_its_own_successor(
    deployment: Deployment, dynamodb: DynamoDb
) -> None:
    """Guarantee: only the successor that is stored passes for ours; for any other the old key stays as it is."""
    keys, key = ApiKeys(dynamodb, "ApiKeysTable"), ApiKey.generate()
    now = timestamp()
    old = KeyRecord(key.key_id, str(uuid.uuid4()), "alice", "x", key.start, (), now, "alice")
    keys.add(old, key)
    new = replace(old, key_id=str(uuid.uuid4()))
    assert keys.replace(old, new, old_until=now, caller=ALICE)
    stored = deployment.stored(old.key_id)
    assert keys.replace(old, new, old_until=now, caller=ALICE)
    assert not keys.replace(old, replace(old, key_id=str(uuid.uuid4())), old_until=now, caller=ALICE)
    assert deployment.stored(old.key_id) == stored
