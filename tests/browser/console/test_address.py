"""Where a request is sent, and why one is not."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Keys, Opener
from tests.browser.console.revoke import ABSENT, on_the_revoke
from tests.browser.mounted import mounted
from tests.running import free_ports


def test_the_base_url_can_be_edited_and_is_where_the_request_goes(
    open_page: Opener, stack: Any, keys: Keys
) -> None:
    """Also across origins: API Gateway's CORS lets the page of one name call the API under the other."""
    other = stack["base_url"].replace("127.0.0.1", "localhost")
    reader = on_the_revoke(open_page().visit(), stack, keys.issue()["id"])
    reader.base_url.fill(other + "/")
    url, _ = reader.sent()
    assert url.startswith(f"{other}/api/v1/applications/{keys.application}/")
    assert reader.shown() == (200, {})


@pytest.mark.parametrize("base_path", ["/prod", "/keys/v2"])
def test_it_is_right_under_a_stage_or_a_base_path(
    open_page: Opener, stack: Any, keys: Keys, base_path: str
) -> None:
    issued = keys.issue()
    with mounted(stack["base_url"], base_path) as there:
        reader = on_the_revoke(open_page().visit(there + "/"), stack, issued["id"])
        expect(reader.base_url).to_have_value(there)
        url, _ = reader.sent()
        assert reader.shown() == (200, {})
        assert url.startswith(f"{there}/api/v1/")
        reader.console.get_by_role("button", name="Close").click()
        contract = reader.page.get_by_role("link", name="OpenAPI document").evaluate("link => link.href")
        assert contract == f"{there}/openapi.json"
        assert reader.page.request.get(contract).ok
    assert not keys.is_accepted(issued)


def test_a_host_that_the_policy_does_not_allow_is_explained(open_page: Opener, stack: Any) -> None:
    reader = on_the_revoke(open_page(tolerated="Content Security Policy").visit(), stack, ABSENT)
    reader.base_url.fill("https://api.example.com")
    for _ in range(2):
        reader.send_button.click()
        expect(reader.response).to_contain_text(
            "Nothing was sent: this deployment does not allow its page to speak to https://api.example.com. "
            "Whoever deploys it can add that origin to its parameter ReferenceServers."
        )


def test_a_host_that_does_not_answer_is_explained(open_page: Opener, stack: Any) -> None:
    reader = on_the_revoke(open_page(tolerated="ERR_CONNECTION_REFUSED").visit(), stack, ABSENT)
    nobody = f"http://127.0.0.1:{free_ports()}"
    reader.base_url.fill(nobody)
    reader.send_button.click()
    expect(reader.response).to_contain_text(f"No answer from {nobody}.")


@pytest.mark.parametrize("text", ["", "api.example.com", "ftp://api.example.com", "https://"])
def test_a_base_url_that_is_none_is_not_sent_to(open_page: Opener, stack: Any, text: str) -> None:
    reader = on_the_revoke(open_page().visit(), stack, ABSENT)
    reader.base_url.fill(text)
    reader.send_button.click()
    expect(reader.console.get_by_text("must begin with https:// or http://")).to_be_visible()
    expect(reader.base_url).to_be_focused()
