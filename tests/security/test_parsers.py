"""Guarantee: whatever is sent, what reads it ends in a value or in a 4xx, and in time that grows with its length.

Every parser alone, with texts of any kind; then every function of the template, with every sample event, changed at
random in any member of it.
"""

import base64
import contextlib
import copy
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apikeys import schemas
from apikeys.caller import BEARER, _header, _scopes
from apikeys.errors import ApiError, BadRequest, ContentTooLarge, UnsupportedMediaType
from apikeys.keys import ApiKey, _checksum
from apikeys.log import redacted
from apikeys.pages import page_asked_for, statuses_asked_for
from apikeys.request import Request
from apikeys.schemas import Body
from local.functions import Context
from local.template import ROOT, Template
from tests.deployment import EVERYTHING, Deployment, sample_event

FUNCTIONS = {name: function.code.name for name, function in Template(EVERYTHING).answering().items()}
BODIES = [
    kind
    for kind in vars(schemas).values()
    if isinstance(kind, type) and issubclass(kind, Body) and kind != Body
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=20), inner, max_size=5),
    max_leaves=10,
)
ANY_TEXT = st.text(st.integers(0, 0x10FFFF).map(chr), max_size=100)  # lone surrogates too
generously = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def with_body(body: Any, *, content_type: str = "application/json", encoded: bool = False) -> Request:
    return Request({"headers": {"content-type": content_type}, "body": body, "isBase64Encoded": encoded})


@given(ANY_TEXT | st.from_regex(r"\Aak_[0-9A-Za-z]{65,75}\Z"))
@example("ak_" + "0" * 71)  # of the form, with a wrong checksum
@generously
def test_a_text_is_a_key_only_if_the_key_is_spelled_like_that(text: str) -> None:
    """Seen to fail without the comparison of the checksum in keys.py."""
    for candidate in (
        text,
        text[:-6] + _checksum(text[:-6].encode("utf-8", "replace").decode()),
        text + "\n",
    ):
        key = ApiKey.parse(candidate)
        assert key is None or key.reveal() == candidate


@given(
    ANY_TEXT | st.uuids().map(str) | st.from_regex(r"\A[0-9a-f-]{36}\Z"),
    ANY_TEXT | st.uuids().map(lambda value: str(value).upper()),
)
@generously
def test_ids_are_lower_case_uuids_or_a_400(first: str, second: str) -> None:
    """Seen to fail with `[0-9a-fA-F-]{36}` for a UUID."""
    with contextlib.suppress(BadRequest):
        ids = Request({"pathParameters": {"id": first, "keyId": second}}).path_uuids("id", "keyId")
        assert ids == [first.lower(), second.lower()]
        assert ids == [str(uuid.UUID(found)) for found in ids]


@given(
    ANY_TEXT | st.binary(max_size=100).map(lambda octets: base64.urlsafe_b64encode(octets).decode()),
    ANY_TEXT,
    ANY_TEXT,
)
@generously
def test_a_query_is_a_page_or_a_400(cursor: str, limit: str, status: str) -> None:
    """Seen to fail with `int(limit)` for a limit, and without the `except` around a cursor."""
    request = Request({"queryStringParameters": {"cursor": cursor, "limit": limit, "status": status}})
    with contextlib.suppress(BadRequest):
        wanted, _ = page_asked_for(request)
        assert 1 <= wanted <= 100
    with contextlib.suppress(BadRequest):
        assert set(statuses_asked_for(request) or []) <= {"active", "revoked", "expired"}


@given(
    JSON.map(json.dumps)
    | ANY_TEXT
    | st.binary(max_size=100).map(lambda octets: base64.b64encode(octets).decode()),
    st.booleans(),
    st.sampled_from(BODIES),
)
@generously
def test_a_body_is_what_it_must_be_or_a_4xx(text: str, encoded: bool, model: type[Body]) -> None:
    """Seen to fail without `except ValueError` in request.py."""
    with contextlib.suppress(BadRequest, ContentTooLarge, UnsupportedMediaType):
        assert isinstance(schemas.read(with_body(text, encoded=encoded), model), model)


