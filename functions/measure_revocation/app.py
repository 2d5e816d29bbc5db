"""On a schedule: the canary revokes a key of its own, and measures for how long it still works; 0 is the promise."""

import json
from typing import Any

import boto3
from botocore.config import Config
from canary import Measured, measure
from client import Client

from apikeys import log, metrics
from apikeys.settings import optional, required

stack, owner = required("STACK_NAME"), required("CANARY_OWNER")
secret, guarded = required("CANARY_SECRET"), optional("GUARDED_URLS").split()
AT_BORDER = metrics.Metric("TimeToLoseAccessAtBorder", "Milliseconds", Border=guarded)
secrets = boto3.client("secretsmanager", config=Config(connect_timeout=5, read_timeout=5))


def credentials() -> dict[str, str]:
    """Return the client credentials, as the secret has them now."""
    found: dict[str, str] = json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])
    return found


client = Client(required("API_URL"), credentials)


def handler(_: object, context: Any) -> dict[str, int]:
    """Measure once. What goes wrong is counted as a failure, and is no measurement."""
    log.begin(stack, aws_request_id=getattr(context, "aws_request_id", None))
    try:
        measured = measure(client, owner=owner, guarded=guarded)
    except Exception as fault:  # noqa: BLE001 -- whatever it is, it is what the canary is there to find
        client.forget()
        log.fault("the canary could not measure", fault)
        measured = Measured(failures=1)
    client.hang_up()
    at_borders = {url: measured.times[url] for url in guarded if url in measured.times}
    for url, time in at_borders.items():
        log.count(AT_BORDER, time, Border=url)
        log.info("measured at a border", url=url)
    numbers = {metrics.CANARY_FAILURES: measured.failures} | measured.latencies
    if client.whoami in measured.times:
        numbers[metrics.TIME_TO_LOSE_ACCESS] = measured.times[client.whoami]
    if at_borders:
        numbers[metrics.LONGEST_TIME_AT_BORDER] = max(at_borders.values())
    for metric, value in numbers.items():
        log.count(metric, value)
    log.info("measured")
    return {metric.name: value for metric, value in numbers.items()}
