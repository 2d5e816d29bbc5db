"""Tables as they were at a point in time, beside those of a deployment: what AWS restores."""

import uuid
from typing import Any

from tests.deployment import Deployment
from tools.adopt import IN_TEMPLATE
from tools.restore import TABLES

KEYS = {logical_id: TABLES[of] for of, (logical_id, _) in IN_TEMPLATE.items()}
# What AWS restores beside the items; stream, recovery and protection it does not.
RESTORED = ("AttributeDefinitions", "KeySchema", "BillingMode")
ENCRYPTED: Any = {"Enabled": True, "SSEType": "KMS"}


def snapshot(deployment: Deployment, application_id: str) -> dict[str, str]:
    """Make a table beside each of the stack's with what it holds now of an application, and return their names.

    AWS does that by a table's backup (RestoreTableToPointInTime).
    """
    names = {}
    for table, key in KEYS.items():
        names[table] = f"restored-{uuid.uuid4()}"
        properties = deployment.template.resources("AWS::DynamoDB::Table")[table]
        shape: Any = {name: properties[name] for name in RESTORED}
        deployment.dynamodb.create_table(TableName=names[table], SSESpecification=ENCRYPTED, **shape)
        assert [one["AttributeName"] for one in properties["KeySchema"]] == list(key)
        for item in everything(deployment, table):
            if application_id in str(item):
                deployment.dynamodb.put_item(TableName=names[table], Item=item)
    return names


def everything(deployment: Deployment, table: str) -> list[dict[str, Any]]:
    pages = deployment.dynamodb.get_paginator("scan").paginate(TableName=table)
    found: list[dict[str, Any]] = pages.build_full_result()["Items"]
    return found
