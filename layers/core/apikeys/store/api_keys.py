"""The table of keys."""

import base64
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from apikeys.dynamodb import ConditionFailed, DynamoDb, DynamoDbError
from apikeys.errors import Conflict, Forbidden, NotFound, ServiceUnavailable
from apikeys.records import Item, KeyRecord, strings, timestamp
from apikeys.settings import required

if TYPE_CHECKING:
    from apikeys.caller import Caller
    from apikeys.keys import ApiKey

type Position = tuple[str, str]

BATCH = 100  # keys that one BatchGetItem may ask for
NEEDED_BY_A_CHECK = "keyId, applicationId, ownerId, scopes, #hash, createdAt, expiresAt, revokedAt"
UNREVOKED = "attribute_not_exists(revokedAt)"


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

    def revoke(
        self, key_id: str, *, application_id: str, caller: "Caller", reason: str | None = None
    ) -> None:
        """Revoke a key in one conditional call; a key that is revoked already stays as it is.

        Args:
            key_id: canonical lower-case UUID of the key.
            application_id: canonical lower-case UUID of the application the key must belong to.
            caller: on whose behalf; becomes `revokedBy`.
            reason: becomes `revokedReason`.

        Raises:
            NotFound: if there is no such key in this application.
            Forbidden: if the application's key belongs to another owner.
            ServiceUnavailable: if DynamoDB does not answer in time.
        """
        update = "SET revokedAt = :now, revokedBy = :subject"
        condition = f"applicationId = :application AND {UNREVOKED}"
        values = {":application": application_id, ":now": timestamp(), ":subject": caller.subject}
        if reason:
            update += ", revokedReason = :reason"
            values[":reason"] = reason
        if not caller.is_admin:
            condition += " AND ownerId = :owner"
            values[":owner"] = caller.owner
        try:
            self._dynamodb.call(
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": strings({"keyId": key_id}),
                    "UpdateExpression": update,
                    "ConditionExpression": condition,
                    "ExpressionAttributeValues": strings(values),
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                },
            )
        except ConditionFailed as failure:
            if "revokedAt" not in _authorized(failure.item, application_id, caller):
                raise RuntimeError("the condition failed on an active key of this caller") from failure

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

    def replace(self, old: KeyRecord, new: KeyRecord, key: "ApiKey", *, old_until: str, by: str) -> None:
        """Store a new key and end the old one, both or neither.

        Args:
            old: as it was read; the transaction fails if it has been revoked or replaced since.
            new: what is known of the new key.
            key: its string.
            old_until: until when the old key is good. If that is no later than now, it is revoked.
            by: subject on whose behalf.

        Raises:
            Conflict: if the old key was revoked, replaced or given another expiry in the meantime.
        """
        values = {":new": new.key_id}
        if old_until <= new.created_at:
            update = "SET revokedAt = :now, revokedBy = :subject, revokedReason = :reason, replacedBy = :new"
            values |= {":now": new.created_at, ":subject": by, ":reason": "rotated"}
        else:
            update = "SET expiresAt = :until, replacedBy = :new"
            values |= {":until": old_until}
        condition = f"attribute_exists(keyId) AND {UNREVOKED} AND attribute_not_exists(replacedBy)"
        end_the_old = {
            "TableName": self._table,
            "Key": strings({"keyId": old.key_id}),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": strings(values),
        }
        store_the_new = {
            "TableName": self._table,
            "Item": new.item(key),
            "ConditionExpression": "attribute_not_exists(keyId)",
        }
        try:
            self._dynamodb.call(
                "TransactWriteItems",
                {
                    "TransactItems": [{"Update": end_the_old}, {"Put": store_the_new}],
                    "ClientRequestToken": new.key_id,
                },
            )
        except DynamoDbError as failure:
            codes = [reason.get("Code") for reason in failure.said.get("CancellationReasons", [])]
            if codes and codes[0] == "ConditionalCheckFailed":
                raise Conflict("revoked or rotated in the meantime") from None
            if codes and set(codes) <= {
                "None",
                "TransactionConflict",
                "ThrottlingError",
                "ProvisionedThroughputExceeded",
            }:
                raise ServiceUnavailable("another transaction has hold of the key") from None
            raise

    def list_of(
        self, application_id: str, *, limit: int, after: Position | None, statuses: Collection[str]
    ) -> tuple[list[KeyRecord], Position | None]:
        """Return an application's keys, newest first.

        The index only tells which keys there are. What is shown is read from the table, strongly consistent,
        so that a revoked key is never shown as active.

        Args:
            application_id: whose keys.
            limit: of keys returned.
            after: position to go on from; None to begin.
            statuses: which keys to return.

        Returns:
            The keys, and the position to go on from, None at the end.
        """
        found: list[KeyRecord] = []
        while True:
            ids, after = self._key_ids(application_id, limit=min(limit + 1, BATCH), after=after)
            now = timestamp()
            found += [record for record in self._key_records(ids) if record.status(now) in statuses]
            if len(found) > limit:
                last = found[limit - 1]
                return found[:limit], (last.created_at, last.key_id)
            if after is None:
                return found, None

    def _key_ids(
        self, application_id: str, *, limit: int, after: Position | None
    ) -> tuple[list[str], Position | None]:
        page = self._dynamodb.call(
            "Query",
            {
                "TableName": self._table,
                "IndexName": "byApplication",
                "KeyConditionExpression": "applicationId = :application",
                "ExpressionAttributeValues": strings({":application": application_id}),
                "ScanIndexForward": False,
                "Limit": limit,
                **_start({"applicationId": application_id}, "keyId", after),
            },
        )
        return [item["keyId"]["S"] for item in page["Items"]], _position(page, "keyId")

    def _key_records(self, ids: list[str]) -> list[KeyRecord]:
        items: dict[str, Item] = {}
        wanted: Any = {self._table: {"Keys": [strings({"keyId": i}) for i in ids], "ConsistentRead": True}}
        while ids and wanted:
            answer = self._dynamodb.call("BatchGetItem", {"RequestItems": wanted})
            items |= {item["keyId"]["S"]: item for item in answer["Responses"].get(self._table, [])}
            wanted = answer["UnprocessedKeys"]
        return [KeyRecord.from_item(items[key_id]) for key_id in ids if key_id in items]


def _hash(stored: Item) -> bytes:
    return base64.b64decode(stored["hash"]["B"])


def _authorized(stored: Item | None, application_id: str, caller: "Caller") -> Item:
    """Return the item if the caller may know and touch it. Application first: the 404s must not differ."""
    if stored is None or stored["applicationId"]["S"] != application_id:
        raise NotFound("no such key in this application")
    if not caller.may_act_for(stored["ownerId"]["S"]):
        raise Forbidden("key of another owner")
    return stored


def _start(partition: dict[str, str], id_name: str, after: Position | None) -> dict[str, Any]:
    if after is None:
        return {}
    return {"ExclusiveStartKey": strings(partition | {"createdAt": after[0], id_name: after[1]})}


def _position(page: Any, id_name: str) -> Position | None:
    last = page.get("LastEvaluatedKey")
    return (last["createdAt"]["S"], last[id_name]["S"]) if last else None
