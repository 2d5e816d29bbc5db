"""The reference page, as its readers find it. Every test also fails on a console error or a foreign request."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Opener
from tests.browser.reader import REVOKE, Reader
from tests.documented import CONTRACT

SHOWN = [operation for _, _, operation in CONTRACT.operations() if not operation.get("x-internal")]
PROMISE = "That key loses access immediately; other keys for the application keep working."
FIRST_PAINT = 1000  # milliseconds


def test_it_begins_with_the_promise_and_the_revoke(
    open_page: Opener, screenshot: Callable[[Reader, str], None]
) -> None:
    page = open_page().visit().page
    assert PROMISE in page.get_by_role("main").inner_text()[:400]
    operations = page.get_by_role("heading", level=3)
    assert operations.first.inner_text() == REVOKE
    expect(page.get_by_role("button", name="Test Request").first).to_be_in_viewport()
    screenshot(Reader(page, None), "desktop")


def test_it_shows_every_operation_and_lists_it(open_page: Opener) -> None:
    page = open_page().visit().page
    for operation in SHOWN:
        expect(page.get_by_role("region", name=operation["summary"], exact=True)).to_be_visible()
    links = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
    assert [re.split(r"\s(?=[A-Z]+$)", link)[0] for link in links] == [
        heading.inner_text() for heading in page.get_by_role("heading", level=3).all()
    ]
    assert len(links) == len(SHOWN)


def test_the_list_leads_to_an_operation(open_page: Opener) -> None:
    reader = open_page().visit()
    reader.page.get_by_role("link", name="List your applications").click()
    expect(reader.page.get_by_role("heading", name="List your applications")).to_be_in_viewport()


def test_what_is_not_for_its_readers_is_not_on_it(open_page: Opener) -> None:
    """No models, no files of the page itself, and nothing that leads to anybody's services."""
    page = open_page().visit().page
    text = page.locator("body").inner_text()
    for absent in ("Models", "Client Libraries", "Read a file of the page", "Powered by", "Ask AI"):
        assert absent not in text
    addresses = [link.get_attribute("href") or "" for link in page.get_by_role("link").all()]
    assert [address for address in addresses if not re.match(r"#|openapi\.json$", address)] == []


def test_each_operation_says_its_scope_and_the_revoke_how_soon_it_works(open_page: Opener) -> None:
    reader = open_page().visit()
    for operation in SHOWN:
        text = reader.operation(operation["summary"]).inner_text()
        for way in operation.get("security", []):
            for scopes in way.values():
                assert all(f"Scope\n{scope}" in text for scope in scopes), operation["summary"]
    assert "Time to lose access\n0 s" in reader.operation().inner_text()


def test_it_has_a_name_and_an_icon(open_page: Opener, stack: Any) -> None:
    page = open_page().visit().page
    assert page.title() == "API Keys"
    icon = page.locator("link[rel=icon]").get_attribute("href")
    answer = page.request.get(f"{stack['base_url']}/{icon}")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")


def test_path_parameters_are_required_uuids(open_page: Opener) -> None:
    text = open_page().visit().operation().inner_text()
    for name, description in (("id", "Application ID"), ("keyId", "API key ID")):
        assert re.search(rf"\n{name} string, uuid Required\s+{description}\n", text)


def test_the_documented_errors_are_shown(open_page: Opener) -> None:
    part = open_page().visit().operation()
    responses = CONTRACT.responses("DELETE", "/api/v1/applications/{id}/api-keys/{keyId}")
    for status in ("400", "401", "403", "404"):
        part.get_by_text(status, exact=True).click()
        example = CONTRACT.follow(responses[status])["content"]["application/json"]["example"]
        expect(part.get_by_text(f'"{example["message"]}"').first).to_be_visible()
        expect(part.get_by_text(f'"{example["error"]}"').first).to_be_visible()


def test_it_is_there_within_a_second(open_page: Opener) -> None:
    """The best of three visits, each with an empty cache: other programs run on this machine too."""
    paints = []
    for _ in range(3):
        page = open_page().visit().page
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
    assert min(paints) < FIRST_PAINT


def test_it_can_be_read_before_any_script_has_run(open_page: Opener) -> None:
    page = open_page(java_script_enabled=False).visit().page
    expect(page.get_by_role("heading", name=REVOKE)).to_be_visible()
    expect(page.get_by_text(PROMISE).first).to_be_visible()


def test_on_a_phone_it_fits_and_its_list_opens(
    open_page: Opener, screenshot: Callable[[Reader, str], None]
) -> None:
    reader = open_page(**PHONE).visit()
    assert reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screenshot(reader, "phone")
    link = reader.page.get_by_role("link", name="Rotate an API key")
    expect(link).to_be_hidden()
    reader.page.get_by_role("button", name="Operations").click()
    link.click()
    expect(link).to_be_hidden()
    expect(reader.page.get_by_role("heading", name="Rotate an API key")).to_be_in_viewport()


@pytest.mark.parametrize(("scheme", "darkest", "brightest"), [("light", 700, 765), ("dark", 0, 100)])
def test_it_is_as_dark_as_the_reader_prefers(
    open_page: Opener,
    screenshot: Callable[[Reader, str], None],
    scheme: str,
    darkest: int,
    brightest: int,
) -> None:
    reader = open_page(color_scheme=scheme).visit()
    color = reader.page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in re.findall(r"\d+", color)[:3])
    assert darkest <= brightness <= brightest
    screenshot(reader, scheme)
