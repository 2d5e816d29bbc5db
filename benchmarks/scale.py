"""The same with few keys and with many in the table, on DynamoDB Local: units, and how long an answer takes."""

import os
import sqlite3
import statistics
import tempfile
import time
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config

from benchmarks.work import Recording, deployment, event, record
from tools.dynamodb_local import dynamodb_local

# DynamoDB Local takes some 1,600 items a second, a million in ten minutes: its file is filled instead.
SIZES = (1_000, 1_000_000)
SAMPLES = 60
PATIENCE = 120  # seconds for a count of them all


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


def fill(file: Path, key_id: str, number: int) -> None:
    """Store so many keys of others into DynamoDB Local's own file: a key that it has stored itself, under other ids.

    Args:
        file: SQLite's.
        key_id: of that key.
        number: of the others.
    """
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA cache_size = -500000")  # kB: the keys come in no order
        [(spread, size, item)] = database.execute(
            "SELECT hashValue, itemSize, ObjectJSON FROM ApiKeysTable WHERE hashKey = ?", (key_id.encode(),)
        )
        ids = (str(uuid.uuid4()).encode() for _ in range(number))
        rows = ((other, os.urandom(len(spread)), size, item.replace(key_id.encode(), other)) for other in ids)
        database.executemany(
            "INSERT INTO ApiKeysTable (hashKey, hashValue, itemSize, ObjectJSON) VALUES (?, ?, ?, ?)", rows
        )


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
    with (
        tempfile.TemporaryDirectory() as folder,
        dynamodb_local(folder=Path(folder)) as url,
        deployment(url) as deployed,
    ):
        recording, found = record(deployed), []
        look(recording, 0)  # for nothing: Java is slow until it has compiled what it runs
        [file] = Path(folder).glob("*.db")
        for size in SIZES:
            fill(file, recording.keys[0][0], size - count(url))
            if (there := count(url)) != size:
                raise RuntimeError(f"DynamoDB Local has {there} keys instead of {size}")
            found.append(look(recording, size))
        return found


def count(url: str) -> int:
    """Return how many keys DynamoDB Local says that there are; it counts them one by one, which takes its time."""
    client = boto3.client("dynamodb", endpoint_url=url, config=Config(read_timeout=PATIENCE))
    number: int = client.describe_table(TableName="ApiKeysTable")["Table"]["ItemCount"]
    return number
