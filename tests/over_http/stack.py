"""A stack that runs somewhere, and how a test speaks to it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import requests

from apikeys.keys import ApiKey
from apikeys.records import KeyRecord, timestamp
from apikeys.store.api_keys import ApiKeys
from local.issuer import SCOPES, LocalIssuer
from tests.documented import CONTRACT, GATEWAYS_OWN

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

TIMEOUT = 60  # seconds, for a cold start on a busy machine
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Api:
    """An address that an API answers at.

    Args:
        url: its base URL.
        headers: that a request needs to get there.
    """

    url: str
    headers: Mapping[str, str] = NOTHING


@dataclass
class Stack:
    """A stack behind a gateway.

    Attributes:
        issuer: whose tokens are accepted.
        dynamodb: client of its DynamoDB.
        keys_table: its name there.
        keys: that table, to put keys there without a request.
        apis: two addresses; what one of them did, the other knows by the table only, or is the very same.
        refusal: what its gateway says, in its own words, where the authorizer refuses.
        secrets: every token and key string that was made; none may be in a log.
    """

    issuer: LocalIssuer
    dynamodb: "DynamoDBClient"
    keys_table: str
    keys: ApiKeys
    apis: Sequence[Api]
    refusal: Mapping[str, str]
    secrets: set[str] = field(default_factory=set, kw_only=True, repr=False)

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
        return self.dynamodb.get_item(TableName=self.keys_table, Key=key, ConsistentRead=True).get("Item")

    def key_path(self, application_id: str, key_id: str) -> str:
        """Return the path of a key."""
        return f"/api/v1/applications/{application_id}/api-keys/{key_id}"

    def send(
        self,
        method: str,
        path: str,
        bearer: str | None = None,
        *,
        api: int = 0,
        headers: Mapping[str, str] = NOTHING,
        **options: Any,
    ) -> requests.Response:
        """Send a request. Whatever is answered is held against the contract.

        Args:
            method: of HTTP.
            path: from the root of the API.
            bearer: token or key to authorize it with.
            api: which of the addresses to send it to.
            headers: to have besides.
            options: of requests.request.
        """
        address = self.apis[api]
        sent = {**address.headers, **headers, **({"Authorization": f"Bearer {bearer}"} if bearer else {})}
        answer = requests.request(method, address.url + path, headers=sent, timeout=TIMEOUT, **options)
        own = {name: value for name, value in answer.headers.items() if name.lower() not in GATEWAYS_OWN}
        CONTRACT.check(method, unquote(urlsplit(path).path), answer.status_code, own, answer.text)
        return answer

    def revoke(
        self, application_id: str, key_id: str, token: str | None, *, api: int = 0
    ) -> requests.Response:
        """Send the documented DELETE."""
        return self.send("DELETE", self.key_path(application_id, key_id), token, api=api)
