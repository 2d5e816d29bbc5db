"""The table of listings: which keys an application has, and which applications an owner.

What a secondary index would be, but never late: an entry is written before the item that it names, and read
strongly consistently. An entry whose item does not exist is skipped: its maker was stopped before the second write.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from apikeys.dynamodb import MOST_IN_A_BATCH, DynamoDb
from apikeys.records import Application, KeyRecord, strings
from apikeys.settings import required

type Position = tuple[str, str]  # when what is listed was made, and its id

PAIRS = 5  # of a query and a batch read, for one page at most
NAMES = {"#list": "list", "#position": "position"}  # both are words of DynamoDB's own


class Listings:
    """The listings.

    Args:
        dynamodb: where they are.
        table: its name; None for this deployment's, LISTINGS_TABLE.

    Raises:
        SettingsError: if neither names it.
    """

    def __init__(self, dynamodb: DynamoDb, table: str | None = None) -> None:
        self._dynamodb = dynamodb
        self._table = table or required("LISTINGS_TABLE")

    def add_key(self, record: KeyRecord) -> None:
        """Enter a key that is about to be stored into its application's list; a second time does nothing.

        Raises:
            ServiceUnavailable: if DynamoDB does not answer in time.
        """
        self._add(keys_of(record.application_id), (record.created_at, record.key_id))

    def add_application(self, application: Application) -> None:
        """Enter an application that is about to be stored into its owner's list; a second time does nothing.

        Raises:
            ServiceUnavailable: if DynamoDB does not answer in time.
        """
        self._add(applications_of(application.owner_id), (application.created_at, application.id))

    def _add(self, name: str, position: Position) -> None:
        # No condition: an entry is nothing but its key, so that writing it twice is writing it once.
        item = strings({"list": name, "position": " ".join(position)})
        self._dynamodb.call("PutItem", {"TableName": self._table, "Item": item})

    def entries(
        self, name: str, *, most: int, after: Position | None
    ) -> tuple[list[Position], Position | None]:
        """Return a part of a list, newest first, and the position to go on from, None at the end: one query.

        Args:
            name: of the list: `keys_of()` or `applications_of()`.
            most: how many entries to return at most.
            after: position to go on from; None to begin.

        Raises:
            ServiceUnavailable: if DynamoDB does not answer in time.
        """
        condition, values = "#list = :list", {":list": name}
        if after:
            condition += " AND #position < :after"
            values[":after"] = " ".join(after)
        answer = self._dynamodb.call(
            "Query",
            {
                "TableName": self._table,
                "ConsistentRead": True,
                "KeyConditionExpression": condition,
                "ExpressionAttributeNames": NAMES if after else {"#list": "list"},
                "ExpressionAttributeValues": strings(values),
                "ScanIndexForward": False,
                "Limit": most + 1,  # one more, to know whether there is more
            },
        )
        found = [_position(item) for item in answer["Items"]]
        is_more = len(found) > most or "LastEvaluatedKey" in answer
        return found[:most], found[:most][-1] if is_more else None

    def batches(self, name: str) -> Iterator[list[str]]:
        """Yield the ids that a list has, newest first, as many at a time as one batch read takes; one query each.

        Args:
            name: of the list: `keys_of()` or `applications_of()`.

        Raises:
            ServiceUnavailable: if DynamoDB does not answer in time.
        """
        after, is_more = None, True
        while is_more:
            entries, after = self.entries(name, most=MOST_IN_A_BATCH, after=after)
            yield [id_ for _, id_ in entries]
            is_more = after is not None

    def page[T](
        self,
        name: str,
        find: Callable[[list[str]], Mapping[str, T]],
        *,
        limit: int,
        after: Position | None,
        wanted: Callable[[T], bool] | None = None,
    ) -> tuple[list[T], Position | None]:
        """Return a page of what a list names, and the position to go on from, None at the end.

        A page costs a bounded number of calls. So it may be short, even empty, and not be the last.

        Args:
            name: of the list: `keys_of()` or `applications_of()`.
            find: returns what exists of these ids, by id.
            limit: how many to return at most.
            after: position to go on from; None to begin.
            wanted: whether to return one; None for all.

        Raises:
            ServiceUnavailable: if DynamoDB does not answer in time.
        """
        found: list[T] = []
        for _ in range(PAIRS):
            most = MOST_IN_A_BATCH if wanted else limit
            entries, following = self.entries(name, most=most, after=after)
            existing = find([id_ for _, id_ in entries])
            for entry in entries:
                one = existing.get(entry[1])
                if one is None or (wanted and not wanted(one)):
                    continue
                found.append(one)
                if len(found) == limit:
                    return found, None if entry == entries[-1] and not following else entry
            after = following
            if not after:
                break
        return found, after


def keys_of(application_id: str) -> str:
    """Return the name of the list of an application's keys."""
    return f"keys of {application_id}"


def applications_of(owner: str) -> str:
    """Return the name of the list of an owner's applications."""
    return f"applications of {owner}"


def _position(item: Any) -> Position:
    created_at, _, id_ = item["position"]["S"].partition(" ")
    return created_at, id_