@given(
    st.dictionaries(st.sampled_from(["name", "scopes", "expiresAt", "overlapSeconds", "reason", "x"]), JSON)
)
@example({"name": "A key", "expiresAt": "9999-12-31T23:59:59-12:00"})
@generously
def test_a_body_with_the_right_members_and_any_values_is_read_or_a_400(members: dict[str, Any]) -> None:
    """Seen to fail with `OverflowError` not caught in schemas.py."""
    for model in BODIES:
        with contextlib.suppress(BadRequest):
            schemas.read(with_body(json.dumps(members)), model)


@given(ANY_TEXT, JSON)
@example("[" * 100_000, None)  # deeper than any stack
@generously
def test_a_tokens_header_and_scopes_are_read_or_refused(text: str, value: Any) -> None:
    """Seen to fail without `RecursionError` and without `ValueError` caught in caller.py."""
    for octets in (text.encode("utf-8", "surrogatepass"), json.dumps(value).encode()):
        with contextlib.suppress(ApiError):
            assert isinstance(_header(base64.urlsafe_b64encode(octets).decode().rstrip("=")), dict)
    for name in ("scope", "scp", "permissions", "roles"):
        assert all(isinstance(scope, str) for scope in _scopes({name: value}, "x:"))


def good_events(function: str) -> list[dict[str, Any]]:
    """Return the function's sample events; for the authorizer, also a REST API's."""
    folder = ROOT / "events" / FUNCTIONS[function]
    events = [sample_event(f"{folder.name}/{path.stem}") for path in sorted(folder.glob("*.json"))]
    if function == "AuthorizeRequestFunction":
        headers = {"X-API-Key": "ak_junk"}
        rest: dict[str, Any] = {
            "version": "1.0",
            "type": "REQUEST",
            "methodArn": "arn:aws:execute-api:x:1:a/prod/GET/b",
        }
        rest |= {"headers": headers, "multiValueHeaders": {name: [value] for name, value in headers.items()}}
        events.append(rest | {"requestContext": {"identity": {"sourceIp": "::1"}}})
    return events


def vouched_for(event: dict[str, Any], deployment: Deployment) -> dict[str, Any]:
    """Return an event whose JWT or GitHub's signature, if it has one, is good."""
    event = copy.deepcopy(event)
    if event["headers"].get("authorization", "").startswith("Bearer ey"):
        event["headers"]["authorization"] = f"Bearer {deployment.token()}"
    return signed_by_github(event, deployment)


def signed_by_github(event: dict[str, Any], deployment: Deployment) -> dict[str, Any]:
    """Return an event with a signature that fits its body, if it has one of GitHub's."""
    headers, body = event.get("headers"), event.get("body")
    if isinstance(headers, dict) and isinstance(body, str) and "github-public-key-signature" in headers:
        headers |= deployment.issuer.github.headers(body.encode("utf-8", "surrogatepass"))
    return event


WRONG: st.SearchStrategy[Any] = (
    st.just(...) | st.sampled_from([None, [], {}, [{}], {"a": None}, "", 1, True]) | ANY_TEXT | JSON
)


def members_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all members, at any depth."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, member in inner for found in ((*path, name), *members_of(member, (*path, name)))]


