"""Make tables that were restored to a point in time fit to be adopted by the stack, before it adopts them.

A restored table is as old as its point in time: KEYS REVOKED SINCE ARE ACTIVE IN IT. Here every key that lost access
since loses it there too: by the audit events (--events), by another table (--tombstones) and, where it survives, by the
table in use. What AWS does not restore is set again: the stream, point-in-time recovery, deletion protection. It may be
stopped and run again. It ends with "0 left" and the parameters with which the stack adopts the tables, or says what is
in the way.

With --close nobody can write to the tables in use and to the restored ones, until this is run again without it: no
revoke is answered 200 by one table while checks still read the other.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from local.template import Template
from tools.endings import Endings, apply, issued, of_table, scan, together
from tools.restore import TABLES, Pair, add_sources, copy, known_by

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

# By what a table is of: its logical id in the template, and the parameter that names one to adopt.
IN_TEMPLATE = {
    "listings": ("ListingsTable", "ListingsTableName"),
    "applications": ("ApplicationsTable", "ApplicationsTableName"),
    "keys": ("ApiKeysTable", "ApiKeysTableName"),
}
STREAM = "ApiKeysStreamLabel"
WRITES = (
    "BatchWriteItem",
    "DeleteItem",
    "PartiQLDelete",
    "PartiQLInsert",
    "PartiQLUpdate",
    "PutItem",
    "UpdateItem",
)
# Seconds after which a policy of a table holds everywhere: it is eventually consistent.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutResourcePolicy.html
SETTLED = 60


class Unfit(Exception):
    """Raised if a table cannot be adopted as it is. Its text says why, a line each."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A table to be adopted.

    Args:
        of: what it is of, such as `keys`.
        table: its name.
        in_use: name of the stack's table that it is to replace; None if that is gone.
    """

    of: str
    table: str
    in_use: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Args:
        ended: how many keys lost access by this.
        left: how much is still to do.
        unknown: keys that are not in the restored table, so that they are refused; by id, the application.
        parameters: with which the stack adopts the tables.
    """

    ended: int
    left: int
    unknown: Mapping[str, str]
    parameters: Mapping[str, str]


def adopt(  # noqa: PLR0913 -- what there is to say about a restore
    dynamodb: "DynamoDBClient",
    candidates: Sequence[Candidate],
    endings: Endings,
    *,
    issued_since: Mapping[str, str],
    carry_over: bool = False,
    close: bool = False,
    kms_key: str | None = None,
) -> Outcome:
    """Make tables fit to be adopted.

    Args:
        dynamodb: client of the account.
        candidates: the tables, that of keys last.
        endings: by key id, how each key lost access that did since the point in time, as far as that is known.
        issued_since: by key id, the application of each key that was issued since, as far as that is known.
        carry_over: whether to copy what only the tables in use have, such as keys issued since.
        close: whether nobody may write to any of them from now on.
        kms_key: ARN of the key that they must be encrypted with; None for that of the tables in use.

    Raises:
        Unfit: if one of them has another shape than the template's.
    """
    faults = [fault for one in candidates for fault in _faults(dynamodb, one, kms_key)]
    if faults:
        raise Unfit("\n".join(faults))
    for one in candidates:
        _open(dynamodb, one.table)
    if close and [one for one in candidates if one.in_use and _close(dynamodb, one.in_use)]:
        time.sleep(SETTLED)
    done, left, unknown = 0, 0, dict(issued_since)
    for one in candidates:
        if one.of == "keys" and one.in_use:
            endings = together(of_table(scan(dynamodb, one.in_use)), endings)
            unknown |= {item["keyId"]["S"]: item["applicationId"]["S"] for item in scan(dynamodb, one.in_use)}
        if one.in_use and carry_over:
            left += copy(dynamodb, Pair(one.table, one.in_use, TABLES[one.of]), endings)
        if one.of == "keys":
            done, active = apply(dynamodb, one.table, endings)
            left += active
            here = {item["keyId"]["S"] for item in scan(dynamodb, one.table)}
            unknown = {key_id: of for key_id, of in unknown.items() if key_id not in here}
        # Last, so that the stream does not tell once more what is only told to this table.
        left += _set_again(dynamodb, one)
    for one in candidates:
        if close:
            _close(dynamodb, one.table)
    return Outcome(done, left, unknown, _parameters(dynamodb, candidates))


