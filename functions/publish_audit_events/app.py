"""The stream of the table of keys: whatever happened to a key is put onto the bus of audit events."""

import json
from itertools import batched
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from apikeys import audit, log
from apikeys.settings import required

bus, stack = required("AUDIT_BUS"), required("STACK_NAME")
AT_ONCE = 10  # entries that one PutEvents takes
PATIENCE = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
events = boto3.client("events", config=PATIENCE)

type Entry = tuple[str, dict[str, Any]]  # with the sequence number of its record


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Publish in the order of the stream. Of the first record that cannot be, Lambda is told to begin there again.

    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
    """
    entries: list[Entry] = []
    failed = None
    for record in event["Records"]:
        sequence = record["dynamodb"]["SequenceNumber"]
        try:
            entries += [(sequence, entry(found)) for found in audit.events_of(record, stack=stack)]
        except (KeyError, TypeError, AttributeError) as fault:
            log.fault("no record of a key", fault)
            failed = sequence
            break
    failed = publish(entries) or failed
    log.info("published", records=len(event["Records"]), events=len(entries), failed=failed)
    return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}


def publish(entries: list[Entry]) -> str | None:
    """Put them onto the bus; return the sequence number of the first that is not there."""
    for some in batched(entries, AT_ONCE, strict=False):
        try:
            results = events.put_events(Entries=[made for _, made in some])["Entries"]
        except (BotoCoreError, ClientError) as fault:
            log.fault("the bus does not answer", fault)
            return some[0][0]
        for (sequence, _), result in zip(some, results, strict=True):
            if "ErrorCode" in result:
                log.warning("the bus refused an event", reason=result["ErrorCode"])
                return sequence
    return None


def entry(event: audit.AuditEvent) -> dict[str, Any]:
    """Return it as PutEvents takes it."""
    detail = json.dumps(event.detail)
    return {"EventBusName": bus, "Source": audit.SOURCE, "DetailType": event.type, "Detail": detail}
