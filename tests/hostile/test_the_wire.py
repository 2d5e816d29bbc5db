"""Whatever breaks between a function and DynamoDB, at whichever of its calls: an honest answer, and nothing half done.

The real handlers, the real engine, and a proxy between them. Each test breaks every call that the function makes, one
position after the other, and finds their number by itself. Of the pairs of a function and a fault, a third is tried,
always the same: each function with each third fault, the next function with the next ones. All are with --all-pairs.
"""

import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from itertools import batched
from typing import Any

import pytest

from apikeys import deadline, dynamodb
from apikeys.dynamodb import DynamoDb
from apikeys.errors import InternalError
from local.template import Template
from tests.deployment import EVERYTHING, Answer, Deployment
from tests.hostile import proxy
from tests.hostile.proxy import Fault, Wire

ALONE = {"RefuseUnknownRoute", "ServeReference", "Whoami"}  # these ask nobody
FOR_GOOD = sys.maxsize
BUDGET = (
    0.3  # seconds for a request, where the fault stays; an attempt has longer, so that this is what ends it
)
ATTEMPT = 0.25  # seconds for an attempt, where the fault passes
WAITS = tuple(wait / 5 for wait in dynamodb.WAITS)  # so that most of the budget is the faults'
MOST_CALLS = 20  # that a function makes for one request here
IN_A_BATCH = 25  # writes, at most

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


def found(subject: Subject) -> dict[str, Any]:
    return {"token": subject.key["key"], "type": "api_key", "url": "https://example.com/", "source": "commit"}


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
    "RevokeApiKeysFoundByGithub": (200, lambda s: s.deployment.report_by_github(found(s))),
    "RevokeLeakedApiKey": (200, lambda s: s.call("RevokeLeakedApiKey", **form(s))),
    "RotateApiKey": (201, lambda s: s.call("RotateApiKey", path=s.path)),
}
# A rotate that was carried out is not carried out again: the key has been rotated before.
AFTER_ALL = {"RotateApiKey": 409}


def pairs(faults: Collection[str]) -> list[Any]:
    """Return all pairs of a function and a fault, marked where they are for --all-pairs only."""
    return [
        pytest.param(function, fault, marks=[pytest.mark.all_pairs] if (row + column) % 3 else [])
        for row, function in enumerate(REQUESTS)
        for column, fault in enumerate(faults)
    ]


class Stored:
    """What is stored, seen past the wire.

    Args:
        deployment: whose tables they are.
        url: of DynamoDB.
    """

    def __init__(self, deployment: Deployment, url: str) -> None:
        self._dynamodb = DynamoDb(url)
        self._keys = {
            table: [part["AttributeName"] for part in properties["KeySchema"]]
            for table, properties in deployment.template.resources("AWS::DynamoDB::Table").items()
        }

    def items(self) -> dict[tuple[str, str], Any]:
        """Return every item, by its table and key."""
        found = {}
        for table, names in self._keys.items():
            answer = self._dynamodb.call("Scan", {"TableName": table, "ConsistentRead": True})
            assert "LastEvaluatedKey" not in answer
            for item in answer["Items"]:
                found[table, " ".join(item[name]["S"] for name in names)] = item
        return found

    def clear(self) -> None:
        """Delete every item."""
        deletions = [
            (table, {"DeleteRequest": {"Key": {name: item[name] for name in self._keys[table]}}})
            for (table, _), item in self.items().items()
        ]
        for batch in batched(deletions, IN_A_BATCH, strict=False):
            requests: dict[str, list[Any]] = {}
            for table, deletion in batch:
                requests.setdefault(table, []).append(deletion)
            assert not self._dynamodb.call("BatchWriteItem", {"RequestItems": requests})["UnprocessedItems"]

    def keys_of(self, application_id: str) -> set[str]:
        """Return the ids of an application's keys."""
        stored = (item for (table, _), item in self.items().items() if table == "ApiKeysTable")
        return {item["keyId"]["S"] for item in stored if item["applicationId"]["S"] == application_id}


@pytest.fixture(scope="module")
def stored(deployment: Deployment, wire: Wire) -> Stored:
    """What is stored, seen past the wire."""
    return Stored(deployment, wire.upstream_url)


@pytest.fixture(autouse=True)
def _nothing_is_stored(stored: Stored) -> None:
    stored.clear()


def listed(subject: Subject) -> set[str]:
    answer = subject.call("ListApiKeys", path=subject.application, query={"limit": "100"})
    return {key["id"] for key in answer.body["items"]}