def _faults(dynamodb: "DynamoDBClient", one: Candidate, kms_key: str | None) -> Iterator[str]:
    logical_id, _ = IN_TEMPLATE[one.of]
    wanted = Template({}).resources("AWS::DynamoDB::Table")[logical_id]
    table = _described(dynamodb, one.table)
    if table["TableStatus"] != "ACTIVE":
        yield f"{one.table} is {table['TableStatus']}"
    for name in ("KeySchema", "AttributeDefinitions"):
        if _in_order(table[name]) != _in_order(wanted[name]):
            yield f"{one.table} has another {name} than {logical_id}: {table[name]}"
    if table.get("GlobalSecondaryIndexes") or table.get("LocalSecondaryIndexes"):
        yield f"{one.table} has indexes"
    if table.get("BillingModeSummary", {}).get("BillingMode") != wanted["BillingMode"]:
        yield f"{one.table} is not {wanted['BillingMode']}"
    encryption = table.get("SSEDescription", {})
    expected = kms_key or (_kms_key(dynamodb, one.in_use) if one.in_use else None)
    if encryption.get("SSEType") != wanted["SSESpecification"]["SSEType"]:
        yield f"{one.table} is not encrypted with a key of KMS"
    elif expected and encryption.get("KMSMasterKeyArn") != expected:
        yield f"{one.table} is encrypted with {encryption.get('KMSMasterKeyArn')}, not with {expected}"
    expiry = dynamodb.describe_time_to_live(TableName=one.table)["TimeToLiveDescription"]
    if expiry["TimeToLiveStatus"] != "DISABLED":
        yield f"{one.table} has a time to live, which deletes keys and tombstones"


def _described(dynamodb: "DynamoDBClient", table: str) -> dict[str, Any]:
    found: Any = dynamodb.describe_table(TableName=table)
    described: dict[str, Any] = found["Table"]
    return described


