"""The reference page, as its readers use it. Every test also fails on a console error or a foreign request."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Literal

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.browser.reader import CLIENTS, REVOKE, Reader
from tests.deployment import UNAUTHORIZED, bad_request
from tests.documented import CONTRACT

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
BUTTON: Literal["button"] = "button"
LINK: Literal["link"] = "link"
OPERATIONS = [operation["summary"] for _, _, operation in CONTRACT.operations()]


def issue(stack: Any) -> tuple[str, dict[str, Any]]:
    """Issue a key, and return its application's id and the answer's body."""
    application = stack["applications"][0]["id"]
    answer = requests.post(
        f"{stack['base_url']}/api/v1/applications/{application}/api-keys",
        json={"name": "browser"},
        headers={"Authorization": f"Bearer {stack['tokens']['owner']}"},
        timeout=10,
    )
    issued: dict[str, Any] = answer.json()
    return application, issued


def is_accepted(stack: Any, issued: dict[str, Any]) -> bool:
    headers = {"Authorization": f"Bearer {issued['key']}"}
    return requests.get(f"{stack['base_url']}/api/v1/whoami", headers=headers, timeout=10).status_code == 200


def fill_in_the_revoke(reader: Reader, stack: Any, key_id: str) -> None:
    reader.try_it()
    reader.fill_in("id", stack["applications"][0]["id"])
    reader.fill_in("keyId", key_id)


def test_it_begins_with_the_promise(open_page: Opener, screenshot: Callable[[Reader, str], None]) -> None:
    reader = open_page().visit()
    text = reader.page.get_by_role("main").inner_text()
    assert "That key loses access immediately; other keys for the application keep working." in text[:400]
    screenshot(reader, "desktop")


def test_nothing_on_it_leads_to_its_makers_services(open_page: Opener) -> None:
    """No AI assistant, no deploying, no sharing, no other console; one line of credit."""
    page = open_page().visit().page
    for name in ("Ask AI", "Deploy", "Share", "Generate MCP", "Connect MCP", "Open API Client", "Configure"):
        for role in (BUTTON, LINK):
            assert page.get_by_role(role, name=name).count() == 0, name
    links = page.evaluate("[...document.querySelectorAll('a[href^=http]')].map(a => a.href)")
    foreign = {link for link in links if not link.startswith("http://127.0.0.1")}
    assert {re.split("[/?]", link)[2] for link in foreign} <= {"www.scalar.com", "spdx.org"}


def test_every_operation_is_there_with_a_sample_in_each_language(open_page: Opener) -> None:
    reader = open_page().visit()
    for name in OPERATIONS:
        reader.operation(name).get_by_test_id("client-picker").click()
        expect(reader.page.get_by_role("option")).to_have_count(len(CLIENTS))
        assert set(reader.page.get_by_role("option").all_inner_texts()) == set(CLIENTS.values()), name
        reader.page.keyboard.press("Escape")


def test_path_parameters_are_required_uuids(open_page: Opener) -> None:
    text = open_page().visit().operation().inner_text()
    for name, description in (("id", "Application ID"), ("keyId", "API key ID")):
        part = text[text.index(f"\n{name}\n") : text.index(description)]
        assert "required" in part
        assert "uuid" in part


def test_the_documented_errors_are_shown(open_page: Opener) -> None:
    part = open_page().visit().operation()
    responses = CONTRACT.responses("DELETE", "/api/v1/applications/{id}/api-keys/{keyId}")
    for status in ("400", "401", "403", "404"):
        part.get_by_role("tab", name=status).click()
        example = CONTRACT.follow(responses[status])["content"]["application/json"]["example"]
        expect(part.get_by_text(f'"{example["message"]}"').first).to_be_visible()
        expect(part.get_by_text(f'"{example["error"]}"').first).to_be_visible()


def test_paste_token_fill_ids_send_and_see_200(
    open_page: Opener, stack: Any, screenshot: Callable[[Reader, str], None]
) -> None:
    _, issued = issue(stack)
    reader = open_page().visit()
    reader.paste_token(stack["tokens"]["owner"])
    fill_in_the_revoke(reader, stack, issued["id"])
    assert is_accepted(stack, issued)
    assert reader.send() == (200, {})
    assert not is_accepted(stack, issued)
    shown = reader.console.get_by_role("region", name="Response", exact=True).inner_text()
    assert re.search(r"\d+\s*ms", shown), "the time it took"
    reader.console.get_by_role("button", name="Response Headers").click()
    expect(reader.console.get_by_text("no-store")).to_be_visible()
    screenshot(reader, "console")


def test_a_bad_id_is_answered_with_the_documented_400(open_page: Opener, stack: Any) -> None:
    reader = open_page().visit()
    reader.paste_token(stack["tokens"]["owner"])
    fill_in_the_revoke(reader, stack, "42")
    assert reader.send() == (400, bad_request("keyId"))


def test_without_a_token_it_is_401(open_page: Opener, stack: Any) -> None:
    reader = open_page().visit()
    fill_in_the_revoke(reader, stack, stack["applications"][0]["api_keys"][0]["id"])
    assert reader.send() == (401, UNAUTHORIZED)


@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer  ", "  Bearer "])
def test_bearer_is_added_once_even_to_a_token_pasted_with_it(
    open_page: Opener, stack: Any, prefix: str
) -> None:
    token = stack["tokens"]["owner"]
    reader = open_page().visit()
    reader.paste_token(prefix + token)
    assert reader.token.input_value() == token
    reader.try_it()
    assert reader.sample("Shell", f"'Authorization: Bearer {token}'")


def test_the_base_url_can_be_edited_and_is_where_the_request_goes(open_page: Opener, stack: Any) -> None:
    """Also across origins: API Gateway's CORS lets the page of one name call the API under the other."""
    _, issued = issue(stack)
    other = stack["base_url"].replace("127.0.0.1", "localhost")
    reader = open_page().visit()
    reader.base_url.fill(other)
    reader.paste_token(stack["tokens"]["owner"])
    fill_in_the_revoke(reader, stack, issued["id"])
    assert reader.sample("Shell", f"{other}/api/v1/applications/{stack['applications'][0]['id']}")
    with reader.page.expect_request(lambda request: request.method == "DELETE") as sent:
        assert reader.send() == (200, {})
    assert sent.value.url.startswith(other)


