"""What is shown is what is sent. Every test also fails on a console error."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Keys, Opener
from tests.browser.console.revoke import ABSENT, on_the_revoke
from tests.browser.reader import Reader

LIST = "List an application's API keys"


def test_paste_token_fill_ids_send_and_see_200(
    open_page: Opener, stack: Any, keys: Keys, screenshot: Callable[[Reader, str], None]
) -> None:
    issued = keys.issue()
    reader = on_the_revoke(open_page().visit(), stack, issued["id"])
    assert keys.is_accepted(issued)
    assert reader.send() == (200, {})
    assert not keys.is_accepted(issued)
    expect(reader.response).to_contain_text("The key is revoked, by this call or an earlier one.")
    screenshot(reader, "console")
    reader.response.get_by_text("Response Headers").click()
    expect(reader.response.get_by_text("no-store")).to_be_visible()


def test_an_optional_parameter_counts_as_soon_as_it_is_chosen(
    open_page: Opener, stack: Any, keys: Keys
) -> None:
    issued = keys.issue()
    reader = on_the_revoke(open_page().visit(), stack, issued["id"])
    reader.field("reason").select_option("rotated")
    url, _ = reader.sent()
    assert url.endswith("?reason=rotated")
    assert keys.read(issued["id"])["revokedReason"] == "rotated"


def test_an_optional_parameter_that_nobody_touched_is_empty_and_not_sent(
    open_page: Opener, stack: Any, keys: Keys
) -> None:
    issued = keys.issue()
    reader = on_the_revoke(open_page().visit(), stack, issued["id"])
    expect(reader.field("reason")).to_have_value("")
    url, _ = reader.sent()
    assert "?" not in url
    assert keys.read(issued["id"])["revokedReason"] is None


def test_a_number_counts_as_soon_as_it_is_typed_and_no_longer_once_it_is_gone(
    open_page: Opener, stack: Any
) -> None:
    reader = open_page().visit().try_it(LIST).paste(stack["tokens"]["owner"])
    reader.fill_in(id=stack["applications"][0]["id"])
    expect(reader.field("limit")).to_have_value("")
    reader.field("limit").press_sequentially("1")
    reader.field("revoked").check()
    reader.field("active").check()
    assert reader.sent()[0].endswith("/api-keys?limit=1&status=active,revoked")
    assert len(reader.shown()[1]["items"]) == 1
    reader.field("limit").clear()
    reader.field("revoked").uncheck()
    assert reader.sent()[0].endswith("/api-keys?status=active")


def test_a_body_is_sent_as_it_is_shown_and_one_that_may_be_left_out_is(
    open_page: Opener, stack: Any, keys: Keys
) -> None:
    reader = open_page().visit().try_it("Rotate an API key").paste(stack["tokens"]["owner"])
    reader.fill_in(id=keys.application, keyId=keys.issue()["id"])
    expect(reader.field("Request Body")).to_have_value("")
    assert reader.sent()[1] is None
    assert reader.shown()[0] == 201
    reader.fill_in(keyId=keys.issue()["id"])
    reader.console.get_by_role("button", name=re.compile("for the body")).click()
    shown = reader.field("Request Body").input_value()
    assert reader.sent()[1] == shown
    assert reader.shown()[0] == 201


def test_a_form_is_sent_as_one(open_page: Opener, stack: Any, keys: Keys) -> None:
    issued = keys.issue()
    reader = open_page().visit().try_it("Tell whether an API key is good").paste(stack["tokens"]["owner"])
    reader.fill_in(token=issued["key"])
    assert reader.sent()[1] == f"token={issued['key']}"
    assert reader.shown()[1]["active"] is True


def test_a_key_is_tried_as_its_holder_would(open_page: Opener, keys: Keys) -> None:
    issued = keys.issue()
    reader = open_page().visit().try_it("Tell the holder of an API key whose it is")
    reader.field("X-API-Key").fill(issued["key"])
    status, body = reader.send()
    assert (status, body["keyId"]) == (200, issued["id"])


def test_an_answer_says_what_it_is_the_answer_to(open_page: Opener, stack: Any) -> None:
    reader = on_the_revoke(open_page().visit(), stack, ABSENT)
    reader.send()
    reader.fill_in(keyId=stack["applications"][0]["api_keys"][1]["id"])
    expect(reader.response).to_contain_text(f"/api-keys/{ABSENT}")


def test_pressing_send_twice_sends_once(open_page: Opener, stack: Any) -> None:
    """Guarantee: an impatient reader who creates something creates one of it."""
    reader = open_page().visit().try_it("Create an application").paste(stack["tokens"]["owner"])
    sent: list[str] = []
    reader.page.on("request", lambda request: sent.append(request.method))
    reader.send_button.dblclick()
    assert reader.shown()[0] == 201
    assert sent == ["POST"]
