"""Put back what was lost, from tables restored to a point in time, without bringing one revoked key back to life.

A restored table is as old as its point in time: keys revoked since are active in it. So it is never used itself.
What the stack's tables lack is copied into them, and nothing that they have is touched: a tombstone stays one. Where
the tombstones are lost too, --revoked and --tombstones tell which keys were revoked since; those are written as
revoked. It may be stopped and run again, and says at the end how many are left.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

type Item = dict[str, Any]  # as DynamoDB has it: a type beside each value

TOMBSTONE = ("revokedAt", "revokedBy", "revokedVia", "revokedFrom", "revokedTokenId", "revokedReason")


@dataclass(frozen=True, slots=True)
class Pair:
    """A table of the stack, and where what it lacks is.

    Args:
        table: of the stack.
        restored: the table restored to a point in time.
        key: the names of its key attributes.
    """

    table: str
    restored: str
    key: tuple[str, ...]


def restore(dynamodb: "DynamoDBClient", pairs: Iterable[Pair], revoked: Mapping[str, Item]) -> int:
    """Copy what is missing, revoke what must be, and return how much is left to do.

    Args:
        dynamodb: client of the account.
        pairs: the tables; that of keys last, so that what is listed can be found.
        revoked: by key id, the tombstone of each key that was revoked since the point in time.

    Returns:
        How many items are still missing, or active though revoked; 0 when all is done.
    """
    left = 0
    for pair in pairs:
        for item in _scan(dynamodb, pair.restored):
            _put_where_missing(dynamodb, pair, item | revoked.get(item.get("keyId", {}).get("S", ""), {}))
        here = {_identity(pair, item): item for item in _scan(dynamodb, pair.table)}
        left += sum(1 for item in _scan(dynamodb, pair.restored) if _identity(pair, item) not in here)
        if pair.key == ("keyId",):
            left += _revoke(dynamodb, pair.table, here.values(), revoked)
    return left


def tombstones(items: Iterable[Item]) -> dict[str, Item]:
    """Return the tombstones among a table's keys, by key id."""
    return {
        item["keyId"]["S"]: {name: item[name] for name in TOMBSTONE if name in item}
        for item in items
        if "revokedAt" in item
    }


def told(events: Iterable[str]) -> dict[str, Item]:
    """Return the tombstones that events tell of, by key id.

    Args:
        events: as EventBridge delivers them, one JSON object a line; only those of the type ApiKeyRevoked count.
    """
    found: dict[str, Item] = {}
    for line in events:
        event = json.loads(line) if line.strip() else {}
        if event.get("detail-type") == "ApiKeyRevoked":
            detail = event["detail"]
            names = {
                "occurredAt": "revokedAt",
                "by": "revokedBy",
                "via": "revokedVia",
                "reason": "revokedReason",
            }
            # A tombstone has these also where they are empty: no fill of a reason may write them.
            always = {"revokedFrom": detail.get("from"), "revokedTokenId": detail.get("tokenId")}
            found[detail["keyId"]] = {name: {"S": value or ""} for name, value in always.items()} | {
                attribute: {"S": detail[name]} for name, attribute in names.items() if detail.get(name)
            }
    return found


def _put_where_missing(dynamodb: "DynamoDBClient", pair: Pair, item: Item) -> None:
    try:
        dynamodb.put_item(
            TableName=pair.table,
            Item=item,
            ConditionExpression="attribute_not_exists(#key)",
            ExpressionAttributeNames={"#key": pair.key[0]},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return  # It is there, and newer.


def _revoke(dynamodb: "DynamoDBClient", table: str, here: Iterable[Item], revoked: Mapping[str, Item]) -> int:
    left = 0
    for item in here:
        tombstone = revoked.get(item["keyId"]["S"])
        if not tombstone or "revokedAt" in item:
            continue
        try:
            dynamodb.update_item(
                TableName=table,
                Key={"keyId": item["keyId"]},
                UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in tombstone),
                ConditionExpression="attribute_exists(keyId) AND attribute_not_exists(revokedAt)",
                ExpressionAttributeValues={f":{name}": value for name, value in tombstone.items()},
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            continue  # Somebody revoked it meanwhile, or it is gone.
        after = dynamodb.get_item(TableName=table, Key={"keyId": item["keyId"]}, ConsistentRead=True)
        left += "revokedAt" not in after.get("Item", {"revokedAt": {}})
    return left


def _scan(dynamodb: "DynamoDBClient", table: str) -> Iterator[Item]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _identity(pair: Pair, item: Item) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in pair.key)


def main() -> None:
    """Restore, and exit with 1 while something is left."""
    parser = argparse.ArgumentParser(prog="python -m tools.restore", description=__doc__)
    tables = {"listings": ("list", "position"), "applications": ("id",), "keys": ("keyId",)}
    for name in tables:
        parser.add_argument(
            f"--{name}", nargs=2, metavar=("TABLE", "RESTORED"), help="of the stack, and restored"
        )
    parser.add_argument(
        "--revoked",
        type=Path,
        metavar="FILE",
        help="what was revoked since, one event of the type ApiKeyRevoked a line",
    )
    parser.add_argument(
        "--tombstones", metavar="TABLE", help="another table of keys that knows what is revoked"
    )
    args = parser.parse_args()
    dynamodb = boto3.client("dynamodb")
    revoked = tombstones(_scan(dynamodb, args.tombstones)) if args.tombstones else {}
    if args.revoked:
        with args.revoked.open() as lines:
            revoked |= told(lines)
    given = {name: getattr(args, name) for name in tables if getattr(args, name)}
    pairs = [Pair(table, restored, tables[name]) for name, (table, restored) in given.items()]
    left = restore(dynamodb, pairs, revoked)
    print(f"{left} left")
    sys.exit(1 if left else 0)


if __name__ == "__main__":
    main()
