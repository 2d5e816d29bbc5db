"""Revoke an API key: each documented outcome, by status."""

import uuid

import pytest
import time_machine

from tests.deployment import (
    FORBIDDEN,
    NOT_FOUND,
    NOW,
    UNAUTHORIZED,
    Answer,
    Deployment,
    bad_request,
    sample_event,
)

JSON_HEADERS = {"content-type": "application/json", "cache-control": "no-store"}
MALFORMED_UUIDS = [
    "42",
    "",
    "None",
    "123e4567e89b12d3a456426614174000",
    "{123e4567-e89b-12d3-a456-426614174000}",
    "urn:uuid:123e4567-e89b-12d3-a456-426614174000",
    " 123e4567-e89b-12d3-a456-426614174000",
    "123e4567-e89b-12d3-a456-426614174000 ",
    "123e4567-e89b-12d3-a456-426614174000\n",
    "123e4567-e89b-12d3-a456-42661417400",
    "123e4567-e89b-12d3-a456-4266141740000",
    "123e4567-e89b-12d3-a456-42661417400g",
    "123e4567-e89b-12d3-a456-42661417400\u0661",  # ARABIC-INDIC DIGIT ONE
    "123e4567-e89b-12d3-a456-42661417400\uff11",  # FULLWIDTH DIGIT ONE
    "123e4567\u2010e89b-12d3-a456-426614174000",  # HYPHEN, not HYPHEN-MINUS
    "123e4567-e89b-12d3-a456-42661417400\ufffd",  # what a gateway makes of bytes that are not UTF-8
    "123e4567-e89b-12d3-a456-426614174000/",
    "%7B123e4567-e89b-12d3-a456-426614174000%7D",
    "x" * 10_000,
]


def revoke_with_reason(deployment: Deployment, key: dict[str, str], token: str, reason: str) -> Answer:
    path = {"id": key["applicationId"], "keyId": key["keyId"]}
    return deployment.call("RevokeApiKey", token, path=path, query={"reason": reason})


