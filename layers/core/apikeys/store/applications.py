"""The table of applications."""

from typing import TYPE_CHECKING, Any

from apikeys.dynamodb import ConditionFailed, DynamoDb
from apikeys.errors import Forbidden, NotFound
from apikeys.records import Application, strings
from apikeys.settings import required

if TYPE_CHECKING:
    from apikeys.caller import Caller

type Position = tuple[str, str]


class Applications:
    """The applications that keys are issued for.

    Args:
        dynamodb: where they are.
        table: its name; None for this deployment's, APPLICATIONS_TABLE.

    Raises:
        SettingsError: if neither names it.
    """

    def __init__(self, dynamodb: DynamoDb, table: str | None = None) -> None:
        self._dynamodb = dynamodb
        self._table = table or required("APPLICATIONS_TABLE")

    def add(self, application: Application) -> None:
        """Store a new application."""
        item = strings(application.public())
        try:
            self._dynamodb.call(
                "PutItem",
                {
                    "TableName": self._table,
                    "Item": item,
                    "ConditionExpression": "attribute_not_exists(id)",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                },
            )
        except ConditionFailed as failure:
            # Ours in every member: the write was applied, its answer came late, and the client has repeated it.
            if failure.item != item:
                raise

    def read(self, application_id: str, *, caller: "Caller") -> Application:
        """Return an application.

        Args:
            application_id: canonical lower-case UUID.
            caller: who wants to act on it.

        Raises:
            NotFound: if there is none.
            Forbidden: if it belongs to another owner.
        """
        found = self._dynamodb.call(
            "GetItem",
            {"TableName": self._table, "Key": strings({"id": application_id}), "ConsistentRead": True},
        ).get("Item")
        if not found:
            raise NotFound("no such application")
        if not caller.may_act_for(found["ownerId"]["S"]):
            raise Forbidden("application of another owner")
        return Application.from_item(found)

    def list_of(
        self, owner: str, *, limit: int, after: Position | None
    ) -> tuple[list[Application], Position | None]:
        """Return an owner's applications, newest first, and the position to go on from, None at the end."""
        start: dict[str, Any] = {}
        if after:
            position = {"ownerId": owner, "createdAt": after[0], "id": after[1]}
            start = {"ExclusiveStartKey": strings(position)}
        page = self._dynamodb.call(
            "Query",
            {
                "TableName": self._table,
                "IndexName": "byOwner",
                "KeyConditionExpression": "ownerId = :owner",
                "ExpressionAttributeValues": strings({":owner": owner}),
                "ScanIndexForward": False,
                "Limit": limit + 1,
                **start,
            },
        )
        found = [Application.from_item(item) for item in page["Items"]]
        if len(found) > limit:
            last = found[limit - 1]
            return found[:limit], (last.created_at, last.id)
        return found, None
