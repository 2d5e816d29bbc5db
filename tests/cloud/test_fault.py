"""A fault in the authorizer is a fault: the guarded route is closed, and it is API Gateway that says so."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cloud.deployed import Deployed
from tests.over_http.application import Application, whoami


@contextmanager
def authorizer_without_its_table(stack: Deployed) -> Iterator[None]:
    """Let a version of the authorizer that looks into a table that does not exist take over, until the block ends."""
    function = "AuthorizeRequestFunction"
    with (
        stack.deployment.with_variables(function, API_KEYS_TABLE="nowhere"),
        stack.deployment.with_this_version(function),
    ):
        yield


def test_a_faulty_authorizer_is_a_500_and_lets_nobody_through(
    stack: Deployed, application: Application
) -> None:
    """Guarantee: no key is good while it cannot be checked, and no good key is called bad."""
    key = application.issue()["key"]
    assert whoami(stack, key, api=0)
    with authorizer_without_its_table(stack):
        answer = stack.send("GET", "/api/v1/whoami", key)
        assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    assert whoami(stack, key, api=0)
