"""The same with few keys and with many in the table, on DynamoDB Local: units, and how long an answer takes."""

import base64
import os
import statistics
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from apikeys.dynamodb import DynamoDb
from benchmarks.work import JSON, Recording, deployment, event, record
from tools.dynamodb_local import dynamodb_local

SIZES = (1_000, 100_000)  # DynamoDB Local stores some 2,000 items a second: a million would take ten minutes
SAMPLES = 60
BATCH = 25  # that one BatchWriteItem may write


@dataclass(frozen=True, slots=True)
class Scale:
    """A table with so many keys.

    Args:
        keys: in it.
        units: of one request, by work.
        milliseconds: until its answer, the middle one of many, by work.
    """

    keys: int
    units: dict[str, float]
    milliseconds: dict[str, float]


def filler() -> JSON:
    """Return an item like any other key's, whose string nobody has."""
    text = {
        "keyId": str(uuid.uuid4()),
        "applicationId": str(uuid.uuid4()),
        "ownerId": str(uuid.uuid4()),
        "name": "production",
        "start": "ak_3nZ8dQp",
        "createdAt": "2026-11-01T09:00:00.000Z",
        "createdBy": "somebody",
    }
    hashed = {"hash": {"B": base64.b64encode(os.urandom(32)).decode()}}
    return {name: {"S": value} for name, value in text.items()} | hashed


def fill(database: DynamoDb, number: int) -> None:
    """Store so many keys of others."""

    def write(size: int) -> None:
        left = {"ApiKeysTable": [{"PutRequest": {"Item": filler()}} for _ in range(size)]}
        while left:
            left = database.call("BatchWriteItem", {"RequestItems": left})["UnprocessedItems"]

    sizes = [BATCH] * (number // BATCH) + [number % BATCH] * bool(number % BATCH)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, sizes))


def look(recording: Recording, keys: int) -> Scale:
    """Make many requests, each about another key."""
    fresh = [recording.issue() for _ in range(SAMPLES)]
    application, token = {"id": recording.application_id}, recording.token
    asked = {
        "check": ("authorize_request", [event("authorize_request/refused", key) for _, key in fresh]),
        "revoke": (
            "revoke_api_key",
            [event("revoke_api_key/200", token, path=application | {"keyId": key_id}) for key_id, _ in fresh],
        ),
    }
    units, milliseconds = {}, {}
    for name, (capability, samples) in asked.items():
        taken = []
        recording.deployment.calls.clear()
        for sample in samples:
            started = time.perf_counter()
            recording.deployment.ask(capability, sample)
            taken.append((time.perf_counter() - started) * 1000)
        [units[name]] = {call.units for call in recording.deployment.calls}
        milliseconds[name] = statistics.median(taken)
    return Scale(keys, units, milliseconds)


def scales() -> list[Scale]:
    """Return what is seen at each size."""
    with dynamodb_local() as url, deployment(url) as deployed:
        recording, database = record(deployed), DynamoDb(url)
        found, there = [], len(recording.keys)
        for size in SIZES:
            fill(database, size - there)
            there = size
            found.append(look(recording, size))
    return found
