"""Authorizers of the account that keep our verdict, and so a revoked key alive, are found and named."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cached_authorizers import AUTHORIZER, look_for_caches, of_http, of_rest
from tests.embedded import read


@pytest.mark.parametrize("arn", [AUTHORIZER, AUTHORIZER + ":live", AUTHORIZER + ":7"])
@pytest.mark.parametrize("kind", ["REQUEST", "TOKEN"])
def test_a_cache_is_found_and_named(log: io.StringIO, arn: str, kind: str) -> None:
    """Guarantee: by whichever name our function is asked, of whichever type the authorizer is.

    Seen to fail where only the function's own ARN is looked for, and where only the first page is read.
    """
    http = of_http(arn, AuthorizerResultTtlInSeconds=60, AuthorizerType=kind)
    rest = of_rest(arn, authorizerResultTtlInSeconds=1, type=kind)
    assert look_for_caches(http=[http], rest=[rest]) == {"CachedAuthorizers": 2}
    *warnings, last = map(json.loads, log.getvalue().splitlines())
    named = [tuple(line[name] for name in ("level", "api", "authorizer", "seconds")) for line in warnings]
    assert named == [("WARNING", "last", "a1", 60), ("WARNING", "last", "a2", 1)]
    assert read(last) == {"CachedAuthorizers": ({"Stack": "local"}, 2)}


def test_a_rest_api_keeps_a_verdict_for_five_minutes_unless_it_is_told_not_to(log: io.StringIO) -> None:
    """Guarantee: AWS's default is found, and not only what somebody wrote down.

    Seen to fail with a default of 0.
    """
    assert look_for_caches(rest=[of_rest()]) == {"CachedAuthorizers": 1}
    assert json.loads(log.getvalue().splitlines()[0])["seconds"] == 300
    assert look_for_caches(rest=[of_rest(authorizerResultTtlInSeconds=0)]) == {"CachedAuthorizers": 0}


def test_an_http_api_keeps_none_unless_it_is_told_to(log: io.StringIO) -> None:
    found = look_for_caches(http=[of_http(), of_http(AuthorizerResultTtlInSeconds=0)])
    assert found == {"CachedAuthorizers": 0}
    [line] = map(json.loads, log.getvalue().splitlines())
    assert line["level"] == "INFO"
    assert read(line) == {"CachedAuthorizers": ({"Stack": "local"}, 0)}, "that somebody looked is seen, too"


@pytest.mark.parametrize(
    "authorizer",
    [
        of_rest(AUTHORIZER + "-of-another"),
        of_rest(AUTHORIZER[:-1]),
        of_rest(AUTHORIZER.replace("123456789012", "210987654321")),
        {"id": "a3", "name": "users", "type": "COGNITO_USER_POOLS"},
    ],
)
def test_other_authorizers_may_keep_what_they_like(authorizer: dict[str, Any]) -> None:
    assert look_for_caches(rest=[authorizer]) == {"CachedAuthorizers": 0}


@pytest.mark.parametrize("fault", ["get_apis", "get_rest_apis", "get_authorizers"])
def test_where_nobody_can_tell_no_zero_is_told(log: io.StringIO, fault: str) -> None:
    """Guarantee: it fails, which has an alarm; it does not count what it could not see as none."""
    with pytest.raises(ClientError):
        look_for_caches(fault=fault)
    assert "CachedAuthorizers" not in log.getvalue()
