"""What the stream of the table of keys says, as domain events: who issued, rotated or revoked what. Pure.

Each event is of one of the JSON Schemas in schemas/. Only what is named here gets into one, so no secret and no hash.
"""

from dataclasses import dataclass
from typing import Any

from apikeys.records import Item

type JSON = dict[str, Any]

SOURCE = "api-keys"
VERSION = 1  # of the schemas: another one only if a consumer of this one would break
DIGITS = 40  # of the longest sequence number, so that the order of texts is the order of numbers


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something that happened to a key.

    Args:
        type: `ApiKeyIssued`, `ApiKeyRotated` or `ApiKeyRevoked`.
        detail: of that type's schema.
    """

    type: str
    detail: JSON


def events_of(record: JSON, *, stack: str) -> list[AuditEvent]:
    """Return what a record of the stream tells, in the order in which it happened.

    Whatever else changes is no event: a reason that is filled in is no second revocation.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html

    Args:
        record: with both images, as Lambda hands it over.
        stack: name of the deployment.

    Raises:
        KeyError: if it is no record of a key, with both images.
    """
    change = record["dynamodb"]
    if record["eventName"] == "REMOVE":
        return []
    new, old = change["NewImage"], {} if record["eventName"] == "INSERT" else change["OldImage"]
    known = {
        "version": VERSION,
        "id": record["eventID"],
        "sequence": change["SequenceNumber"].zfill(DIGITS),
        "stack": stack,
        "keyId": new["keyId"]["S"],
        "applicationId": new["applicationId"]["S"],
        "ownerId": new["ownerId"]["S"],
        "name": _text(new, "name"),
        "start": _text(new, "start"),
    }
    found = []
    if not old:
        found.append(AuditEvent("ApiKeyIssued", known | _issued(new)))
    if "replacedBy" in new and "replacedBy" not in old:
        found.append(AuditEvent("ApiKeyRotated", known | _rotated(new)))
    if "revokedAt" in new and "revokedAt" not in old:
        found.append(AuditEvent("ApiKeyRevoked", known | _revoked(new)))
    return found


def _issued(item: Item) -> JSON:
    return _who(item, "created", "issued") | {
        "scopes": [scope["S"] for scope in item.get("scopes", {}).get("L", [])],
        "expiresAt": _text(item, "expiresAt"),
    }


def _rotated(item: Item) -> JSON:
    # Without an overlap the old key is revoked by the same write, and has no more to say of it.
    how = "rotated" if "rotatedAt" in item else "revoked"
    return _who(item, how, how) | {
        "replacedBy": item["replacedBy"]["S"],
        "worksUntil": _text(item, "expiresAt" if how == "rotated" else "revokedAt"),
    }


def _revoked(item: Item) -> JSON:
    return _who(item, "revoked", "revoked") | {
        "via": _text(item, "revokedVia"),
        "reason": _text(item, "revokedReason"),
        "leakedIn": _text(item, "leakedIn"),
    }


def _who(item: Item, at_and_by: str, how: str) -> JSON:
    return {
        "occurredAt": item[f"{at_and_by}At"]["S"],
        "by": _text(item, f"{at_and_by}By"),
        "from": _text(item, f"{how}From"),
        "tokenId": _text(item, f"{how}TokenId"),
    }


def _text(item: Item, name: str) -> str | None:
    """Return an attribute; None where it is empty, as where it is missing."""
    return item.get(name, {}).get("S") or None
