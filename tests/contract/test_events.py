"""Every file in events/ gets the answer its name says, under the settings of `sam local invoke`."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from apikeys.dynamodb import DynamoDb
from local.demo import seed
from local.functions import Context
from local.run import AWS_ENVIRONMENT
from local.template import ROOT, Handler, Template, environment
from tests.deployment import EVERYTHING, FORBIDDEN, NOT_FOUND, UNAUTHORIZED, bad_request
from tests.moto_server import moto_server

EVENTS = sorted((ROOT / "events").glob("*/*.json"))
SETTINGS = json.loads((ROOT / "local" / "sam-local.json").read_text())["Parameters"]
# What the documentation says; other answers are the business of their own tests.
BODIES = {"401": UNAUTHORIZED, "403": FORBIDDEN, "404": NOT_FOUND}
DOCUMENTED: dict[str, Any] = {"revoke_api_key/200": {}, "revoke_api_key/400": bad_request("keyId")}
DOCUMENTED |= {"introspect_api_key/200": {"active": False}, "revoke_leaked_api_key/200": {}}
DOCUMENTED |= {
    "revoke_leaked_api_key/400": bad_request(token="must be given exactly once"),
    "revoke_api_keys_found_by_github/200": [
        {"token_raw": "ak_junk", "token_type": "api_keys", "label": "false_positive"}
    ],
}


@pytest.fixture(scope="module")
def handlers() -> Iterator[dict[str, Handler]]:
    functions = Template(EVERYTHING).functions()
    variables = {name: value for name, value in SETTINGS.items() if name != "AWS_ENDPOINT_URL_DYNAMODB"}
    with moto_server() as url, environment(AWS_ENVIRONMENT):
        Template({}).create_tables(boto3.client("dynamodb", endpoint_url=url))
        seed(DynamoDb(url))
        loaded = {}
        for function in functions.values():
            function.environment.update(variables | {"AWS_ENDPOINT_URL_DYNAMODB": url})
            loaded[function.code.name] = function.load()
        yield loaded


def assert_is_named_after(path: Path, result: dict[str, Any]) -> None:
    """Compare a function's result with what the name of its event's file says."""
    if path.stem == "refused":
        assert result == {"isAuthorized": False, "context": {}}
        return
    if path.stem == "nothing":
        assert result == {"batchItemFailures": []}
        return
    if path.stem == "204":
        assert result == {"statusCode": 204}
        return
    body = json.loads(result["body"])
    assert result["statusCode"] == int(path.stem)
    assert body == BODIES.get(path.stem, DOCUMENTED.get(f"{path.parent.name}/{path.stem}", body))
    assert result["headers"]["content-type"] == "application/json"


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_answer_is_the_one_the_file_is_named_after(path: Path, handlers: dict[str, Handler]) -> None:
    event = json.loads(path.read_text())
    assert_is_named_after(path, handlers[path.parent.name](event, Context(path.parent.name)))


def test_every_function_has_its_events() -> None:
    """Of a schedule there is nothing to tell."""
    functions = Template(EVERYTHING).resources("AWS::Serverless::Function").values()
    told = [
        one
        for one in functions
        if {event["Type"] for event in one.get("Events", {}).values()} != {"Schedule"}
    ]
    assert {f"functions/{path.parent.name}" for path in EVENTS} == {one["CodeUri"] for one in told}


def test_every_documented_outcome_of_the_revoke_has_an_event() -> None:
    names = {path.stem for path in EVENTS if path.parent.name == "revoke_api_key"}
    assert names == {"200", "400", "401", "403", "404"}


def test_sam_local_may_override_each_of_its_settings() -> None:
    functions = Template(EVERYTHING).functions().values()
    assert SETTINGS.keys() <= {name for function in functions for name in function.environment}


def test_no_private_key_is_in_the_repository() -> None:
    """Guarantee: the sample tokens were signed by a key that no longer exists."""
    for path in [*EVENTS, ROOT / "local" / "sam-local.json"]:
        assert "PRIVATE KEY" not in path.read_text()
    [jwk] = json.loads(base64.b64decode(SETTINGS["JWKS_URL"].split(",")[1]))["keys"]
    assert set(jwk) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    [key] = json.loads(base64.b64decode(SETTINGS["GITHUB_KEYS_URL"].split(",")[1]))["public_keys"]
    assert key["key"].startswith("-----BEGIN PUBLIC KEY-----")