@pytest.mark.parametrize("language", CLIENTS)
def test_each_languages_sample_has_the_ids_filled_in(open_page: Opener, stack: Any, language: str) -> None:
    application, key_id = stack["applications"][0]["id"], "7d444840-9dc0-11d1-b245-5ffdce74fad2"
    reader = open_page().visit()
    fill_in_the_revoke(reader, stack, key_id)
    assert reader.sample(language, f"/api/v1/applications/{application}/api-keys/{key_id}")


@pytest.mark.parametrize(
    ("language", "command"),
    [
        ("Shell", ["bash", "-c"]),
        ("Python", [sys.executable, "-c"]),
        ("JavaScript", [f"{sys.prefix}/bin/node", "--input-type=module", "-e"]),
    ],
)
def test_the_sample_of_the_revoke_runs_as_it_stands(
    open_page: Opener, stack: Any, language: str, command: list[str]
) -> None:
    _, issued = issue(stack)
    reader = open_page().visit()
    reader.paste_token(stack["tokens"]["owner"])
    fill_in_the_revoke(reader, stack, issued["id"])
    assert shutil.which(command[0])
    assert is_accepted(stack, issued)
    sample = reader.sample(language, issued["id"], stack["tokens"]["owner"])
    subprocess.run([*command, sample], check=True, capture_output=True, timeout=30)
    assert not is_accepted(stack, issued)


def test_on_a_phone_it_fits_and_sends(
    open_page: Opener, stack: Any, screenshot: Callable[[Reader, str], None]
) -> None:
    reader = open_page(**PHONE).visit()
    assert reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screenshot(reader, "phone")
    reader.paste_token(stack["tokens"]["owner"])
    fill_in_the_revoke(reader, stack, "42")
    assert reader.send() == (400, bad_request("keyId"))
    answer = reader.console.get_by_role("region", name="Response", exact=True)
    expect(answer.get_by_text("400 Bad Request")).to_be_in_viewport()
    assert reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screenshot(reader, "phone-console")


def test_it_is_dark_where_the_reader_prefers_dark(
    open_page: Opener, screenshot: Callable[[Reader, str], None]
) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        reader = open_page(color_scheme=scheme).visit()
        reader.operation().get_by_role("heading", name=REVOKE).scroll_into_view_if_needed()
        color = reader.page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness[scheme] = sum(int(part) for part in re.findall(r"\d+", color)[:3])
        screenshot(reader, scheme)
    assert brightness["dark"] < 100
    assert brightness["light"] > 700


def test_it_can_be_used_by_keyboard_alone(open_page: Opener, stack: Any) -> None:
    reader = open_page().visit()
    keyboard = reader.page.keyboard
    for _ in range(60):
        keyboard.press("Tab")
        if reader.token.evaluate("field => field === document.activeElement"):
            break
    keyboard.insert_text(stack["tokens"]["owner"])
    reader.operation().get_by_role("button", name="Test Request").focus()
    keyboard.press("Enter")
    reader.console.get_by_role("button", name="Send").first.wait_for()
    keyboard.press("Control+Enter")
    status, _ = reader.shown()
    assert status == 200
    keyboard.press("Escape")
    expect(reader.console).to_be_hidden()


def test_search_finds_an_operation(open_page: Opener) -> None:
    page = open_page().visit().page
    page.get_by_role("button", name="Open Search").first.click()
    page.keyboard.type("rotate")
    expect(page.get_by_role("option").filter(has_text="Rotate an API key").first).to_be_visible()
