"""The table of keys."""

import base64
import enum
from typing import TYPE_CHECKING

from apikeys.dynamodb import ConditionFailed, DynamoDb
from apikeys.errors import Forbidden, NotFound
from apikeys.records import Item, KeyRecord, strings, timestamp
from apikeys.settings import required

if TYPE_CHECKING:
    from apikeys.caller import Caller
    from apikeys.keys import ApiKey

NEEDED_BY_A_CHECK = "keyId, applicationId, ownerId, scopes, #hash, createdAt, expiresAt, revokedAt"
UNREVOKED = "attribute_not_exists(revokedAt)"
WITHOUT_REASON = "attribute_not_exists(revokedReason)"


class Presented(enum.StrEnum):
    """What came of a key that was presented to be revoked."""

    REVOKED = "revoked"
    REVOKED_BEFORE = "was revoked before"
    UNKNOWN = "no such key, or another secret"


class ApiKeys:
    """The keys.

    Args:
        dynamodb: where they are.
        table: its name; None for this deployment's, API_KEYS_TABLE.

    Raises:
        SettingsError: if neither names it.
    """

    def __init__(self, dynamodb: DynamoDb, table: str | None = None) -> None:
        self._dynamodb = dynamodb
        self._table = table or required("API_KEYS_TABLE")

    def revoke(  # noqa: PLR0913 -- the members of a tombstone
        self,
        key_id: str,
        *,
        application_id: str,
        caller: "Caller",
        reason: str | None = None,
        via: str = "api",
        call: str | None = None,
    ) -> bool:
        """Revoke a key in one conditional call.

        A key that is revoked already stays as it is. Only `via="api"` fills in a reason where there is none: the one
        write that is allowed on a revoked item.

        Args:
            key_id: canonical lower-case UUID of the key.
            application_id: canonical lower-case UUID of the application the key must belong to.
            caller: on whose behalf; becomes `revokedBy`, `revokedFrom` and `revokedTokenId`.
            reason: becomes `revokedReason`.
            via: the way on which it is revoked; becomes `revokedVia`.
            call: id of a call that revokes many and counts them; becomes `revokedIn`.

        Returns:
            Whether this call has written. If the answer to the write came late, only a `call` knows its own.

        Raises:
            NotFound: if there is no such key in this application.
            Forbidden: if the application's key belongs to another owner.
            ServiceUnavailable: if DynamoDB does not answer in time.
        """
        tombstone = _tombstone(caller.subject, via, caller.source, caller.token_id)
        if reason:
            tombstone["revokedReason"] = reason
        if call:
            tombstone["revokedIn"] = call
        may_write = f"({UNREVOKED} OR {WITHOUT_REASON})" if reason and via == "api" else UNREVOKED
        condition = f"applicationId = :application AND {may_write}"
        values = {":application": application_id} | {f":{name}": value for name, value in tombstone.items()}
        if not caller.is_admin:
            condition += " AND ownerId = :owner"
            values[":owner"] = caller.owner
        try:
            self._dynamodb.call(
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": strings({"keyId": key_id}),
                    "UpdateExpression": "SET "
                    + ", ".join(f"{name} = if_not_exists({name}, :{name})" for name in tombstone),
                    "ConditionExpression": condition,
                    "ExpressionAttributeValues": strings(values),
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                },
            )
        except ConditionFailed as failure:
            stored = _authorized(failure.item, application_id, caller)
            if "revokedAt" not in stored:
                raise RuntimeError("the condition failed on an active key of this caller") from failure
            return call is not None and stored.get("revokedIn") == {"S": call}
        return True

    def revoke_presented(  # noqa: PLR0913 -- the members of a tombstone
        self,
        key: "ApiKey",
        *,
        by: str,
        via: str,
        reason: str,
        source: str,
        token_id: str = "",
        leaked_in: str = "",
    ) -> Presented:
        """Revoke the key that somebody holds the string of, in one conditional call; its secret is the condition.

        A key that is revoked already stays as it is.

        Args:
            key: as its string spells it.
            by: becomes `revokedBy`.
            via: becomes `revokedVia`.
            reason: becomes `revokedReason`.
            source: the address that the request came from; becomes `revokedFrom`.
            token_id: of the caller's token, if there was one; becomes `revokedTokenId`.
            leaked_in: where it was found; becomes `leakedIn`.

        Raises:
            ServiceUnavailable: if DynamoDB does not answer in time.
        """
        tombstone = _tombstone(by, via, source, token_id) | {"revokedReason": reason}
        if leaked_in:
            tombstone["leakedIn"] = leaked_in
        try:
            self._dynamodb.call(
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": strings({"keyId": key.key_id}),
                    "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in tombstone),
                    "ConditionExpression": f"#hash = :hash AND {UNREVOKED}",
                    "ExpressionAttributeNames": {"#hash": "hash"},
                    "ExpressionAttributeValues": strings(
                        {f":{name}": value for name, value in tombstone.items()}
                    )
                    | {":hash": {"B": base64.b64encode(key.hash).decode()}},
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                },
            )
        except ConditionFailed as failure:
            if not failure.item or not key.matches(_hash(failure.item)):
                return Presented.UNKNOWN
            if "revokedAt" not in failure.item:
                raise RuntimeError("the condition failed on an active key of this secret") from failure
            return Presented.REVOKED_BEFORE
        return Presented.REVOKED

    def find_presented(self, key_id: str) -> tuple[KeyRecord, bytes] | None:
        """Return what a check needs of a key, and the hash of its secret: one strongly consistent read.

        Args:
            key_id: canonical lower-case UUID of the key.

        Returns:
            None if there is no such key. What a check does not need is left empty.
        """
        found = self._dynamodb.call(
            "GetItem",
            {
                "TableName": self._table,
                "Key": strings({"keyId": key_id}),
                "ConsistentRead": True,
                "ProjectionExpression": NEEDED_BY_A_CHECK,
                "ExpressionAttributeNames": {"#hash": "hash"},
            },
        ).get("Item")
        return (KeyRecord.from_item(found), _hash(found)) if found else None

    def read(self, key_id: str, *, application_id: str, caller: "Caller") -> KeyRecord:
        """Return a key, revoked or not.

        Raises:
            NotFound: if there is no such key in this application.
            Forbidden: if the application's key belongs to another owner.
        """
        found = self._dynamodb.call(
            "GetItem",
            {"TableName": self._table, "Key": strings({"keyId": key_id}), "ConsistentRead": True},
        ).get("Item")
        return KeyRecord.from_item(_authorized(found, application_id, caller))

    def add(self, record: KeyRecord, key: "ApiKey") -> None:
        """Store a new key; of its secret, only the hash.

        Args:
            record: what is known of it.
            key: its string.
        """
        try:
            self._dynamodb.call(
                "PutItem",
                {
                    "TableName": self._table,
                    "Item": record.item(key),
                    "ConditionExpression": "attribute_not_exists(keyId)",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                },
            )
        except ConditionFailed as failure:
            # With our hash: the write was applied, its answer came late, and the client has repeated it.
            if not failure.item or not key.matches(_hash(failure.item)):
                raise

    def replace(self, old: KeyRecord, new: KeyRecord, *, old_until: str, caller: "Caller") -> bool:
        """End a key whose successor is stored, in one conditional call; return whether this is its successor now.

        Args:
            old: as it was read.
            new: its successor.
            old_until: until when the old key is good. If that is no later than now, it is revoked.
            caller: on whose behalf.

        Returns:
            False if the old key was revoked, or replaced by another, in the meantime; then nothing is changed.

        Raises:
            ServiceUnavailable: if DynamoDB does not answer in time. The old key may have been ended.
        """
        changes = {"replacedBy": new.key_id}
        if old_until <= new.created_at:
            changes |= _tombstone(caller.subject, "rotate", caller.source, caller.token_id, at=new.created_at)
            changes["revokedReason"] = "rotated"
        else:
            changes |= {
                "expiresAt": old_until,
                "rotatedAt": new.created_at,
                "rotatedBy": caller.subject,
                "rotatedFrom": caller.source,
                "rotatedTokenId": caller.token_id,
            }
        try:
            self._dynamodb.call(
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": strings({"keyId": old.key_id}),
                    "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in changes),
                    "ConditionExpression": (
                        f"applicationId = :application AND {UNREVOKED} AND attribute_not_exists(replacedBy)"
                    ),
                    "ExpressionAttributeValues": strings(
                        {":application": old.application_id}
                        | {f":{name}": value for name, value in changes.items()}
                    ),
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                },
            )
        except ConditionFailed as failure:
            # By ours: the write was applied, its answer came late, and the client has repeated it.
            return (failure.item or {}).get("replacedBy") == {"S": new.key_id}
        return True

    def find(self, ids: list[str], *, application_id: str) -> dict[str, KeyRecord]:
        """Return those of these keys that exist and are this application's, by id; revoked or not.

        Args:
            ids: canonical lower-case UUIDs, MOST_IN_A_BATCH at most.
            application_id: whose they must be.

        Raises:
            ServiceUnavailable: if DynamoDB does not answer in time.
        """
        items = self._dynamodb.batch_get(self._table, [strings({"keyId": id_}) for id_ in ids])
        found = [KeyRecord.from_item(item) for item in items]
        return {record.key_id: record for record in found if record.application_id == application_id}


def _tombstone(by: str, via: str, source: str, token_id: str, at: str | None = None) -> dict[str, str]:
    """Return what every revoked key has. What is not known is empty, and there: no fill of a reason may add it."""
    return {
        "revokedAt": at or timestamp(),
        "revokedBy": by,
        "revokedVia": via,
        "revokedFrom": source,
        "revokedTokenId": token_id,
    }


def _hash(stored: Item) -> bytes:
    return base64.b64decode(stored["hash"]["B"])


def _authorized(stored: Item | None, application_id: str, caller: "Caller") -> Item:
    """Return the item if the caller may know and touch it. Application first: the 404s must not differ."""
    if stored is None or stored["applicationId"]["S"] != application_id:
        raise NotFound("no such key in this application")
    if not caller.may_act_for(stored["ownerId"]["S"]):
        raise Forbidden("key of another owner")
    return stored
