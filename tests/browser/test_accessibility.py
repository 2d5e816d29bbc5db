"""The reference page for those who do not see it, or use no mouse."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Keys, Opener
from tests.deployment import bad_request

CONSOLE = "dialog[open]"


def faults(page: Page, within: str = "html") -> dict[str, list[str]]:
    """Return the rules of axe that the page breaks, each with the elements that do.

    Args:
        page: to look at.
        within: selector of the part to look at.
    """
    violations = Axe().run(page, context=within).response["violations"]
    return {
        f"{found['id']}: {found['impact']}": [str(node["target"]) for node in found["nodes"]]
        for found in violations
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("settings", [{"viewport": DESKTOP}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(open_page: Opener, stack: Any, scheme: str, settings: dict[str, Any]) -> None:
    """Neither on the page, with everything unfolded, nor in the console, before and after sending."""
    reader = open_page(color_scheme=scheme, **settings).visit()
    reader.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert faults(reader.page) == {}
    reader.try_it().send_button.click()
    assert faults(reader.page, CONSOLE) == {}, "with what is missing"
    reader.paste(stack["tokens"]["owner"]).fill_in(id="42", keyId="42")
    assert reader.send() == (400, bad_request("id", "keyId"))
    reader.response.get_by_text("Response Headers").click()
    assert faults(reader.page, CONSOLE) == {}


@pytest.mark.parametrize(
    "name", ["Issue an API key", "Tell whether an API key is good", "List an application's API keys"]
)
def test_axe_finds_nothing_in_consoles_with_other_fields(open_page: Opener, name: str) -> None:
    assert faults(open_page().visit().try_it(name).page, CONSOLE) == {}


def test_axe_would_find_something(open_page: Opener) -> None:
    """That the test above can fail."""
    page = open_page().visit().page
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    page.evaluate("document.querySelector('img').removeAttribute('alt')")
    assert {name.split(":")[0] for name in faults(page)} == {"color-contrast", "image-alt"}


def test_on_a_phone_axe_finds_nothing_in_the_open_list(open_page: Opener) -> None:
    reader = open_page(**PHONE).visit()
    reader.page.get_by_role("button", name="Operations").click()
    expect(reader.page.get_by_role("navigation")).to_be_visible()
    assert faults(reader.page) == {}


def test_a_keyboard_reaches_send_in_under_20_stops(open_page: Opener, stack: Any, keys: Keys) -> None:
    issued = keys.issue()
    reader = open_page().visit()
    keyboard, stops = reader.page.keyboard, 0

    def tab_to(role: str, name: str) -> None:
        nonlocal stops
        wanted = reader.page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type] # a name of a role
        while not (wanted.count() and wanted.first.evaluate("one => one === document.activeElement")):
            assert stops < 20, f"no {name} yet"
            keyboard.press("Tab")
            stops += 1

    tab_to("link", "Skip to the first operation")
    expect(reader.page.get_by_role("link", name="Skip to the first operation")).to_be_in_viewport()
    keyboard.press("Enter")
    tab_to("button", "Test Request")
    keyboard.press("Enter")
    tab_to("textbox", "Bearer Token (JWT)")
    keyboard.insert_text(stack["tokens"]["owner"])
    tab_to("textbox", "id")
    keyboard.insert_text(keys.application)
    tab_to("textbox", "keyId")
    keyboard.insert_text(issued["id"])
    tab_to("button", "Send")
    keyboard.press("Enter")
    assert reader.shown() == (200, {})
    assert not keys.is_accepted(issued)
    keyboard.press("Escape")
    expect(reader.console).to_be_hidden()
    expect(reader.page.get_by_role("button", name="Test Request").first).to_be_focused()


def test_enter_in_a_field_sends_and_so_does_ctrl_enter_in_a_body(open_page: Opener, stack: Any) -> None:
    reader = open_page().visit().try_it().paste(stack["tokens"]["owner"]).fill_in(id="42", keyId="42")
    reader.field("keyId").press("Enter")
    assert reader.shown()[0] == 400
    reader.page.keyboard.press("Escape")
    reader.try_it("Create an application").field("Request Body").fill("{}")
    reader.field("Request Body").press("Control+Enter")
    assert reader.shown() == (400, bad_request(name="Field required"))


def test_the_answer_is_announced(open_page: Opener, stack: Any) -> None:
    reader = open_page().visit().try_it().paste(stack["tokens"]["owner"]).fill_in(id="42", keyId="42")
    reader.send()
    expect(reader.console.get_by_role("status")).to_contain_text("400 Bad Request")
