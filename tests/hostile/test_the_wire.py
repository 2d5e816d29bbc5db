"""Whatever breaks between a function and DynamoDB, at whichever of its calls: an honest answer, and nothing half done.

The real handlers, the real engine, and a proxy between them. Each test breaks every call that the function makes, one
position after the other, and finds their number by itself.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from apikeys import deadline, dynamodb
from apikeys.errors import InternalError
from local.template import Template
from tests.deployment import Answer, Deployment
from tests.hostile import proxy
from tests.hostile.proxy import Fault, Wire

ALONE = {"RefuseUnknownRoute", "ServeReference", "Whoami"}  # these ask nobody
FOR_GOOD = sys.maxsize
BUDGET, ATTEMPT = 0.3, 0.12  # seconds for a request, and for an attempt, where the fault stays
MOST_CALLS = 20  # that a function makes for one request here

PASSING: dict[str, Fault] = {
    "throttled": proxy.throttled,
    "500": proxy.failed,
    "500, carried out": proxy.failed_after,
    "silence": proxy.silent,
    "silence, carried out": proxy.silent_after,
    "silence, carried out late": proxy.late,
    "reset": proxy.reset_before,
    "reset, carried out": proxy.reset_after,
    "truncated, carried out": proxy.truncated,
    "a byte at a time, carried out": proxy.dribbled,
    "a wrong checksum, carried out": proxy.wrong_checksum,
}
FOR_US_TO_MEND: dict[str, Fault] = {
    "unknown credentials": proxy.unknown_credentials,
    "expired credentials": proxy.expired_credentials,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """An application of alice's with a key to act on, and a sibling that nothing may happen to."""

    deployment: Deployment
    key: dict[str, Any]
    sibling: dict[str, Any]

    @classmethod
    def made(cls, deployment: Deployment) -> "Subject":
        application_id = deployment.application()
        return cls(deployment, deployment.issue(application_id), deployment.issue(application_id))

    @property
    def application(self) -> dict[str, str]:
        return {"id": self.key["applicationId"]}

    @property
    def path(self) -> dict[str, str]:
        return self.application | {"keyId": self.key["id"]}

    def call(self, function: str, **request: Any) -> Answer:
        return self.deployment.call(function, self.deployment.token(), **request)

    def status(self, key: dict[str, Any]) -> str:
        path = self.application | {"keyId": key["id"]}
        return str(self.call("ReadApiKey", path=path).body["status"])

    def check(self) -> Answer:
        """Ask the authorizer; its answers and faults as statuses, because it has none."""
        try:
            return Answer(200 if self.deployment.accepts(self.key["key"]) else 403, {}, "{}")
        except InternalError:
            return Answer(500, {}, "{}")


def form(subject: Subject) -> dict[str, Any]:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return {"body": f"token={subject.key['key']}", "headers": headers}


# A request to each function that asks DynamoDB, and what a success is.
REQUESTS: dict[str, tuple[int, Callable[[Subject], Answer]]] = {
    "AuthorizeRequest": (200, Subject.check),
    "CreateApplication": (201, lambda s: s.call("CreateApplication", body={"name": "Another"})),
    "IntrospectApiKey": (200, lambda s: s.call("IntrospectApiKey", **form(s))),
    "IssueApiKey": (201, lambda s: s.call("IssueApiKey", path=s.application, body={"name": "Another"})),
    "ListApiKeys": (200, lambda s: s.call("ListApiKeys", path=s.application)),
    "ListApplications": (200, lambda s: s.call("ListApplications")),
    "ReadApiKey": (200, lambda s: s.call("ReadApiKey", path=s.path)),
    "RevokeAllApiKeys": (200, lambda s: s.call("RevokeAllApiKeys", path=s.application)),
    "RevokeApiKey": (200, lambda s: s.call("RevokeApiKey", path=s.path)),
    "RevokeLeakedApiKey": (200, lambda s: s.call("RevokeLeakedApiKey", **form(s))),
    "RotateApiKey": (201, lambda s: s.call("RotateApiKey", path=s.path)),
}
# A rotate that was carried out is not carried out again: the key has been rotated before.
AFTER_ALL = {"RotateApiKey": 409}


@pytest.fixture(autouse=True)
def _empty_tables(deployment: Deployment) -> None:
    for table in deployment.template.resources("AWS::DynamoDB::Table"):
        deployment.dynamodb.delete_table(TableName=table)
    deployment.template.create_tables(deployment.dynamodb)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb, "ATTEMPT", 2 * ATTEMPT)


@pytest.fixture(scope="module", autouse=True)
def counts(pytestconfig: pytest.Config) -> Iterator[list[str]]:
    """The faults that were met, told at the end."""
    met: list[str] = []
    yield met
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        reporter.write_line(f"\n  {len(met)} broken calls to DynamoDB, in {len(set(met))} ways")


def all_items(deployment: Deployment) -> dict[tuple[str, str], Any]:
    """Return every stored item, by its table and key."""
    found = {}
    for table, properties in deployment.template.resources("AWS::DynamoDB::Table").items():
        names = [part["AttributeName"] for part in properties["KeySchema"]]
        pages = deployment.dynamodb.get_paginator("scan").paginate(TableName=table)
        for item in pages.build_full_result()["Items"]:
            found[table, " ".join(item[name]["S"] for name in names)] = item
    return found


def stored_keys_of(deployment: Deployment, application_id: str) -> set[str]:
    stored = (item for (table, _), item in all_items(deployment).items() if table == "ApiKeysTable")
    return {item["keyId"]["S"] for item in stored if item["applicationId"]["S"] == application_id}


