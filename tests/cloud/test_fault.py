"""A fault in the authorizer is a fault: the guarded route is closed, and it is API Gateway that says so."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cloud.deployed import Deployed
from tests.over_http.application import Application, whoami


@contextmanager
def authorizer_without_its_table(stack: Deployed) -> Iterator[None]:
    """Let a version of the authorizer that looks into a table that does not exist take over, until the block ends."""
    client, name = stack.deployment.emulator.client("lambda"), stack.deployment.resources()
    function = name["AuthorizeRequestFunction"]
    before = client.get_alias(FunctionName=function, Name="live")["FunctionVersion"]
    with stack.deployment.with_variables("AuthorizeRequestFunction", API_KEYS_TABLE="nowhere"):
        version = client.publish_version(FunctionName=function)["Version"]
        client.update_alias(FunctionName=function, Name="live", FunctionVersion=version)
        try:
            yield
        finally:
            client.update_alias(FunctionName=function, Name="live", FunctionVersion=before)


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
