"""You see what you are about to destroy: the whole request, beside Send, with whole ids."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Opener
from tests.browser.console.revoke import ABSENT, on_the_revoke
from tests.browser.reader import Reader
from tests.deployment import bad_request


@pytest.mark.parametrize("settings", [{}, PHONE], ids=["desktop", "phone"])
def test_the_whole_request_stands_beside_send(
    open_page: Opener, stack: Any, settings: dict[str, Any], screenshot: Callable[[Reader, str], None]
) -> None:
    reader = open_page(**settings).visit()
    reader.try_it()
    expect(reader.request).to_contain_text("/applications/{id}/api-keys/{keyId}")
    application = stack["applications"][0]["id"]
    reader.paste(stack["tokens"]["owner"]).fill_in(id=application, keyId=ABSENT)
    reader.field("reason").select_option("unused")
    whole = f"{stack['base_url']}/api/v1/applications/{application}/api-keys/{ABSENT}?reason=unused"
    expect(reader.request).to_have_text(f"DELETE {whole}")
    expect(reader.request).to_be_in_viewport(ratio=1)
    expect(reader.send_button).to_be_in_viewport(ratio=1)
    assert reader.request.evaluate("line => line.scrollWidth <= line.clientWidth"), "nothing is cut off"
    screenshot(reader, f"request-{'phone' if settings else 'desktop'}")
    assert reader.sent()[0] == whole


def test_the_preview_is_open(open_page: Opener) -> None:
    reader = open_page().visit().try_it()
    preview = reader.console.get_by_role("region", name="Request Preview")
    expect(preview.get_by_text("curl -X DELETE")).to_be_in_viewport()


def test_what_is_missing_is_asked_for(open_page: Opener, stack: Any) -> None:
    reader = open_page().visit().try_it().paste(stack["tokens"]["owner"])
    reader.fill_in(id=stack["applications"][0]["id"])
    reader.send_button.click()
    expect(reader.console.get_by_text("keyId is required.")).to_be_visible()
    expect(reader.field("keyId")).to_be_focused()
    expect(reader.response).to_contain_text("Response will appear here")


@pytest.mark.parametrize("key_id", ["..", "."])
def test_a_step_in_the_path_is_not_sent_as_an_id(open_page: Opener, stack: Any, key_id: str) -> None:
    """Guarantee: a browser would make another request of it than the one that is shown."""
    reader = on_the_revoke(open_page().visit(), stack, key_id)
    reader.send_button.click()
    expect(reader.console.get_by_text("another request")).to_be_visible()


@pytest.mark.parametrize("key_id", ["a..b?c#d&e", "%2e%2e", "ä'(!)*", "x y"])
def test_whatever_is_an_id_stays_one(open_page: Opener, stack: Any, key_id: str) -> None:
    reader = on_the_revoke(open_page().visit(), stack, key_id)
    url, _ = reader.sent()
    expect(reader.request).to_have_text(f"DELETE {url}")
    assert unquote(url.rsplit("/", 1)[1]) == key_id
    assert reader.shown() == (400, bad_request("keyId"))


def test_on_a_phone_the_answer_comes_into_view(
    open_page: Opener, stack: Any, screenshot: Callable[[Reader, str], None]
) -> None:
    reader = on_the_revoke(open_page(**PHONE).visit(), stack, "42")
    assert reader.send() == (400, bad_request("keyId"))
    expect(reader.response.get_by_text("400 Bad Request")).to_be_in_viewport()
    assert reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screenshot(reader, "phone-console")