def listed(subject: Subject) -> set[str]:
    answer = subject.call("ListApiKeys", path=subject.application, query={"limit": "100"})
    return {key["id"] for key in answer.body["items"]}


def test_every_function_that_asks_dynamodb_is_tried() -> None:
    """Meant to fail without a line of REQUESTS."""
    functions = {name.removesuffix("Function") for name in Template({}).functions()}
    assert functions - ALONE == REQUESTS.keys()


@pytest.mark.parametrize("fault", [*PASSING, *FOR_US_TO_MEND])
@pytest.mark.parametrize("function", REQUESTS)
def test_while_the_wire_is_broken_the_answer_is_honest_and_afterwards_all_is_whole(  # noqa: PLR0913, PLR0917 -- fixtures
    deployment: Deployment,
    wire: Wire,
    counts: list[str],
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    fault: str,
) -> None:
    """Guarantee: a 5xx within the deadline, never a "no" and never a 200; a repetition then does what was asked.

    Seen to fail with: no answer taken for a success in dynamodb.py (200 while nothing was stored); the authorizer's
    fault turned into a "no" in endpoint.py; a revoke without its condition (the late one overwrites `revokedAt`);
    attempts that outlast the deadline; the checksum not compared.
    """
    success, request = REQUESTS[function]
    broken = (PASSING | FOR_US_TO_MEND)[fault]
    for skip in range(MOST_CALLS):
        subject = Subject.made(deployment)
        before, started = all_items(deployment), time.monotonic()
        with wire.fault(broken, skip=skip, times=FOR_GOOD), monkeypatch.context() as patch:
            patch.setattr(deadline, "DEFAULT", BUDGET)
            patch.setattr(dynamodb, "ATTEMPT", ATTEMPT)
            answer = request(subject)
            seconds = time.monotonic() - started
        if not wire.broken:
            assert (skip > 0, answer.status) == (True, success)
            return
        counts += [fault] * wire.broken
        passes = fault in PASSING and function != "AuthorizeRequest"  # which has one way to fail
        assert answer.status == (503 if passes else 500)
        assert seconds < BUDGET + 2 * deadline.RESERVE  # as long again, for a machine that is busy
        untouched(before, all_items(deployment), subject, function)

        again = request(subject)
        assert again.status in (success, AFTER_ALL.get(function, success))
        settled = all_items(deployment)
        for carry_out in wire.late:
            carry_out()
        afterwards = all_items(deployment)
        changed = {key for key in settled if afterwards[key] != settled[key]}
        assert changed == set(), "what was under way changed what had been settled since"
        whole(subject, function)
    pytest.fail("the function makes more calls than are tried")


def untouched(
    before: dict[tuple[str, str], Any], after: dict[tuple[str, str], Any], subject: Subject, function: str
) -> None:
    """Fail unless nothing but the one key of the request has changed, and nothing is lost."""
    changed = {key for key in before if after.get(key) != before[key]}
    assert changed <= {("ApiKeysTable", key["id"]) for key in ended(subject, function)}
    if function.startswith(("Authorize", "Introspect", "List", "Read")):
        assert after == before


def ended(subject: Subject, function: str) -> list[dict[str, Any]]:
    """Return the keys that a request ends."""
    if function == "RevokeAllApiKeys":
        return [subject.key, subject.sibling]
    ends_one = function in ("RevokeApiKey", "RevokeLeakedApiKey", "RotateApiKey")
    return [subject.key] if ends_one else []


def whole(subject: Subject, function: str) -> None:
    """Fail unless the request's whole effect is there, no other, and every stored key is in the list."""
    for key in (subject.key, subject.sibling):
        gone = key in ended(subject, function)
        assert subject.status(key) == ("revoked" if gone else "active")
        assert subject.deployment.accepts(key["key"]) is not gone
    assert listed(subject) == stored_keys_of(subject.deployment, subject.key["applicationId"])


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("function", REQUESTS)
def test_one_broken_call_is_made_good_within_the_request(
    deployment: Deployment, wire: Wire, counts: list[str], function: str, fault: str
) -> None:
    """Guarantee: a single failure is nobody's business but ours, and what was applied twice counts once.

    Seen to fail with one attempt instead of four.
    """
    success, request = REQUESTS[function]
    for skip in range(MOST_CALLS):
        subject = Subject.made(deployment)
        keys = len(listed(subject))
        with wire.fault(PASSING[fault], skip=skip, times=1):
            answer = request(subject)
        assert answer.status == success
        if not wire.broken:
            return
        counts.append(fault)
        whole(subject, function)
        assert len(listed(subject)) == keys + (function in ("IssueApiKey", "RotateApiKey"))
    pytest.fail("the function makes more calls than are tried")


def test_a_revoke_whose_answers_are_lost_keeps_who_came_first(deployment: Deployment, wire: Wire) -> None:
    """Guarantee: revoked with the first call that was carried out, whatever the client saw.

    Seen to fail with a revoke whose condition does not ask for `revokedAt`.
    """
    subject = Subject.made(deployment)
    revoke = partial(deployment.revoke, subject.key["applicationId"], subject.key["id"])
    with wire.fault(proxy.reset_after, skip=0, times=FOR_GOOD):
        assert revoke(deployment.token()).status == 503
    first = deployment.stored(subject.key["id"])
    assert first
    assert first["revokedBy"]["S"] == "alice"
    assert not deployment.accepts(subject.key["key"])
    assert revoke(deployment.token("root", "api-keys:admin")).status == 200
    assert deployment.stored(subject.key["id"]) == first
