"""The demo data of `make run`: two applications of two owners, three keys each."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from apikeys.keys import ApiKey

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

OWNER, OTHER = "alice", "bob"
# The documentation's own example id, so that its curl works as it stands: application and first key alike.
DOCUMENTED_ID = "123e4567-e89b-12d3-a456-426614174000"
APPLICATIONS = [
    (DOCUMENTED_ID, OWNER, "Weather widget"),
    ("7d444840-9dc0-11d1-b245-5ffdce74fad2", OTHER, "Shipping bot"),
]
KEYS = ["production", "staging", "ci"]


def seed(client: "DynamoDBClient") -> list[dict[str, Any]]:
    """Store the demo data.

    Args:
        client: of a DynamoDB that has the tables of template.yaml.

    Returns:
        What `.local/stack.json` says of the applications, key strings included.
    """
    return [_seed_application(client, *application) for application in APPLICATIONS]


def _seed_application(client: "DynamoDBClient", application_id: str, owner: str, name: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    application = {"id": application_id, "ownerId": owner, "name": name, "createdAt": now}
    client.put_item(TableName="ApplicationsTable", Item={k: {"S": v} for k, v in application.items()})
    shown: list[dict[str, str]] = []
    for key_name in KEYS:
        first = application_id == DOCUMENTED_ID and not shown
        key = ApiKey.generate(key_id=DOCUMENTED_ID if first else None)
        item = {
            "keyId": key.key_id,
            "applicationId": application_id,
            "ownerId": owner,
            "name": key_name,
            "start": key.start,
            "createdAt": now,
            "createdBy": owner,
        }
        stored = {k: {"S": v} for k, v in item.items()}
        client.put_item(TableName="ApiKeysTable", Item=stored | {"hash": {"B": key.hash}})
        shown.append({"id": key.key_id, "name": key_name, "key": key.reveal()})
    return {"id": application_id, "owner": owner, "api_keys": shown}
