"""The running stack, and how a test speaks to it."""

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from apikeys.keys import ApiKey
from apikeys.records import KeyRecord, timestamp
from apikeys.store.api_keys import ApiKeys
from local.issuer import SCOPES, LocalIssuer
from tests.e2e.sam import Api

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

TIMEOUT = 60  # seconds, for a cold start on a busy machine


@dataclass
class Stack:
    """SAM's containers behind SAM's API Gateway, twice, on one DynamoDB Local.

    Attributes:
        issuer: whose tokens are accepted.
        dynamodb: client of DynamoDB Local.
        keys: their table, to put keys there without a request.
        apis: two `sam local start-api`, each with its own containers.
        sample_variables: file of the environment under which the tokens of events/ are good.
        secrets: every token and key string that was made; none may be in a log.
    """

    issuer: LocalIssuer
    dynamodb: "DynamoDBClient"
    keys: ApiKeys
    apis: list[Api]
    sample_variables: Path
    secrets: set[str] = field(default_factory=set)

    def token(self, subject: str = "alice", scope: str | None = SCOPES, **changes: Any) -> str:
        """Mint a token, with claims changed or (None) left out."""
        token = self.issuer.token(subject, scope, changes=changes)
        self.secrets.add(token)
        return token

    def put_key(self, owner: str = "alice", application_id: str | None = None) -> KeyRecord:
        """Store an active key."""
        key = ApiKey.generate()
        self.secrets.add(key.reveal())
        application_id = application_id or str(uuid.uuid4())
        record = KeyRecord(key.key_id, application_id, owner, "test", key.start, (), timestamp(), owner)
        self.keys.add(record, key)
        return record

    def stored(self, key_id: str) -> dict[str, Any] | None:
        """Return the item of a key as it is stored, or None."""
        key = {"keyId": {"S": key_id}}
        return self.dynamodb.get_item(TableName="ApiKeysTable", Key=key, ConsistentRead=True).get("Item")

    def key_path(self, application_id: str, key_id: str) -> str:
        """Return the path of a key."""
        return f"/api/v1/applications/{application_id}/api-keys/{key_id}"

    def send(
        self, method: str, path: str, bearer: str | None = None, *, api: int = 0, **options: Any
    ) -> requests.Response:
        """Send a request.

        Args:
            method: of HTTP.
            path: from the root of the API.
            bearer: token or key to authorize it with.
            api: which of the two gateways to send it to.
            options: of requests.request.
        """
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        url = self.apis[api].url + path
        return requests.request(method, url, headers=headers, timeout=TIMEOUT, **options)

    def get(self, url: str, headers: dict[str, str]) -> requests.Response:
        """Send a GET with exactly these headers."""
        return requests.get(url, headers=headers, timeout=TIMEOUT)

    def revoke(
        self, application_id: str, key_id: str, token: str | None, *, api: int = 0
    ) -> requests.Response:
        """Send the documented DELETE."""
        return self.send("DELETE", self.key_path(application_id, key_id), token, api=api)