def test_every_function_that_asks_dynamodb_is_tried() -> None:
    """Seen to fail without a line of REQUESTS."""
    functions = {name.removesuffix("Function") for name in Template(EVERYTHING).answering()}
    assert functions - ALONE == REQUESTS.keys()


@pytest.mark.parametrize(("function", "fault"), pairs([*PASSING, *FOR_US_TO_MEND]))
def test_while_the_wire_is_broken_the_answer_is_honest_and_afterwards_all_is_whole(  # noqa: PLR0913, PLR0917 -- fixtures
    deployment: Deployment,
    wire: Wire,
    stored: Stored,
    record_property: Callable[[str, object], None],
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    fault: str,
) -> None:
    """Guarantee: a 5xx within the deadline, never a "no" and never a 200; a repetition then does what was asked.

    Seen to fail with: no answer taken for a success in dynamodb.py (200 while nothing was stored); the authorizer's
    fault turned into a "no" in endpoint.py; a revoke without its condition (the late one overwrites `revokedAt`);
    attempts that outlast the deadline, or ten times as much left of it; the checksum not compared; an alert of GitHub's
    answered with "revoked" when that is not known.
    """
    success, request = REQUESTS[function]
    broken = (PASSING | FOR_US_TO_MEND)[fault]
    skip = 0
    for _ in range(MOST_CALLS):
        subject = Subject.made(deployment)
        before, started = stored.items(), time.monotonic()
        with wire.fault(broken, skip=skip, times=FOR_GOOD), monkeypatch.context() as patch:
            patch.setattr(deadline, "DEFAULT", BUDGET)
            patch.setattr(dynamodb, "WAITS", WAITS)
            answer = request(subject)
            seconds = time.monotonic() - started
        if not wire.broken:
            if answer.status >= 500 and seconds > BUDGET:
                continue  # so busy a machine that the time was over before the fault
            assert (skip > 0, answer.status) == (True, success)
            return
        record_property("broken calls to DynamoDB", wire.broken)
        passes = fault in PASSING and function != "AuthorizeRequest"  # which has one way to fail
        assert answer.status == (503 if passes else 500)
        assert seconds < BUDGET + 2 * deadline.RESERVE  # as long again, for a machine that is busy
        untouched(before, stored.items(), subject, function)

        again = request(subject)
        assert again.status in (success, AFTER_ALL.get(function, success))
        settled = stored.items()
        for carry_out in wire.late:
            carry_out()
        afterwards = stored.items() if wire.late else settled
        changed = {key for key in settled if afterwards[key] != settled[key]}
        assert changed == set(), "what was under way changed what had been settled since"
        whole(subject, stored, function)
        skip += 1
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
    ends_one = function in (
        "RevokeApiKey",
        "RevokeApiKeysFoundByGithub",
        "RevokeLeakedApiKey",
        "RotateApiKey",
    )
    return [subject.key] if ends_one else []


def whole(subject: Subject, stored: Stored, function: str) -> None:
    """Fail unless the request's whole effect is there, no other, and every stored key is in the list."""
    for key in (subject.key, subject.sibling):
        gone = key in ended(subject, function)
        assert subject.status(key) == ("revoked" if gone else "active")
        assert subject.deployment.accepts(key["key"]) is not gone
    assert listed(subject) == stored.keys_of(subject.key["applicationId"])


@pytest.mark.parametrize(("function", "fault"), pairs(PASSING))
def test_one_broken_call_is_made_good_within_the_request(  # noqa: PLR0913, PLR0917 -- fixtures
    deployment: Deployment,
    wire: Wire,
    stored: Stored,
    record_property: Callable[[str, object], None],
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    fault: str,
) -> None:
    """Guarantee: a single failure is nobody's business but ours, and what was applied twice counts once.

    Seen to fail with one attempt instead of four.
    """
    success, request = REQUESTS[function]
    for skip in range(MOST_CALLS):
        subject = Subject.made(deployment)
        keys = len(listed(subject))
        with wire.fault(PASSING[fault], skip=skip, times=1), monkeypatch.context() as patch:
            patch.setattr(dynamodb, "ATTEMPT", ATTEMPT)
            patch.setattr(dynamodb, "WAITS", WAITS)
            answer = request(subject)
        assert answer.status == success
        if not wire.broken:
            return
        record_property("broken calls to DynamoDB", wire.broken)
        whole(subject, stored, function)
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
