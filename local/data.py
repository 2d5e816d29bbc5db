"""`make run DATA=folder`: what the tables hold, kept from one run to the next.

moto keeps everything in memory. So the tables are written to a file after each request that may have changed them, and
once more at the end; the next run reads them from there.
"""

import fcntl
import json
import sys
from pathlib import Path
from threading import Lock
from typing import IO, Any

from apikeys.dynamodb import DynamoDb

READING = ("GET", "HEAD", "OPTIONS")


class DataFolder:
    """A folder that one stack at a time keeps its data in.

    Args:
        path: of the folder; it is made if it is not there.
        tables: the names of this version's tables.
    """

    def __init__(self, path: Path, tables: list[str]) -> None:
        self._tables = sorted(tables)
        self._saving = Lock()
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(path / "lock")
        except BlockingIOError:
            sys.exit(f"Another stack keeps its data in {path}. Choose another folder with: make run DATA=…")
        except OSError as error:
            sys.exit(
                f"{path} cannot keep data: {error.strerror}. Choose another folder with: make run DATA=…"
            )
        self._file = path / "tables.json"
        self._applications: Any = None

    def restore(self, dynamodb: DynamoDb) -> Any:
        """Fill the empty tables with what was kept.

        Args:
            dynamodb: with this version's tables.

        Returns:
            What was kept about the demo's applications; None if nothing was kept.
        """
        if not self._file.exists():
            return None
        try:
            kept = json.loads(self._file.read_text())
            tables, self._applications = kept["tables"], kept["applications"]
        except (ValueError, KeyError, TypeError):
            sys.exit(f"{self._file} was not written by make run. Choose another folder with: make run DATA=…")
        if sorted(tables) != self._tables:
            sys.exit(
                f"{self._file} is of a version with other tables. Choose another folder with: make run DATA=…"
            )
        for table, items in tables.items():
            for item in items:
                dynamodb.call("PutItem", {"TableName": table, "Item": item})
        return self._applications

    def keep(self, dynamodb: DynamoDb, applications: Any) -> None:
        """Write what the tables hold, and what is to be kept about the demo's applications."""
        self._applications = applications
        self.save(dynamodb)

    def save(self, dynamodb: DynamoDb) -> None:
        """Write what the tables hold: whole or not at all, readable by its owner only."""
        with self._saving:
            tables = {table: _items(dynamodb, table) for table in self._tables}
            draft = self._file.with_suffix(".draft")
            draft.touch(mode=0o600)
            draft.write_text(json.dumps({"tables": tables, "applications": self._applications}))
            draft.replace(self._file)

    def close(self) -> None:
        """Let another stack have the folder."""
        self._lock.close()


def may_write(event: dict[str, Any]) -> bool:
    """Tell whether a request may change what is stored."""
    http = event["requestContext"]["http"]
    return http["method"] not in READING and not http["path"].endswith("/introspect")


def _locked(path: Path) -> IO[str]:
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise
    return file


def _items(dynamodb: DynamoDb, table: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    request: dict[str, Any] = {"TableName": table, "ConsistentRead": True}
    while True:
        page = dynamodb.call("Scan", request)
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            return items
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
