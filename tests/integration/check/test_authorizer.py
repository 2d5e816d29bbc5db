"""The check by the Lambda authorizer: one strongly consistent read, and nothing kept."""

import io
import json
import traceback
import uuid
from typing import Any

import pytest
import time_machine

from apikeys.errors import InternalError, ServiceUnavailable
from apikeys.keys import ApiKey
from local.functions import Context
from local.template import Template
from tests.deployment import Deployment
from tests.integration.check.keys import introspect, keys_that_are_not_good

pytestmark = pytest.mark.usefixtures("clock")


NO_TEXT: tuple[Any, ...] = (None, 1, [], {"a": 1}, True)


def test_a_good_key_is_let_through_and_its_context_passed_on(deployment: Deployment) -> None:
    issued = deployment.issue(owner="alice", scopes=["read", "write"])
    context = {
        "applicationId": issued["applicationId"],
        "keyId": issued["id"],
        "ownerId": "alice",
        "scopes": "read write",
    }
    for headers in (
        {"authorization": f"Bearer {issued['key']}"},
        {"Authorization": f"bearer {issued['key']}"},
        {"x-api-key": issued["key"]},
        {"X-API-Key": issued["key"], "authorization": f"Bearer {issued['key']}"},
    ):
        assert deployment.authorize(headers) == {"isAuthorized": True, "context": context}


@pytest.mark.parametrize(
    "spell",
    [
        lambda a, _: {"authorization": a},
        lambda a, _: {"authorization": f"Basic {a}"},
        lambda a, _: {"authorization": f"Aearer {a}"},
        lambda a, _: {"authorization": f"Digest {a}"},
        lambda a, _: {"authorization": f"Bearer{a}"},
        lambda a, _: {"authorization": f"Bearer {a},Bearer {a}"},
        lambda a, _: {"authorization": f"Basic x, Bearer {a}"},
        lambda a, b: {"authorization": f"Bearer {a}", "x-api-key": b},
        lambda a, _: {"authorization": "Basic dXNlcjpwdw==", "x-api-key": a},
        lambda a, b: {"x-api-key": f"{a},{b}"},
        lambda a, _: {"x-api-key": f"Bearer {a}"},
        lambda a, _: {"cookie": f"key={a}"},
        lambda _a, _b: {"authorization": "", "x-api-key": ""},
        lambda _a, _b: {},
    ],
)
def test_a_key_presented_in_another_way_is_refused(deployment: Deployment, spell: Any) -> None:
    headers = spell(deployment.issue()["key"], deployment.issue()["key"])
    assert deployment.authorize(headers) == {"isAuthorized": False, "context": {}}


def test_what_is_not_good_cannot_be_told_apart(deployment: Deployment, clock: time_machine.Traveller) -> None:
    """Guarantee: wrong secret, unknown, revoked and expired look the same: status, body and headers.

    Seen to fail with an introspection that has a hint for junk, and with a reason in the authorizer's context.
    """
    refused = introspect(deployment, "junk")
    assert (refused.status, refused.text) == (200, '{"active": false}')
    seen = []
    for what, key in keys_that_are_not_good(deployment, clock):
        seen.append(what)
        assert deployment.authorize({"x-api-key": key}) == {"isAuthorized": False, "context": {}}, what
        if key:
            assert introspect(deployment, key) == refused, what
    assert {"wrong secret", "unknown key", "revoked", "expired"} <= set(seen)


