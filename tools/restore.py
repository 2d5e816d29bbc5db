"""Put back what was lost, from tables restored to a point in time, without bringing one revoked key back to life.

A restored table is as old as its point in time: keys revoked since are active in it. So here it is not used itself
(tools.adopt makes one fit for that). What the stack's tables lack is copied into them, and nothing that they have is
touched: a tombstone stays one. Where the tombstones are lost too, --events and --tombstones tell which keys lost
access since; those are written as such. It may be stopped and run again, and says at the end how many are left.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from tools.endings import Endings, Item, apply, ended, of_events, of_table, scan, together

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

# By what a table is of, its key attributes; that of keys last, so that what is listed can be found.
TABLES = {"listings": ("list", "position"), "applications": ("id",), "keys": ("keyId",)}


@dataclass(frozen=True, slots=True)
class Pair:
    """A table that is to be whole, and where what it lacks is.

    Args:
        table: to be whole.
        source: of what it lacks.
        key: the names of their key attributes.
    """

    table: str
    source: str
    key: tuple[str, ...]


def restore(dynamodb: "DynamoDBClient", pairs: Iterable[Pair], endings: Mapping[str, Item]) -> int:
    """Copy what is missing, end what must be, and return how much is left to do.

    Args:
        dynamodb: client of the account.
        pairs: the tables; that of keys last, so that what is listed can be found.
        endings: by key id, how each key lost access that did since the point in time.

    Returns:
        How many items are still missing, or good though they should not be; 0 when all is done.
    """
    left = 0
    for pair in pairs:
        left += copy(dynamodb, pair, endings)
        if pair.key == TABLES["keys"]:
            left += apply(dynamodb, pair.table, endings)[1]
    return left


def copy(dynamodb: "DynamoDBClient", pair: Pair, endings: Mapping[str, Item]) -> int:
    """Copy what a table lacks, keys with their endings, and return how much it still lacks."""
    for item in scan(dynamodb, pair.source):
        key_id = item.get("keyId", {}).get("S", "")
        _put_where_missing(dynamodb, pair, ended(item, endings.get(key_id, {})))
    here = {_identity(pair, item) for item in scan(dynamodb, pair.table)}
    return sum(_identity(pair, item) not in here for item in scan(dynamodb, pair.source))


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


def _identity(pair: Pair, item: Item) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in pair.key)


def known_by(dynamodb: "DynamoDBClient", events: Iterable[str], tombstones: str | None) -> Endings:
    """Return the endings that events and, where it is given, a table of keys tell of."""
    return together(of_events(events), of_table(scan(dynamodb, tombstones)) if tombstones else {})


def lines_of(file: str) -> list[str]:
    """Return the lines of a file."""
    return Path(file).read_text().splitlines()


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how keys lost access."""
    parser.add_argument(
        "--events",
        type=lines_of,
        metavar="FILE",
        help="audit events since, one a line, as tools.archive writes them",
    )
    parser.add_argument(
        "--tombstones", metavar="TABLE", help="another table of keys that knows what is revoked"
    )


def main() -> None:
    """Restore, and exit with 1 while something is left."""
    parser = argparse.ArgumentParser(prog="python -m tools.restore", description=__doc__)
    for name in TABLES:
        parser.add_argument(
            f"--{name}", nargs=2, metavar=("TABLE", "RESTORED"), help="of the stack, and restored"
        )
    add_sources(parser)
    args = parser.parse_args()
    dynamodb = boto3.client("dynamodb")
    given = {name: getattr(args, name) for name in TABLES if getattr(args, name)}
    pairs = [Pair(table, restored, TABLES[name]) for name, (table, restored) in given.items()]
    left = restore(dynamodb, pairs, known_by(dynamodb, args.events or (), args.tombstones))
    print(f"{left} left")
    sys.exit(1 if left else 0)


if __name__ == "__main__":
    main()
