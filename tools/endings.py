"""How keys lost access, by events of the audit bus or by another table of keys; and to have them lose it in a table.

A key loses access when it is revoked, in whatever way, and when it is rotated: at once, or at the end of the overlap.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

type Item = dict[str, Any]  # as DynamoDB has it: a type beside each value
type Endings = dict[str, Item]  # by key id, the attributes with which it has lost access

TOMBSTONE = (
    *("revokedAt", "revokedBy", "revokedVia", "revokedFrom", "revokedTokenId"),
    *("revokedReason", "revokedIn", "leakedIn"),
)
ROTATED = ("rotatedAt", "rotatedBy", "rotatedFrom", "rotatedTokenId", "expiresAt")


def of_table(items: Iterable[Item]) -> Endings:
    """Return how those of a table's keys lost access that did."""
    found: Endings = {}
    for item in items:
        names = [*TOMBSTONE, "replacedBy", *(ROTATED if "rotatedAt" in item else ())]
        if "revokedAt" in item or "rotatedAt" in item:
            found[item["keyId"]["S"]] = {name: item[name] for name in names if name in item}
    return found


def of_events(lines: Iterable[str]) -> Endings:
    """Return how keys lost access by what events say.

    Args:
        lines: events as EventBridge delivers them, one JSON object a line, in any order, also more than once. Those
            of the types ApiKeyRevoked and ApiKeyRotated count.
    """
    found: Endings = {}
    for kind, detail in _events(lines):
        match kind:
            case "ApiKeyRevoked":
                ending = _revoked(detail)
            case "ApiKeyRotated":
                ending = _rotated(detail)
            case _:
                continue
        found[detail["keyId"]] = ending | found.get(detail["keyId"], {})
    return found


def issued(lines: Iterable[str]) -> dict[str, str]:
    """Return the application of each key that events tell was issued, by key id."""
    return {
        detail["keyId"]: detail["applicationId"] for kind, detail in _events(lines) if kind == "ApiKeyIssued"
    }


def together(one: Endings, other: Endings) -> Endings:
    """Return what either knows; of what both know, what the first one does."""
    return {key_id: other.get(key_id, {}) | one.get(key_id, {}) for key_id in one.keys() | other.keys()}


def ended(item: Item, ending: Item) -> Item:
    """Return a key's item with an ending. A key never lives longer by one."""
    both = item | ending
    if "expiresAt" in item and "expiresAt" in ending:
        both["expiresAt"] = min(item["expiresAt"], ending["expiresAt"], key=lambda text: str(text["S"]))
    return both


def has_ended(item: Item, ending: Item) -> bool:
    """Tell whether a key has lost access as it should, or earlier."""
    if "revokedAt" in item or "revokedAt" in ending:
        return "revokedAt" in item
    return "expiresAt" in item and bool(item["expiresAt"]["S"] <= ending["expiresAt"]["S"])


def apply(dynamodb: "DynamoDBClient", table: str, endings: Mapping[str, Item]) -> tuple[int, int]:
    """Have the keys of a table lose access that should have.

    Returns:
        How many lost it by this, and how many are left that have not.
    """
    done = 0
    for item in scan(dynamodb, table):
        ending = endings.get(item["keyId"]["S"])
        if ending and not has_ended(item, ending):
            done += _write(dynamodb, table, item, ending)
    left = sum(
        not has_ended(item, endings[item["keyId"]["S"]])
        for item in scan(dynamodb, table)
        if item["keyId"]["S"] in endings
    )
    return done, left


def scan(dynamodb: "DynamoDBClient", table: str) -> Iterator[Item]:
    """Yield all items of a table, strongly consistently."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _write(dynamodb: "DynamoDBClient", table: str, item: Item, ending: Item) -> bool:
    changed = {name: value for name, value in ended(item, ending).items() if item.get(name) != value}
    try:
        dynamodb.update_item(
            TableName=table,
            Key={"keyId": item["keyId"]},
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in changed),
            ConditionExpression="attribute_exists(keyId) AND attribute_not_exists(revokedAt)",
            ExpressionAttributeValues={f":{name}": value for name, value in changed.items()},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False  # Somebody revoked it meanwhile, or it is gone.
    return True


def _events(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in lines:
        event = json.loads(line) if line.strip() else {}
        if "detail-type" in event:
            yield event["detail-type"], event["detail"]


def _revoked(detail: dict[str, Any]) -> Item:
    names = {
        "revokedAt": "occurredAt",
        "revokedBy": "by",
        "revokedVia": "via",
        "revokedReason": "reason",
        "leakedIn": "leakedIn",
    }
    return _who("revoked", detail) | _texts(names, detail)


def _rotated(detail: dict[str, Any]) -> Item:
    replaced = _texts({"replacedBy": "replacedBy"}, detail)
    until = detail.get("worksUntil") or detail["occurredAt"]
    if until <= detail["occurredAt"]:
        return replaced | _revoked(detail | {"via": "rotate", "reason": "rotated"})
    names = {"rotatedAt": "occurredAt", "rotatedBy": "by"}
    return replaced | _who("rotated", detail) | _texts(names, detail) | {"expiresAt": {"S": until}}


def _who(how: str, detail: dict[str, Any]) -> Item:
    # A tombstone has these also where they are empty: no fill of a reason may write them.
    found = {f"{how}From": detail.get("from"), f"{how}TokenId": detail.get("tokenId")}
    return {name: {"S": value or ""} for name, value in found.items()}


def _texts(names: dict[str, str], detail: dict[str, Any]) -> Item:
    return {name: {"S": detail[member]} for name, member in names.items() if detail.get(member)}
