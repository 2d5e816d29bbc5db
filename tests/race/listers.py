"""Processes that list an application's keys, each with a function of its own, as Lambda has it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from apikeys import log
from local.functions import Context
from local.issuer import AUDIENCE
from local.run import AWS_ENVIRONMENT
from local.template import Template
from tests.deployment import sample_event
from tests.race.readers import PROCESSES


@dataclass(frozen=True, slots=True)
class Look:
    """One list, asked for after a key's 201, and whether it has the key."""

    key_id: str
    found: bool


class Listers:
    """Listers at work; `looks` has what they saw, once the block has ended.

    Args:
        count: of processes.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.issued: Any = PROCESSES.SimpleQueue()
        self.results: Any = PROCESSES.SimpleQueue()
        self.idle = PROCESSES.Semaphore(count)
        self.looks: list[Look] = []

    def look_for(self, application_id: str, key_id: str) -> None:
        """Have one of them list the application's keys, as soon as one has nothing else to do."""
        self.idle.acquire()
        self.issued.put((application_id, key_id))


@contextmanager
def listing(endpoint: str, issuer: str, token: str, *, count: int = 2) -> Iterator[Listers]:
    """List whatever is asked for until the block ends.

    Args:
        endpoint: of DynamoDB.
        issuer: URL of it.
        token: of the owner of the applications.
        count: of processes.
    """
    listers = Listers(count)
    arguments = (endpoint, issuer, token, listers.issued, listers.results, listers.idle)
    processes = [PROCESSES.Process(target=_list, args=arguments, daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        yield listers
    finally:
        for _ in processes:
            listers.issued.put(None)
        for _ in processes:
            listers.looks += listers.results.get()
        for process in processes:
            process.join()


def _list(  # noqa: PLR0913, PLR0917 -- what crosses to another process
    endpoint: str, issuer: str, token: str, issued: Any, results: Any, idle: Any
) -> None:
    log.THRESHOLD = log.LEVELS["ERROR"]
    os.environ.update(AWS_ENVIRONMENT)
    template = Template({"DynamoDbEndpoint": endpoint, "Issuer": issuer, "Audience": AUDIENCE})
    list_keys = template.functions()["ListApiKeysFunction"].load()
    looks: list[Look] = []
    while wanted := issued.get():
        application_id, key_id = wanted
        event = sample_event("list_api_keys/200")
        event["headers"]["authorization"] = f"Bearer {token}"
        event["pathParameters"] = {"id": application_id}
        answer = list_keys(event, Context("ListApiKeysFunction"))
        idle.release()
        looks.append(Look(key_id, answer["statusCode"] == 200 and key_id in answer["body"]))
    results.put(looks)
