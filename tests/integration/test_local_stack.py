"""`make run`: SAM's gateway, the real template, HTTP; called by the documented clients."""

import shutil
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session

from tests.deployment import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, bad_request
from tests.running import RunningStack, running_stack

TIMEOUT = 10


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStack]:
    with running_stack() as running:
        yield running


@pytest.fixture(scope="module")
def stack(running: RunningStack) -> Any:
    return running.description


def url(stack: Any, application_id: str, key_id: str) -> str:
    return f"{stack['base_url']}/api/v1/applications/{application_id}/api-keys/{key_id}"


def delete(address: str, token: str | None) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.delete(address, headers=headers, timeout=TIMEOUT)


def test_the_description_of_the_stack_is_complete_and_private(running: RunningStack, stack: Any) -> None:
    assert set(stack) == {"base_url", "issuer", "audience", "jwks_url", "applications", "tokens"}
    assert set(stack["tokens"]) == {"owner", "other", "admin", "no_scope", "expired"}
    assert [len(application["api_keys"]) for application in stack["applications"]] == [3, 3]
    assert len({application["owner"] for application in stack["applications"]}) == 2
    assert {tuple(key) for a in stack["applications"] for key in a["api_keys"]} == {("id", "name", "key")}
    assert {stat.S_IMODE(path.stat().st_mode) for path in running.folder.glob("*.json")} == {0o600}


def test_the_issuer_can_be_discovered(stack: Any) -> None:
    document = requests.get(f"{stack['issuer']}/.well-known/openid-configuration", timeout=TIMEOUT).json()
    assert (document["issuer"], document["jwks_uri"]) == (stack["issuer"], stack["jwks_url"])
    assert all("d" not in jwk for jwk in requests.get(stack["jwks_url"], timeout=TIMEOUT).json()["keys"])


@pytest.mark.parametrize("token", ["owner", "other", "admin"])
def test_200(stack: Any, token: str) -> None:
    application = stack["applications"][1 if token == "other" else 0]
    answer = delete(url(stack, application["id"], application["api_keys"][2]["id"]), stack["tokens"][token])
    assert (answer.status_code, answer.text) == (200, "{}")
    assert answer.headers["content-type"] == "application/json"


def test_400_401_403_404(stack: Any) -> None:
    own, foreign = stack["applications"]
    key, tokens = own["api_keys"][0]["id"], stack["tokens"]
    absent = "00000000-0000-4000-8000-000000000000"
    for application_id, key_id, token, status, body in (
        (own["id"], "42", "owner", 400, bad_request("keyId")),
        ("%7B" + own["id"] + "%7D", key, "owner", 400, bad_request("id")),
        ("%FF", "%00", "owner", 400, bad_request("id", "keyId")),
        (own["id"], key + "%0A", "owner", 400, bad_request("keyId")),
        (own["id"], key, None, 401, UNAUTHORIZED),
        (own["id"], key, "expired", 401, UNAUTHORIZED),
        (own["id"], key, "no_scope", 403, FORBIDDEN),
        (own["id"], key, "other", 403, FORBIDDEN),
        (own["id"], absent, "owner", 404, NOT_FOUND),
        (own["id"], foreign["api_keys"][0]["id"], "owner", 404, NOT_FOUND),
    ):
        answer = delete(url(stack, application_id, key_id), tokens[token] if token else None)
        assert (answer.status_code, answer.json()) == (status, body)
        assert answer.headers["content-type"] == "application/json"


def test_404_and_405_of_what_no_route_matches(stack: Any) -> None:
    assert requests.get(stack["base_url"] + "/nothing", timeout=TIMEOUT).json() == NOT_FOUND
    answer = requests.put(url(stack, "1", "2"), timeout=TIMEOUT)
    assert (answer.status_code, answer.headers["allow"], answer.json()["code"]) == (405, "DELETE, GET", 405)


def test_400_for_a_body_that_is_not_utf_8(stack: Any) -> None:
    headers = {"Authorization": f"Bearer {stack['tokens']['owner']}", "Content-Type": "application/json"}
    address = f"{stack['base_url']}/api/v1/applications"
    answer = requests.post(address, data=b'{"name": "\xff"}', headers=headers, timeout=TIMEOUT)
    assert (answer.status_code, answer.json()) == (400, bad_request(body="Invalid encoding"))


PYTHON = """
    import requests
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + TOKEN}
    response = requests.delete(URL, headers=headers)
    print(response.json())
"""
NODE = """
    const response = await fetch(URL_, {
      method: "DELETE",
      headers: { "Content-Type": "application/json", "Authorization": "Bearer " + TOKEN },
    });
    console.log(await response.json());
"""


def test_the_documented_clients_print_an_empty_object(stack: Any) -> None:
    application = stack["applications"][0]
    address, token = url(stack, application["id"], application["api_keys"][0]["id"]), stack["tokens"]["owner"]
    content, bearer = "Content-Type: application/json", f"Authorization: Bearer {token}"
    python = f"URL, TOKEN = {address!r}, {token!r}\n" + textwrap.dedent(PYTHON)
    clients = [
        ["curl", "-sS", "-X", "DELETE", address, "-H", content, "-H", bearer],
        [sys.executable, "-c", python],
    ]
    if shutil.which("node"):
        clients.append(
            ["node", "--input-type=module", "-e", f"const URL_ = {address!r}, TOKEN = {token!r};{NODE}"]
        )
    for client in clients:
        assert subprocess.run(client, capture_output=True, text=True, check=True).stdout.strip() == "{}"


def test_introspection_works_with_a_standard_oauth_client(stack: Any) -> None:
    application = stack["applications"][1]
    key = application["api_keys"][0]
    url, token = stack["base_url"] + "/api/v1/api-keys/introspect", {"access_token": stack["tokens"]["other"]}
    with OAuth2Session(token=token | {"token_type": "Bearer"}) as client:
        good = client.introspect_token(url, token=key["key"], auth=client.token_auth).json()
        bad = client.introspect_token(url, token=key["key"][::-1], auth=client.token_auth).json()
    assert (good["active"], good["client_id"], good["sub"]) == (True, application["id"], "bob")
    assert bad == {"active": False}
