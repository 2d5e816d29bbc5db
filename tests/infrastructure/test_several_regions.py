"""examples/several-regions: tables with one truth in several Regions, of the shape that template.yaml's own have."""

import json
from typing import Any

import pytest

from local.template import ROOT, Template

PATH = ROOT / "examples" / "several-regions" / "tables.yaml"
TABLES = Template({}, path=PATH).resources("AWS::DynamoDB::GlobalTable")
OWN = Template({}).resources("AWS::DynamoDB::Table")


def test_it_has_every_table() -> None:
    assert TABLES.keys() == OWN.keys()


@pytest.mark.parametrize("name", OWN)
def test_a_table_is_of_the_shape_of_the_stacks_own(name: str) -> None:
    for member in ("AttributeDefinitions", "KeySchema", "BillingMode", "SSESpecification"):
        assert TABLES[name][member] == OWN[name][member]
    assert "Index" not in json.dumps(TABLES[name])
    assert TABLES["ApiKeysTable"]["StreamSpecification"] == OWN["ApiKeysTable"]["StreamSpecification"]


@pytest.mark.parametrize("name", OWN)
def test_a_check_in_one_region_knows_what_was_revoked_in_another(name: str) -> None:
    """Guarantee: the promise holds across Regions only where a read returns the latest write of any of them."""
    table: dict[str, Any] = TABLES[name]
    assert table["MultiRegionConsistency"] == "STRONG"
    assert len(table["Replicas"]) + len(table["GlobalTableWitnesses"]) == 3
    for replica in table["Replicas"]:
        assert replica["DeletionProtectionEnabled"] is True
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert "TimeToLiveSpecification" not in table, "which such tables do not have"
