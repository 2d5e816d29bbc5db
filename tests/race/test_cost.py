"""What each request costs, in DynamoDB's own capacity units, as DynamoDB Local counts them.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.deployment import Deployment, RecordedDynamoDb

type Cost = list[tuple[str, float]]
KEYS = 25  # listed: a read of this many entries is below 4 KB, of each key half a unit more than none


@pytest.fixture
def costs() -> Iterator[Cost]:
    """Each call that is made, with the units that it consumed."""
    found: Cost = []
    real = RecordedDynamoDb.call

    def call(self: RecordedDynamoDb, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        answer = real(self, operation, request | {"ReturnConsumedCapacity": "TOTAL"})
        consumed = answer["ConsumedCapacity"]
        for one in consumed if isinstance(consumed, list) else [consumed]:
            found.append((operation, one["CapacityUnits"]))
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RecordedDynamoDb, "call", call)
        yield found


def test_a_revoke_is_one_call_and_one_write_unit(deployment: Deployment, costs: Cost) -> None:
    issued = deployment.issue(name="x" * 100, scopes=[f"resource-{n}:read" for n in range(20)])
    costs.clear()
    path = {"id": issued["applicationId"], "keyId": issued["id"]}
    deployment.call("RevokeApiKey", deployment.token(), path=path, query={"reason": "compromised"})
    assert costs == [("UpdateItem", 1.0)]


def test_a_check_is_one_call_and_one_read_unit(deployment: Deployment, costs: Cost) -> None:
    issued = deployment.issue(name="x" * 100, scopes=[f"resource-{n}:read" for n in range(20)])
    costs.clear()
    assert deployment.accepts(issued["key"])
    assert costs == [("GetItem", 1.0)]


def test_an_issue_is_two_writes_of_one_unit(deployment: Deployment, costs: Cost) -> None:
    application_id = deployment.application()
    costs.clear()
    deployment.issue(application_id)
    assert costs == [("GetItem", 1.0), ("PutItem", 1.0), ("PutItem", 1.0)]


def test_a_rotate_is_three_writes_of_one_unit(deployment: Deployment, costs: Cost) -> None:
    issued = deployment.issue()
    costs.clear()
    path = {"id": issued["applicationId"], "keyId": issued["id"]}
    assert deployment.call("RotateApiKey", deployment.token(), path=path).status == 201
    assert costs == [("GetItem", 1.0), ("PutItem", 1.0), ("PutItem", 1.0), ("UpdateItem", 1.0)]


def test_a_list_is_one_query_and_one_batch_read_of_a_unit_a_key(deployment: Deployment, costs: Cost) -> None:
    application_id = deployment.application()
    for _ in range(KEYS):
        deployment.issue(application_id)
    costs.clear()
    answer = deployment.call("ListApiKeys", deployment.token(), path={"id": application_id})
    assert len(answer.body["items"]) == KEYS
    assert costs == [("GetItem", 1.0), ("Query", 1.0), ("BatchGetItem", float(KEYS))]


def test_a_revoke_of_all_is_that_and_one_write_unit_a_key(deployment: Deployment, costs: Cost) -> None:
    application_id = deployment.application()
    for _ in range(KEYS):
        deployment.issue(application_id)
    costs.clear()
    answer = deployment.call("RevokeAllApiKeys", deployment.token(), path={"id": application_id})
    assert answer.body == {"revoked": KEYS}
    assert costs == [
        ("GetItem", 1.0),
        ("Query", 1.0),
        ("BatchGetItem", float(KEYS)),
        *[("UpdateItem", 1.0)] * KEYS,
    ]
