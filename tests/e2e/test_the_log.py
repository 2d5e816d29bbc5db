"""What the functions log, after everything that the other tests made them do."""

import uuid

from tests.e2e.containers import Containers


def test_one_structured_line_for_a_request(stack: Containers) -> None:
    key = stack.put_key()
    stack.revoke(key.application_id, key.key_id, stack.token())
    stack.revoke(key.application_id, str(uuid.uuid4()), stack.token("bob"))
    stack.revoke(key.application_id, key.key_id, None)
    lines = stack.apis[0].log_lines(key.application_id, at_least=3)
    assert [line["status"] for line in lines] == [200, 404, 401]
    assert [line.get("subject") for line in lines] == ["alice", "bob", None]
    for line in lines:
        assert line["level"] == "INFO"
        assert line["service"] == "api-keys"
        assert line["route"] == "DELETE /api/v1/applications/{id}/api-keys/{keyId}"
        assert line["application_id"] == key.application_id
        assert line["key_id"]
        assert "path" not in line
        assert line["aws_request_id"]
    assert [line.get("reason") for line in lines] == [
        None,
        "no such key in this application",
        "no Authorization header",
    ]


def test_a_revoked_key_in_use_is_a_warning_and_a_metric(stack: Containers) -> None:
    """Guarantee: the tripwire names key and application, and never the key string."""
    created = stack.send("POST", "/api/v1/applications", stack.token(), json={"name": "tripwire"}).json()
    path = f"/api/v1/applications/{created['id']}/api-keys"
    issued = stack.send("POST", path, stack.token(), json={"name": "leaked"}).json()
    stack.secrets.add(issued["key"])
    stack.revoke(created["id"], issued["id"], stack.token())
    stack.send("GET", "/api/v1/whoami", issued["key"])
    lines = stack.apis[0].log_lines(issued["id"], at_least=2)
    [warning] = [line for line in lines if line["level"] == "WARNING"]
    assert warning["key_id"] == issued["id"]
    assert (warning["application_id"], warning["RevokedKeyUsed"]) == (created["id"], 1)
    assert warning["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "ApiKeys"


def test_no_token_and_no_key_is_in_any_log(stack: Containers) -> None:
    """Guarantee: of all tokens and keys of this run, no part that is secret was logged."""
    assert len(stack.secrets) > 20
    for api in stack.apis:
        log = api.log()
        assert len(api.log_lines()) > 20
        for secret in stack.secrets:
            # Of a token the signature, of a key all that follows its public beginning.
            part = secret.split(".")[-1] if "." in secret else secret[10:]
            assert part not in log
            assert secret not in log


def test_no_request_of_the_whole_run_was_a_fault(stack: Containers) -> None:
    for api in stack.apis:
        assert [line for line in api.log_lines() if line["level"] in ("ERROR", "CRITICAL")] == []