def test_200_an_active_key_of_the_caller_is_revoked(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    key = deployment.put_key(owner="alice")
    before = deployment.stored(key["keyId"])
    assert before

    answer = deployment.revoke(key["applicationId"], key["keyId"], deployment.token("alice"))

    assert (answer.status, answer.text, answer.headers) == (200, "{}", JSON_HEADERS)
    assert deployment.stored(key["keyId"]) == before | {
        "revokedAt": {"S": "2026-11-22T12:00:00.000Z"},
        "revokedBy": {"S": "alice"},
        "revokedVia": {"S": "api"},
        "revokedFrom": {"S": "192.0.2.1"},
        "revokedTokenId": {"S": ""},
    }


def test_200_repeating_it_changes_nothing(deployment: Deployment, clock: time_machine.Traveller) -> None:
    key = deployment.put_key(owner="alice")
    deployment.revoke(key["applicationId"], key["keyId"], deployment.token("alice"))
    first = deployment.stored(key["keyId"])

    clock.shift(60)
    answer = deployment.revoke(
        key["applicationId"], key["keyId"], deployment.token("admin", "api-keys:admin")
    )

    assert (answer.status, answer.text, answer.headers) == (200, "{}", JSON_HEADERS)
    assert deployment.stored(key["keyId"]) == first


def test_200_a_reason_is_filled_in_where_none_was_given_and_nothing_else_is_changed(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    """Guarantee: the one write that is allowed on a revoked key, and it is one call."""
    key, token = deployment.put_key(owner="alice"), deployment.token("admin", "api-keys:admin")
    deployment.revoke(key["applicationId"], key["keyId"], deployment.token("alice"))
    first = deployment.stored(key["keyId"])
    assert first
    for reason, kept in (("leaked", "leaked"), ("other", "leaked")):
        clock.shift(60)
        deployment.calls.clear()
        answer = revoke_with_reason(deployment, key, token, reason)
        assert (answer.status, answer.text, answer.headers) == (200, "{}", JSON_HEADERS)
        assert deployment.calls == [("dynamodb:UpdateItem", "ApiKeysTable")]
        assert deployment.stored(key["keyId"]) == first | {"revokedReason": {"S": kept}}


def test_a_reason_is_filled_in_by_nobody_but_who_may_revoke_the_key(deployment: Deployment) -> None:
    """Guarantee: the write on a revoked key has the conditions of a revoke; 403 and 404 change nothing."""
    key = deployment.put_key(owner="alice")
    deployment.revoke(key["applicationId"], key["keyId"], deployment.token("alice"))
    before = deployment.stored(key["keyId"])
    assert revoke_with_reason(deployment, key, deployment.token("bob"), "other").status == 403
    elsewhere = key | {"applicationId": str(uuid.uuid4())}
    assert revoke_with_reason(deployment, elsewhere, deployment.token("alice"), "other").status == 404
    absent = key | {"keyId": str(uuid.uuid4())}
    assert revoke_with_reason(deployment, absent, deployment.token("alice"), "other").status == 404
    assert deployment.stored(key["keyId"]) == before
    assert deployment.stored(absent["keyId"]) is None


def test_200_an_expired_key_can_still_be_revoked(
    deployment: Deployment, clock: time_machine.Traveller
) -> None:
    key = deployment.put_key(owner="alice", expiresAt="2026-11-01T10:00:00.000Z")
    answer = deployment.revoke(key["applicationId"], key["keyId"], deployment.token("alice"))
    stored = deployment.stored(key["keyId"])
    assert answer.status == 200
    assert stored
    assert "revokedAt" in stored


def test_200_an_administrator_revokes_any_owners_key(deployment: Deployment) -> None:
    key = deployment.put_key(owner="alice")
    answer = deployment.revoke(
        key["applicationId"], key["keyId"], deployment.token("admin", "api-keys:admin")
    )
    stored = deployment.stored(key["keyId"])
    assert (answer.status, answer.text) == (200, "{}")
    assert stored
    assert stored["revokedBy"] == {"S": "admin"}


def test_200_ids_may_be_in_upper_case(deployment: Deployment) -> None:
    key = deployment.put_key()
    answer = deployment.revoke(key["applicationId"].upper(), key["keyId"].upper(), deployment.token())
    stored = deployment.stored(key["keyId"])
    assert answer.status == 200
    assert stored
    assert "revokedAt" in stored


@pytest.mark.parametrize("version", range(9))
def test_200_ids_may_be_uuids_of_any_version(deployment: Deployment, version: int) -> None:
    application_id = f"{uuid.uuid4()}"[:14] + f"{version}" + f"{uuid.uuid4()}"[15:]
    key = deployment.put_key(application_id=application_id)
    assert deployment.revoke(application_id, key["keyId"], deployment.token()).status == 200


def test_200_other_keys_of_the_application_are_untouched_byte_for_byte(deployment: Deployment) -> None:
    key = deployment.put_key()
    for _ in range(5):
        deployment.put_key(application_id=key["applicationId"])
    others = [item for item in deployment.everything() if item["keyId"]["S"] != key["keyId"]]

    assert deployment.revoke(key["applicationId"], key["keyId"], deployment.token()).status == 200

    assert [item for item in deployment.everything() if item["keyId"]["S"] != key["keyId"]] == others


def test_200_takes_one_call_and_reads_nothing_first(deployment: Deployment) -> None:
    key = deployment.put_key()
    deployment.calls.clear()
    deployment.revoke(key["applicationId"], key["keyId"], deployment.token())
    assert deployment.calls == [("dynamodb:UpdateItem", "ApiKeysTable")]


@pytest.mark.parametrize("malformed", MALFORMED_UUIDS)
def test_400_names_the_id_that_is_no_uuid(deployment: Deployment, malformed: str) -> None:
    before, token = deployment.everything(), deployment.token()
    for application_id, key_id, fields in (
        (malformed, str(uuid.uuid4()), ["id"]),
        (str(uuid.uuid4()), malformed, ["keyId"]),
        (malformed, malformed, ["id", "keyId"]),
    ):
        answer = deployment.revoke(application_id, key_id, token)
        assert (answer.status, answer.body) == (400, bad_request(*fields))
        assert answer.headers == JSON_HEADERS
    assert deployment.everything() == before


def test_400_also_where_the_gateway_sends_no_path_parameters(deployment: Deployment) -> None:
    event = sample_event("revoke_api_key/401")
    del event["pathParameters"]
    event["headers"]["authorization"] = f"Bearer {deployment.token()}"
    answer = deployment.invoke("RevokeApiKeyFunction", event)
    assert (answer.status, answer.body) == (400, bad_request("id", "keyId"))


def test_401_without_a_token(deployment: Deployment) -> None:
    answer = deployment.revoke(str(uuid.uuid4()), str(uuid.uuid4()), None)
    assert (answer.status, answer.body) == (401, UNAUTHORIZED)
    # RFC 6750, section 3.1: no error code where no token was sent.
    assert answer.headers == JSON_HEADERS | {"www-authenticate": 'Bearer realm="api-keys"'}


def test_401_with_an_expired_token(deployment: Deployment, clock: time_machine.Traveller) -> None:
    key, token = deployment.put_key(), deployment.token()
    clock.shift(9 * 60 * 60)
    answer = deployment.revoke(key["applicationId"], key["keyId"], token)
    assert (answer.status, answer.body) == (401, UNAUTHORIZED)
    assert answer.headers["www-authenticate"] == 'Bearer realm="api-keys", error="invalid_token"'
    assert "revokedAt" not in (deployment.stored(key["keyId"]) or {})


def test_403_without_the_scope(deployment: Deployment) -> None:
    key = deployment.put_key()
    answer = deployment.revoke(key["applicationId"], key["keyId"], deployment.token(scope="api-keys:write"))
    assert (answer.status, answer.body) == (403, FORBIDDEN)
    challenge = 'Bearer realm="api-keys", error="insufficient_scope", scope="api-keys:revoke"'
    assert answer.headers == JSON_HEADERS | {"www-authenticate": challenge}
    assert "revokedAt" not in (deployment.stored(key["keyId"]) or {})


def test_403_for_a_key_of_another_owner(deployment: Deployment) -> None:
    key = deployment.put_key(owner="alice")
    before = deployment.stored(key["keyId"])
    answer = deployment.revoke(key["applicationId"], key["keyId"], deployment.token("bob"))
    assert (answer.status, answer.body, answer.headers) == (403, FORBIDDEN, JSON_HEADERS)
    assert deployment.stored(key["keyId"]) == before


def test_403_for_another_owners_key_that_is_revoked_already(deployment: Deployment) -> None:
    """Guarantee: a 200 never confirms another owner's revocation."""
    key = deployment.put_key(owner="alice", revokedAt="2026-11-02T09:00:00.000Z", revokedBy="alice")
    answer = deployment.revoke(key["applicationId"], key["keyId"], deployment.token("bob"))
    assert (answer.status, answer.body) == (403, FORBIDDEN)


def test_404_for_an_unknown_key_and_no_item_is_created(deployment: Deployment) -> None:
    before = deployment.everything()
    answer = deployment.revoke(str(uuid.uuid4()), str(uuid.uuid4()), deployment.token())
    assert (answer.status, answer.body, answer.headers) == (404, NOT_FOUND, JSON_HEADERS)
    assert deployment.everything() == before


def test_404_for_an_unknown_key_also_for_an_administrator(deployment: Deployment) -> None:
    before = deployment.everything()
    answer = deployment.revoke(
        str(uuid.uuid4()), str(uuid.uuid4()), deployment.token("admin", "api-keys:admin")
    )
    assert (answer.status, answer.body) == (404, NOT_FOUND)
    assert deployment.everything() == before


@pytest.mark.parametrize("owner", ["alice", "bob"])
@pytest.mark.parametrize("revoked", [{}, {"revokedAt": "2026-11-02T09:00:00.000Z", "revokedBy": "x"}])
def test_404s_are_identical_so_that_ids_cannot_be_probed(
    deployment: Deployment, owner: str, revoked: dict[str, str]
) -> None:
    """Guarantee: a key of another application and a key that does not exist cannot be told apart."""
    key = deployment.put_key(owner=owner, **revoked)
    before = deployment.stored(key["keyId"])
    elsewhere = deployment.revoke(str(uuid.uuid4()), key["keyId"], deployment.token("alice"))
    nowhere = deployment.revoke(str(uuid.uuid4()), str(uuid.uuid4()), deployment.token("alice"))
    assert elsewhere == nowhere
    assert elsewhere.status == 404
    assert deployment.stored(key["keyId"]) == before


def test_the_checks_run_in_the_documented_order(deployment: Deployment) -> None:
    nobody = deployment.revoke("42", "42", "not-a-token")
    no_scope = deployment.revoke("42", "42", deployment.token(scope=None))
    malformed = deployment.revoke("42", "42", deployment.token("bob"))
    assert [nobody.status, no_scope.status, malformed.status] == [401, 403, 400]


def test_the_clock_of_revocation_is_utc(deployment: Deployment, clock: time_machine.Traveller) -> None:
    key = deployment.put_key()
    clock.move_to(NOW.replace(microsecond=123_456))
    deployment.revoke(key["applicationId"], key["keyId"], deployment.token())
    stored = deployment.stored(key["keyId"])
    assert stored
    assert stored["revokedAt"] == {"S": "2026-11-22T12:00:00.123Z"}
