"""`make run`: SAM's gateway, the real template, HTTP; called by the documented clients."""

import json
import shutil
import socket
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session

from local.description import remove_if_unchanged, write_private
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


@pytest.fixture(scope="module")
def tour(running: RunningStack) -> str:
    return printed_tour(running)


def printed_tour(running: RunningStack) -> str:
    lines: list[str] = []
    assert running.process.stdout
    while not lines or not lines[-1].startswith("Requests:"):
        lines.append(running.process.stdout.readline())
    return "".join(lines)


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
    assert stat.S_IMODE(running.path.stat().st_mode) == 0o600


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


def test_make_token_mints_another_token(running: RunningStack, stack: Any) -> None:
    application = stack["applications"][0]
    address = url(stack, application["id"], application["api_keys"][0]["id"])
    revoke = "api-keys:revoke"
    for subject, scope, status in (("alice", revoke, 200), ("alice", "", 403), ("eve", revoke, 403)):
        options = ["--sub", subject, "--scope", scope, "--description", str(running.path)]
        command = [sys.executable, "-m", "local.token", *options]
        token = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        assert delete(address, token).status_code == status


def test_the_tour_runs_by_copy_and_paste(tour: str) -> None:
    lines = tour.replace("\\\n", "").splitlines()
    commands = [line for line in lines if line.startswith(("curl", "echo")) or line.split("=")[0].isupper()]
    script = "\n".join(["set -e", *commands])
    printed = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    revoke, *answers = printed.replace("}{", "}\n{").splitlines()
    issued, mine, revoked, refused, sibling, tombstones = [json.loads(answer) for answer in answers if answer]
    assert (revoke, revoked) == ("{}", {})
    assert mine["keyId"] == issued["id"]
    assert refused == {"message": "User is not authorized to access this resource"}
    assert sibling["keyId"] not in (issued["id"], None)
    newest = tombstones["items"][0]
    assert (newest["id"], newest["revokedReason"]) == (issued["id"], "compromised")


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


def test_a_port_in_use_is_said_with_what_to_do(stack: Any) -> None:
    port = stack["base_url"].rsplit(":", 1)[1]
    command = [sys.executable, "-m", "local.run", "--port", port]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert run.stderr == f"Port {port} is in use. Choose others with: make run PORT={int(port) + 1000}\n"


def test_it_logs_a_line_a_request_and_stops_cleanly() -> None:
    with running_stack() as running:
        stack, process = running.description, running.process
        printed_tour(running)
        requests.get(stack["base_url"] + "/last-line", timeout=TIMEOUT)
        process.terminate()
        rest, _ = process.communicate(timeout=TIMEOUT)
        *lines, _, stopped = rest.splitlines()
        assert stopped == "Stopped."
        assert "404  GET /last-line" in lines[-1]
        assert not any(token in rest for token in stack["tokens"].values())
        assert process.returncode == 0
        assert not running.path.exists()
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(stack["base_url"].rsplit(":", 1)[1]))) != 0


def test_a_stack_that_ends_leaves_the_description_of_one_started_later(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    write_private(path, "the earlier stack")
    write_private(path, "the later stack")
    remove_if_unchanged(path, "the earlier stack")
    assert path.read_text() == "the later stack"
    remove_if_unchanged(path, "the later stack")
    assert not path.exists()
