"""Print what the archive of audit events has, one event a line, for tools.adopt and tools.restore.

The archive is replayed to a rule and a queue that are made for it and deleted afterwards; nobody else who listens to
the bus gets anything again. What was published in the last ten minutes may not be in the archive yet.
"""

import argparse
import json
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3

SETTLED = 60  # seconds after which a new rule holds, with all that it needs
QUIET = 3  # looks into the queue, one after the other, that find nothing: then it is empty
WAIT = 20  # seconds that one such look takes


class NoArchive(Exception):
    """Raised if the bus has no archive, or its replay failed."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """A rule of the bus, and the queue that it fills.

    Args:
        name: of the replay, of the rule and of the queue.
        rule: ARN of it.
        queue: URL of it.
    """

    name: str
    rule: str
    queue: str


def replayed(bridge: Any, sqs: Any, bus: str, since: datetime, until: datetime) -> Iterator[str]:
    """Yield the events that were put onto a bus between two times, as JSON, in any order.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html

    Args:
        bridge: client of EventBridge.
        sqs: client of SQS.
        bus: name of it, the stack's output AuditBusName.
        since: the time.
        until: the time.

    Raises:
        NoArchive: if the bus has none, or its replay failed.
    """
    bus_arn = bridge.describe_event_bus(Name=bus)["Arn"]
    archives = bridge.list_archives(EventSourceArn=bus_arn)["Archives"]
    if not archives:
        raise NoArchive(f"{bus} has no archive")
    with _inbox(bridge, sqs, bus) as inbox:
        time.sleep(SETTLED)
        bridge.start_replay(
            ReplayName=inbox.name,
            EventSourceArn=bridge.describe_archive(ArchiveName=archives[0]["ArchiveName"])["ArchiveArn"],
            EventStartTime=since,
            EventEndTime=until,
            Destination={"Arn": bus_arn, "FilterArns": [inbox.rule]},
        )
        quiet = 0
        while quiet < QUIET:
            state = bridge.describe_replay(ReplayName=inbox.name)["State"]
            if state in ("FAILED", "CANCELLED"):
                raise NoArchive(f"the replay {inbox.name} is {state}")
            found = list(_taken(sqs, inbox.queue))
            yield from found
            quiet = 0 if found or state != "COMPLETED" else quiet + 1


@contextmanager
def _inbox(bridge: Any, sqs: Any, bus: str) -> Iterator[Inbox]:
    name = f"replay-{uuid.uuid4()}"
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    try:
        [arn] = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"].values()
        pattern = {"source": ["api-keys"], "replay-name": [name]}
        rule = bridge.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))["RuleArn"]
        try:
            statement = {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
            }
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
            bridge.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
            yield Inbox(name, rule, queue)
        finally:
            bridge.remove_targets(Rule=name, EventBusName=bus, Ids=["queue"])
            bridge.delete_rule(Name=name, EventBusName=bus)
    finally:
        sqs.delete_queue(QueueUrl=queue)


def _taken(sqs: Any, queue: str) -> Iterator[str]:
    answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=WAIT)
    for message in answer.get("Messages", []):
        yield json.dumps(json.loads(message["Body"]))  # in one line
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(prog="python -m tools.archive", description=__doc__)
    parser.add_argument("bus", help="the stack's output AuditBusName")
    parser.add_argument(
        "--since",
        type=datetime.fromisoformat,
        required=True,
        metavar="TIME",
        help="such as 2026-11-26T12:00:00Z",
    )
    args = parser.parse_args()
    events, sqs = boto3.client("events"), boto3.client("sqs")
    number = 0
    try:
        for number, event in enumerate(replayed(events, sqs, args.bus, args.since, datetime.now(UTC)), 1):  # noqa: B007 -- the last one is how many
            print(event)
    except NoArchive as error:
        sys.exit(str(error))
    print(f"{number} events", file=sys.stderr)


if __name__ == "__main__":
    main()
