"""`make run`: SAM's gateway, the real template, HTTP; called by the documented clients."""

import os
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

from apikeys.keys import ApiKey
from local.template import ROOT
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


def issued(stack: Any) -> dict[str, str]:
    """Issue a key that no other test knows."""
    application, bearer = stack["applications"][0], {"Authorization": f"Bearer {stack['tokens']['owner']}"}
    address = url(stack, application["id"], "").removesuffix("/")
    key: dict[str, str] = requests.post(
        address, json={"name": "A leak"}, headers=bearer, timeout=TIMEOUT
    ).json()
    return key


def test_revocation_works_with_a_standard_oauth_client(stack: Any) -> None:
    """The library's own call (RFC 7009), which sends its token along; the string is all that is needed."""
    base = f"{stack['base_url']}/api/v1"
    key = issued(stack)["key"]
    bearer = {"Authorization": f"Bearer {key}"}
    assert requests.get(f"{base}/whoami", headers=bearer, timeout=TIMEOUT).status_code == 200
    with OAuth2Session(token={"access_token": "x", "token_type": "Bearer"}) as client:
        answer = client.revoke_token(f"{base}/api-keys/revoke", token=key, token_type_hint="access_token")
    assert (answer.status_code, answer.text) == (200, "{}")
    assert requests.get(f"{base}/whoami", headers=bearer, timeout=TIMEOUT).status_code == 403


def make_revoke(stack: Any, typed: str, **variables: str) -> subprocess.CompletedProcess[str]:
    variables |= {"API": f"{stack['base_url']}/api/v1"}
    return subprocess.run(
        [sys.executable, "-m", "tools.revoke"],
        cwd=ROOT,
        input=typed,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("way", ["standard input", "KEY"])
def test_make_revoke_needs_nothing_but_the_string(stack: Any, way: str) -> None:
    key = issued(stack)
    told = make_revoke(stack, "", KEY=key["key"]) if way == "KEY" else make_revoke(stack, f"{key['key']}\n")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines()[0] == "200 {}"
    assert key["id"] in told.stdout
    assert key["key"] not in told.stdout
    bearer = {"Authorization": f"Bearer {key['key']}"}
    answer = requests.get(f"{stack['base_url']}/api/v1/whoami", headers=bearer, timeout=TIMEOUT)
    assert answer.status_code == 403


def test_make_revoke_sends_no_string_that_is_cut(stack: Any) -> None:
    """Guarantee: a paste that lost a character is not taken for a success; the API would answer it alike."""
    key = issued(stack)["key"]
    for wrong in (key[:-1], key[1:], key[:-1] + ("a" if key[-1] != "a" else "b"), ""):
        told = make_revoke(stack | {"base_url": "http://127.0.0.1:1"}, wrong)
        assert (told.returncode, told.stdout) == (1, "")
        assert "no key string" in told.stderr or "checksum" in told.stderr


def test_make_revoke_says_that_nothing_is_known_where_there_is_no_answer_or_another(stack: Any) -> None:
    key = issued(stack)["key"]
    for base, said in (
        ("http://127.0.0.1:1", "Repeat it"),
        (stack["base_url"] + "/nowhere", "not known to be"),
    ):
        told = make_revoke(stack | {"base_url": base}, key)
        assert told.returncode == 1
        assert said in told.stderr
        assert key not in told.stdout + told.stderr


@pytest.mark.parametrize(
    "base", ["http://api.example.com", "ftp://127.0.0.1", "https://", "http://127.0.0.1.evil.example"]
)
def test_make_revoke_sends_no_string_in_the_clear(base: str) -> None:
    told = make_revoke({"base_url": base}, ApiKey.generate().reveal())
    assert told.returncode == 1
    assert "API must be the base URL" in told.stderr