def _in_order(elements: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(elements, key=lambda element: element["AttributeName"])


def _kms_key(dynamodb: "DynamoDBClient", table: str) -> str | None:
    encryption: dict[str, str] = _described(dynamodb, table).get("SSEDescription", {})
    return encryption.get("KMSMasterKeyArn")


def _set_again(dynamodb: "DynamoDBClient", one: Candidate) -> int:
    """Set what AWS does not restore; return how much of it is not as it should be.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
    """
    logical_id, _ = IN_TEMPLATE[one.of]
    stream = Template({}).resources("AWS::DynamoDB::Table")[logical_id].get("StreamSpecification")
    wanted: dict[str, Any] = {"DeletionProtectionEnabled": True}
    if stream:
        wanted["StreamSpecification"] = {"StreamEnabled": True} | stream
    for name, value in wanted.items():
        if _described(dynamodb, one.table).get(name) != value:
            dynamodb.update_table(TableName=one.table, **{name: value})
            dynamodb.get_waiter("table_exists").wait(TableName=one.table, WaiterConfig={"Delay": 5})
    recovery: Any = {"PointInTimeRecoveryEnabled": True}
    if not _is_recoverable(dynamodb, one.table):
        dynamodb.update_continuous_backups(TableName=one.table, PointInTimeRecoverySpecification=recovery)
    described = _described(dynamodb, one.table)
    is_set = [described.get(name) == value for name, value in wanted.items()]
    return [*is_set, _is_recoverable(dynamodb, one.table)].count(False)


def _is_recoverable(dynamodb: "DynamoDBClient", table: str) -> bool:
    found = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    return found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED"


def _parameters(dynamodb: "DynamoDBClient", candidates: Sequence[Candidate]) -> dict[str, str]:
    found = {IN_TEMPLATE[one.of][1]: one.table for one in candidates}
    for one in candidates:
        if one.of == "keys":
            found[STREAM] = _described(dynamodb, one.table).get("LatestStreamLabel", "")
    return found


def _close(dynamodb: "DynamoDBClient", table: str) -> bool:
    """Let nobody write to a table; return whether it was open.

    Raises:
        Unfit: if it has a policy of somebody else's.
    """
    arn = _described(dynamodb, table)["TableArn"]
    found, closed = _policy(dynamodb, arn), _closed(arn)
    if found == closed:
        return False
    if found:
        raise Unfit(f"{table} has a resource policy, in which --close has no place: {json.dumps(found)}")
    dynamodb.put_resource_policy(ResourceArn=arn, Policy=json.dumps(closed), ExpectedRevisionId="NO_POLICY")
    return True


def _open(dynamodb: "DynamoDBClient", table: str) -> None:
    arn = _described(dynamodb, table)["TableArn"]
    if _policy(dynamodb, arn) == _closed(arn):
        dynamodb.delete_resource_policy(ResourceArn=arn)


def _closed(arn: str) -> dict[str, Any]:
    statement = {
        "Sid": "ClosedForAdoption",
        "Effect": "Deny",
        "Principal": "*",
        "Action": [f"dynamodb:{action}" for action in WRITES],
        "Resource": arn,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _policy(dynamodb: "DynamoDBClient", arn: str) -> dict[str, Any] | None:
    try:
        policy: dict[str, Any] = json.loads(dynamodb.get_resource_policy(ResourceArn=arn)["Policy"])
    except dynamodb.exceptions.PolicyNotFoundException:
        return None
    return policy


def _given(parser: argparse.ArgumentParser) -> tuple[argparse.Namespace, list[Candidate]]:
    for name in TABLES:
        parser.add_argument(
            f"--{name}",
            nargs="+",
            metavar=("RESTORED", "IN_USE"),
            help="the restored table and, where it survives, the one that it is to replace",
        )
    add_sources(parser)
    parser.add_argument("--carry-over", action="store_true", help="copy what only the tables in use have")
    parser.add_argument("--close", action="store_true", help="let nobody write to any of them from now on")
    parser.add_argument("--kms-key", metavar="ARN", help="that they must be encrypted with")
    args = parser.parse_args()
    given = {name: getattr(args, name) for name in TABLES if getattr(args, name)}
    if not given or max(map(len, given.values())) > 2:  # noqa: PLR2004 -- restored, and in use
        parser.error("name one restored table of a kind, and the one in use")
    candidates = [Candidate(name, *names) for name, names in given.items()]
    is_in_use = any(one.in_use for one in candidates if one.of == "keys")
    if "keys" in given and args.events is None and not args.tombstones and not is_in_use:
        parser.error("without the table in use, --events or --tombstones, keys revoked since would be active")
    return args, candidates


def main() -> None:
    """Make them fit, and exit with 1 while something is left."""
    args, candidates = _given(argparse.ArgumentParser(prog="python -m tools.adopt", description=__doc__))
    dynamodb = boto3.client("dynamodb")
    try:
        outcome = adopt(
            dynamodb,
            candidates,
            known_by(dynamodb, args.events or (), args.tombstones),
            issued_since=issued(args.events or ()),
            carry_over=args.carry_over,
            close=args.close,
            kms_key=args.kms_key,
        )
    except Unfit as error:
        sys.exit(str(error))
    for key_id, application_id in sorted(outcome.unknown.items()):
        print(f"not here, so refused: key {key_id} of application {application_id}")
    print(f"{outcome.ended} ended, {outcome.left} left")
    if outcome.left:
        sys.exit(1)
    print(
        "sam deploy --parameter-overrides", *[f"{name}={value}" for name, value in outcome.parameters.items()]
    )


if __name__ == "__main__":
    main()
