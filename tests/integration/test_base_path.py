"""Below a base path of a domain every route answers as it does without one, whatever API Gateway says of the path.

Of an API mapping, AWS documents that `rawPath` has it not; its users see that it has. So nothing may depend on that.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.demo import DOCUMENTED_ID, SECOND_ID, SHIPPING_ID
from local.functions import Context
from local.template import ROOT, Template
from tests.deployment import EVERYTHING, Deployment

FOLDERS = {
    re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Function")).lower(): name
    for name in Template(EVERYTHING).answering()
}
EVENTS = sorted(path for path in (ROOT / "events").glob("*/*.json") if path.parent.name in FOLDERS)
# Of a key of API mappings, one level or several: what is before the path in `rawPath`, and in the request's context.
MAPPINGS = [("", "/keys"), ("/keys", "/keys"), ("", "/v1/keys"), ("/v1/keys", "/v1/keys"), ("/prod", "/prod")]


def below(event: dict[str, Any], raw: str, context: str) -> dict[str, Any]:
    """Return the event as it comes by a custom domain."""
    found = copy.deepcopy(event)
    found["rawPath"] = raw + found["rawPath"]
    http = found["requestContext"]["http"]
    http["path"] = context + http["path"]
    found["requestContext"] |= {"domainName": "api.example.com", "domainPrefix": "api"}
    found["headers"]["host"] = "api.example.com"
    return found


def store_what_the_events_name(deployment: Deployment) -> None:
    """Store applications and keys of the demo data."""
    for name in (DOCUMENTED_ID, SHIPPING_ID):
        application = {
            "id": name,
            "ownerId": "alice",
            "name": "Demo",
            "createdAt": "2026-11-01T09:00:00.000Z",
        }
        stored = {key: {"S": value} for key, value in application.items()}
        deployment.dynamodb.put_item(TableName="ApplicationsTable", Item=stored)
    for key_id in (DOCUMENTED_ID, SECOND_ID):
        deployment.put_key(application_id=DOCUMENTED_ID, keyId=key_id)


def answer(deployment: Deployment, function: str, event: dict[str, Any]) -> Any:
    """Return what a function answers to it, with the demo data as it was; of a JSON object, its members' names."""
    store_what_the_events_name(deployment)
    found = deployment.handlers[function](event, Context(function))
    if found.get("body", "").startswith("{"):
        found |= {"body": json.loads(found["body"]).keys()}
    return found


@pytest.fixture
def _taken_away(deployment: Deployment) -> Iterator[None]:
    """Other tests count on it that there are no keys of these ids."""
    yield
    for key_id in (DOCUMENTED_ID, SECOND_ID):
        deployment.dynamodb.delete_item(TableName="ApiKeysTable", Key={"keyId": {"S": key_id}})
    for name in (DOCUMENTED_ID, SHIPPING_ID):
        deployment.dynamodb.delete_item(TableName="ApplicationsTable", Key={"id": {"S": name}})


@pytest.mark.usefixtures("_taken_away")
@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_route_answers_as_it_does_without_a_base_path(deployment: Deployment, path: Path) -> None:
    """Guarantee: the documented path holds below any base path. Seen to fail with a 404 that looks at `rawPath`."""
    function, event = FOLDERS[path.parent.name], json.loads(path.read_text())
    if "authorization" in event["headers"]:
        event["headers"]["authorization"] = f"Bearer {deployment.token()}"
    if path.parent.name == "revoke_api_keys_found_by_github":
        event["headers"] |= deployment.issuer.github.headers(event["body"].encode())
    answers = [answer(deployment, function, copy.deepcopy(event))]
    answers += [answer(deployment, function, below(event, *mapping)) for mapping in MAPPINGS]
    assert answers == [answers[0]] * len(answers)
    assert answers[0].get("statusCode") != 404 or path.stem == "404", "what it asks for is there"
