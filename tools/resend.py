"""Send audit events again that could not be published: those that the queue of failures knows of.

A message there names records of the table's stream, which keeps them for 24 hours; it holds none itself. They are read
from the stream and given to the function that failed, in their order. What it publishes is taken out of the queue;
what it does not stays. It may be stopped and run again: an event may arrive twice, with the same id.
"""

import argparse
import base64
import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import batched
from typing import Any

import boto3
from botocore.exceptions import ClientError

type JSON = dict[str, Any]

AT_ONCE = 100  # records in one invocation, as the template has it
WAIT = 5  # seconds that the queue may take to find what it has
# The stream has no longer what a message names.
GONE = ("ResourceNotFoundException", "TrimmedDataAccessException")


class Gone(Exception):
    """Raised if records are no longer in the stream."""


def resend(queue: Any, streams: Any, invoke: Callable[[str, JSON], bool]) -> tuple[int, int]:
    """Send again whatever the queue names.

    Args:
        queue: of failures, of boto3's resources.
        streams: client of DynamoDB Streams.
        invoke: calls a function, by its ARN, with an event, and tells whether it published all of it.

    Returns:
        How many records were sent, and how many messages are left in the queue.
    """
    sent, left = 0, []
    seen: set[str] = set()
    while messages := _receive(queue, seen):
        for message in messages:
            body = json.loads(message.body)
            batch, function = body["DDBStreamBatchInfo"], body["requestContext"]["functionArn"]
            try:
                records = list(_records(streams, batch))
            except Gone:
                print(f"No longer in the stream: {batch['batchSize']} from {batch['startSequenceNumber']}")
                left.append(message)
                continue
            if all(invoke(function, {"Records": list(some)}) for some in batched(records, AT_ONCE)):  # noqa: B911 -- the last one may be short
                message.delete()
                sent += len(records)
            else:
                print(f"Not published: {batch['batchSize']} from {batch['startSequenceNumber']}")
                left.append(message)
    for message in left:
        message.change_visibility(VisibilityTimeout=0)  # for whoever looks next
    return sent, len(left)


def _receive(queue: Any, seen: set[str]) -> list[Any]:
    """Return messages that were not seen before; none if the queue shows no others."""
    options = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": WAIT, "VisibilityTimeout": 120}
    new = [one for one in queue.receive_messages(**options) if one.message_id not in seen]
    seen.update(one.message_id for one in new)
    return new


def _records(streams: Any, batch: JSON) -> Iterator[JSON]:
    """Yield the records of a batch, as Lambda hands them over.

    Raises:
        Gone: if the stream has them no longer.
    """
    last = int(batch["endSequenceNumber"])
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=batch["streamArn"],
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
        while iterator:
            page = streams.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                number = int(record["dynamodb"]["SequenceNumber"])
                if number <= last:
                    yield as_json(record) | {"eventSourceARN": batch["streamArn"]}
                if number >= last:
                    return
            iterator = page.get("NextShardIterator")
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            raise Gone from error
        raise


def as_json(record: JSON) -> JSON:
    """Return a record of a stream, as boto3 gives it, in the form in which Lambda hands it over."""
    plain: JSON = json.loads(json.dumps(record, default=_plain))
    return plain


def _plain(value: bytes | datetime) -> str | float:
    return value.timestamp() if isinstance(value, datetime) else base64.b64encode(value).decode()


def _invoke(function: str, event: JSON) -> bool:
    answer = boto3.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    said = json.load(answer["Payload"])
    return "FunctionError" not in answer and said == {"batchItemFailures": []}


def main() -> None:
    """Send them again, and exit with 1 if something is left."""
    parser = argparse.ArgumentParser(prog="python -m tools.resend", description=__doc__)
    parser.add_argument("queue", help="URL of the queue: the stack's output AuditFailuresUrl")
    queue = boto3.resource("sqs").Queue(parser.parse_args().queue)
    sent, left = resend(queue, boto3.client("dynamodbstreams"), _invoke)
    print(f"{sent} sent, {left} left")
    sys.exit(1 if left else 0)


if __name__ == "__main__":
    main()