def test_an_expired_key_stops_at_its_second_and_for_good(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    """Seen to fail where it is bad at that very moment only."""
    key = deployment.issue(expiresAt="2026-11-22T12:00:30Z")["key"]
    clock.shift(29.999)
    assert deployment.accepts(key)
    for later in (0.001, 0.001, 60, 365 * 24 * 60 * 60):
        clock.shift(later)
        assert not deployment.accepts(key)


def test_a_check_is_one_strongly_consistent_read_of_the_table(deployment: Deployment) -> None:
    """Guarantee: no index and no memory comes between a revoke and the next check.

    Seen to fail with an eventually consistent read.
    """
    key = deployment.issue()["key"]
    for check in (lambda: deployment.accepts(key), lambda: introspect(deployment, key)):
        for _ in range(2):
            deployment.calls.clear()
            deployment.requests.clear()
            check()
            assert deployment.calls == [("dynamodb:GetItem", "ApiKeysTable")]
            [(_, request)] = deployment.requests
            assert request["ConsistentRead"] is True
            assert "ProjectionExpression" in request


def test_an_unknown_id_costs_as_many_calls_as_a_known_one(deployment: Deployment) -> None:
    known, unknown = deployment.issue()["key"], ApiKey.generate(key_id=str(uuid.uuid4())).reveal()
    counts = []
    for key in (known, unknown):
        deployment.calls.clear()
        deployment.accepts(key)
        counts.append(len(deployment.calls))
    assert counts == [1, 1]


def test_junk_costs_no_call(deployment: Deployment) -> None:
    good = deployment.issue()["key"]
    deployment.calls.clear()
    for junk in ("", "x", good[:-1], good[:-1] + "_", "ak_" + "0" * 71, good[:40] + "!" + good[41:]):
        assert not deployment.accepts(junk)
    assert deployment.calls == []


def test_the_authorizer_of_the_api_never_caches() -> None:
    """Guarantee: API Gateway asks the authorizer every time."""
    [api] = Template({}).resources("AWS::Serverless::HttpApi").values()
    assert api["Auth"]["Authorizers"]["ApiKeyAuthorizer"]["Identity"] == {"ReauthorizeEvery": 0}


@pytest.mark.parametrize(
    "event",
    [
        *(None, [], "event", 1, {}, {"headers": None}, {"headers": [1]}, {"version": "2.0"}, {"version": 2}),
        *({"version": "2.0", "headers": {"x-api-key": value}} for value in NO_TEXT),
        {"version": "2.0", "requestContext": []},
        {"methodArn": 1, "multiValueHeaders": {"x-api-key": "k"}},
        {"multiValueHeaders": {"x-api-key": [None, {}]}, "requestContext": {"http": 1, "identity": 2}},
    ],
    ids=str,
)
def test_an_event_that_is_none_denies(deployment: Deployment, event: Any) -> None:
    answer = deployment.handlers["AuthorizeRequestFunction"](event, Context("A"))
    assert answer.get("isAuthorized", False) is False
    assert "Allow" not in json.dumps(answer)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (LookupError("asked for TOKEN"), None),
        (ServiceUnavailable("DynamoDB is busy"), "DynamoDB is busy"),
        (ValueError("TOKEN" * 1000), None),
    ],
)
def test_a_fault_is_raised_so_that_nobody_is_let_in_and_somebody_is_woken(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
    fault: Exception,
    reason: str | None,
) -> None:
    """Guarantee: when nobody can tell, nobody is let in, and no good key is called a bad one.

    The runtime prints what is raised, past our redaction: it has no word from outside. Seen to fail with `raise` in
    place of a fresh exception in endpoint.py.
    """
    key = deployment.issue()["key"]
    assert deployment.accepts(key)
    fault.args = tuple(str(word).replace("TOKEN", key) for word in fault.args)

    def find(*_: Any) -> None:
        raise fault

    monkeypatch.setattr("apikeys.store.api_keys.ApiKeys.find_presented", find)
    with pytest.raises(InternalError) as raised:
        deployment.accepts(key)
    printed = "".join(traceback.format_exception(raised.value))
    assert key not in printed
    assert str(fault) not in printed
    assert type(fault).__name__ not in printed
    line = json.loads(log.getvalue().splitlines()[-1])
    assert (line["level"], line["exception_name"]) == ("ERROR", type(fault).__name__)
    assert line.get("reason") == reason
    assert key not in log.getvalue()
