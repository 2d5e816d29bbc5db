"""The table of applications."""

from typing import TYPE_CHECKING

from apikeys.dynamodb import ConditionFailed, DynamoDb
from apikeys.errors import Forbidden, NotFound
from apikeys.records import Application, strings
from apikeys.settings import required

if TYPE_CHECKING:
    from apikeys.caller import Caller


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

    def find(self, ids: list[str], *, owner: str) -> dict[str, Application]:
        """Return those of these applications that exist and are this owner's, by id.

        Args:
            ids: canonical lower-case UUIDs, MOST_IN_A_BATCH at most.
            owner: whose they must be.

        Raises:
            ServiceUnavailable: if DynamoDB does not answer in time.
        """
        items = self._dynamodb.batch_get(self._table, [strings({"id": id_}) for id_ in ids])
        found = [Application.from_item(item) for item in items]
        return {application.id: application for application in found if application.owner_id == owner}
