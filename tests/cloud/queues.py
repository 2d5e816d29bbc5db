"""A queue of the emulator's, to which something is sent."""

import json
from dataclasses import dataclass
from typing import Any, Self

from tests.cloud.emulator import Emulator


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue.

    Args:
        sqs: of boto3's clients.
        url: of the queue.
        arn: of the queue.
    """

    sqs: Any
    url: str
    arn: str

    @classmethod
    def create(cls, emulator: Emulator, name: str) -> Self:
        """Create it."""
        sqs = emulator.client("sqs")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return cls(sqs, url, arn)

    def take(self, *, wait: int = 0) -> list[Any]:
        """Take some messages out, and return their bodies, read as JSON.

        Args:
            wait: seconds for the first one.
        """
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=wait)
        messages = answer.get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]

    def delete(self) -> None:
        """Delete it."""
        self.sqs.delete_queue(QueueUrl=self.url)