def changed(event: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put a value where a path leads; `...` takes the member away."""
    *way, last = path
    with contextlib.suppress(KeyError, IndexError, TypeError):  # another change has taken the way there
        for name in way:
            event = event[name]
        if value is ...:
            del event[last]
        else:
            event[last] = value


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_event_changed_in_any_member_is_answered_and_never_by_a_fault(
    deployment: Deployment, function: str
) -> None:
    """Seen to fail with an `_object` in request.py that takes whatever is there.

    Members are missing, null, of another type, or text of any kind; up to three at once, in either payload format.
    """
    events = good_events(function)

    @given(st.integers(0, 99), st.lists(st.tuples(st.integers(0, 999), WRONG), min_size=1, max_size=3))
    @generously
    def is_answered(which: int, changes: list[tuple[int, Any]]) -> None:
        event = vouched_for(events[which % len(events)], deployment)
        paths = members_of(event)
        for at, value in changes:
            changed(event, paths[at % len(paths)], copy.deepcopy(value))
        if len(changes) < 3:
            signed_by_github(event, deployment)
        answer = deployment.handlers[function](event, Context(function))
        if function == "AuthorizeRequestFunction":
            statements = answer.get("policyDocument", {}).get("Statement", [])
            assert answer.get("isAuthorized", False) is False
            assert [statement["Effect"] for statement in statements] in ([], ["Deny"])
        else:
            # GitHub may have made a key since it was asked last: only then is it to repeat its alert.
            may_repeat = {503} if function == "RevokeApiKeysFoundByGithubFunction" else set()
            assert 200 <= answer["statusCode"] < 500 or answer["statusCode"] in may_repeat
            assert answer["statusCode"] < 300 or "code" in json.loads(answer["body"])

    is_answered()


def page_of(cursor: str) -> None:
    with contextlib.suppress(BadRequest):
        page_asked_for(Request({"queryStringParameters": {"cursor": cursor, "limit": cursor}}))


def ids_of(text: str) -> None:
    with contextlib.suppress(BadRequest):
        Request({"pathParameters": {"id": text}}).path_uuids("id")


def bodies_of(text: str) -> None:
    for model in BODIES:
        for body in (text, json.dumps({"name": text, "expiresAt": text, "scopes": [text]})):
            with contextlib.suppress(BadRequest, ContentTooLarge):
                schemas.read(with_body(body), model)


def header_of(text: str) -> None:
    BEARER.fullmatch(f"Bearer {text}")
    with contextlib.suppress(ApiError):
        _header(base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


PARSERS: dict[str, Callable[[str], Any]] = {
    "a key": ApiKey.parse,
    "a page": page_of,
    "ids": ids_of,
    "bodies": bodies_of,
    "a header": header_of,
    "scopes": lambda text: _scopes({"scope": text, "scp": [text]}, "a"),
    "the log": redacted,
}
# What makes a naive expression slow: long runs, of one thing or of two in turn, with the odd one at the end.
UNITS = (
    "a",
    "0",
    "A",
    " ",
    "-",
    "_",
    ".",
    "Aa",
    "Aaaa",
    "a-",
    "_-",
    "aA0",
    "ak_",
    "[",
    "{",
    '"',
    "\\u",
    "%",
    "\u0301",
    "0-",
    "a.",
)


def seconds(parse: Callable[[str], Any], text: str) -> float:
    """Return the processor's time of the fastest of three calls."""
    found = []
    for _ in range(3):
        started = time.process_time()
        parse(text)
        found.append(time.process_time() - started)
    return min(found)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("parser", PARSERS)
def test_the_time_of_a_parser_grows_no_faster_than_its_text(parser: str, unit: str) -> None:
    """Seen to fail with a pattern of a key that can read its prefix in more ways than one.

    Where it grew with the square, four times the text would take sixteen times as long; a little is left for noise.
    """
    length = 3_000 // len(unit)
    once, twice, four = (seconds(PARSERS[parser], unit * (length * times) + "!") for times in (1, 2, 4))
    floor = (
        0.01  # seconds, below which a coarse clock is all that is measured: a tick may be four thousandths
    )
    assert twice < max(4 * once, floor)
    assert four < max(8 * once, 2 * floor)


def test_every_parser_of_the_bodies_is_tried() -> None:
    """Seen to fail with an empty list of models."""
    assert {model.__name__ for model in BODIES} >= {"NewApplication", "NewApiKey", "Rotation"}
