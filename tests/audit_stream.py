"""The stream of the table of keys, as a test reads it: what Lambda would hand to the function of audit events."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import jsonschema
from referencing import Registry

from local.template import ROOT
from tests.deployment import Deployment
from tools.resend import as_json

TABLE = "ApiKeysTable"
SCHEMAS = {path.name.split(".")[0]: json.loads(path.read_text()) for path in (ROOT / "schemas").iterdir()}


class AuditStream:
    """Of a deployment, from now on.

    Args:
        deployment: whose table gets a stream, as the template has it.
    """

    def __init__(self, deployment: Deployment) -> None:
        table = deployment.template.resources("AWS::DynamoDB::Table")[TABLE]
        specification: Any = {"StreamEnabled": True} | table["StreamSpecification"]
        described = deployment.dynamodb.describe_table(TableName=TABLE)["Table"]
        if "LatestStreamArn" not in described:
            deployment.dynamodb.update_table(TableName=TABLE, StreamSpecification=specification)
            described = deployment.dynamodb.describe_table(TableName=TABLE)["Table"]
        self.arn = described["LatestStreamArn"]
        self.client: Any = boto3.client(
            "dynamodbstreams", endpoint_url=deployment.dynamodb.meta.endpoint_url, region_name="eu-central-1"
        )
        [shard] = self.client.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"]
        self.shard = shard["ShardId"]
        self._next = self.client.get_shard_iterator(
            StreamArn=self.arn, ShardId=self.shard, ShardIteratorType="LATEST"
        )["ShardIterator"]

    def records(self) -> list[dict[str, Any]]:
        """Return what is new, as JSON."""
        page = self.client.get_records(ShardIterator=self._next)
        self._next = page["NextShardIterator"]
        return [as_json(record) for record in page["Records"]]


class Bus:
    """Stands in for EventBridge: takes what is put, unless it is to refuse.

    Attributes:
        entries: what was put, each held against its schema.
        refuses: types that it answers with an error.
    """

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.refuses: set[str] = set()

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 -- boto3's
        assert 0 < len(Entries) <= 10
        results = []
        for entry in Entries:
            hold_against_its_schema(entry["DetailType"], json.loads(entry["Detail"]))
            if entry["DetailType"] in self.refuses:
                results.append({"ErrorCode": "InternalFailure", "ErrorMessage": "x"})
            else:
                self.entries.append(entry)
                results.append({"EventId": "x"})
        return {"Entries": results}

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield type and detail of what was put."""
        for entry in self.entries:
            yield entry["DetailType"], json.loads(entry["Detail"])


def hold_against_its_schema(kind: str, detail: dict[str, Any]) -> None:
    """Hold an event against the schema of its type, and have nothing in it that is not described there."""
    schema = SCHEMAS[kind]
    jsonschema.Draft202012Validator(schema, registry=Registry()).validate(detail)
    assert detail.keys() == schema["properties"].keys()
