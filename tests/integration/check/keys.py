"""Keys that are not good, and how to ask and to revoke."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import time_machine

from apikeys.keys import ApiKey
from tests.deployment import Answer, Deployment

FORM = {"content-type": "application/x-www-form-urlencoded"}


def introspect(deployment: Deployment, key: str) -> Answer:
    return deployment.call(
        "IntrospectApiKey", deployment.token(), body=urlencode({"token": key}), headers=FORM
    )


def revoke(deployment: Deployment, issued: dict[str, Any]) -> None:
    path = {"id": issued["applicationId"], "keyId": issued["id"]}
    assert deployment.call("RevokeApiKey", deployment.token(), path=path).status == 200


def keys_that_are_not_good(
    deployment: Deployment, clock: time_machine.Traveller
) -> Iterator[tuple[str, str]]:
    issued = deployment.issue()
    key = ApiKey.parse(issued["key"])
    assert key
    yield "wrong secret", ApiKey(key.key_id, ApiKey.generate().secret).reveal()
    yield "unknown key", ApiKey.generate().reveal()
    yield "junk", "ak_" + "x" * 71
    yield "nothing", ""
    yield "not ours", "sk_live_4242"
    yield "another prefix", ApiKey(key.key_id, key.secret, "live").reveal()
    yield "with space", issued["key"] + " "
    yield "its hash", key.hash.hex()
    expired = deployment.issue(expiresAt="2026-11-22T12:00:30Z")
    clock.shift(30)
    yield "expired", expired["key"]
    revoked = deployment.issue()
    revoke(deployment, revoked)
    yield "revoked", revoked["key"]
