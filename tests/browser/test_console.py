"""The console of the reference page: what is shown is what is sent. Every test also fails on a console error."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Keys, Opener
from tests.browser.mounted import mounted
from tests.browser.reader import Reader
from tests.deployment import UNAUTHORIZED, bad_request
from tests.running import free_ports

ABSENT = "00000000-0000-4000-8000-000000000000"
LIST = "List an application's API keys"


def on_the_revoke(reader: Reader, stack: Any, key_id: str) -> Reader:
    """Open the revoke, with everything filled in."""
    reader.try_it().paste(stack["tokens"]["owner"])
    return reader.fill_in(id=stack["applications"][0]["id"], keyId=key_id)


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


# 1. What is shown is what is sent


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


# 2. See what you are about to destroy


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


# 4. The token


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "Bearer {}",
        "bearer  {}\n",
        "Authorization: Bearer {}",
        "authorization:Bearer\n{}",
        '"{}"',
        "'Bearer {}'",
        '-H "Authorization: Bearer {}" \\',
    ],
)
def test_a_token_is_taken_out_of_what_was_pasted(open_page: Opener, stack: Any, around: str) -> None:
    token = stack["tokens"]["owner"]
    reader = open_page().visit().try_it().paste(around.format(token))
    expect(reader.token).to_have_value(token)
    assert f'"Authorization: Bearer {token}"' in reader.sample("curl")


def test_a_token_with_line_breaks_is_mended(open_page: Opener, stack: Any) -> None:
    token = stack["tokens"]["owner"]
    broken = "\r\n  ".join(re.findall(".{1,64}", token))
    reader = open_page().visit().try_it().paste(broken)
    expect(reader.token).to_have_value(token)


def test_a_token_that_is_typed_is_cleaned_too(open_page: Opener, stack: Any) -> None:
    token = stack["tokens"]["owner"]
    reader = open_page().visit().try_it()
    reader.token.press_sequentially(f"Authorization: Bearer {token[:30]}")
    expect(reader.token).to_have_value(token[:30])


def test_without_a_token_it_is_asked_for_first_and_then_it_is_401(open_page: Opener, stack: Any) -> None:
    reader = open_page().visit().try_it()
    reader.fill_in(id=stack["applications"][0]["id"], keyId=stack["applications"][0]["api_keys"][0]["id"])
    reader.send_button.click()
    expect(reader.console.get_by_text("Enter it first.")).to_be_visible()
    expect(reader.token).to_be_focused()
    expect(reader.response).to_contain_text("Response will appear here")
    assert reader.send() == (401, UNAUTHORIZED)
    expect(reader.console.get_by_text("Enter it first.")).to_have_count(0)


def test_a_token_is_masked_until_it_is_to_be_shown(open_page: Opener, stack: Any) -> None:
    reader = open_page().visit().try_it().paste(stack["tokens"]["owner"])
    sample = reader.console.get_by_text(stack["tokens"]["owner"])
    masked, cut_off = (
        "field => getComputedStyle(field).webkitTextSecurity === 'disc'",
        "text => text.offsetWidth < 100 && text.scrollWidth > 1000",
    )
    assert reader.token.evaluate(masked)
    assert sample.evaluate(cut_off)
    reader.field("Show").check()
    assert not reader.token.evaluate(masked)
    assert not sample.evaluate(cut_off)


def test_one_token_does_for_every_operation(open_page: Opener, stack: Any) -> None:
    reader = open_page().visit().try_it().paste(stack["tokens"]["owner"])
    reader.console.get_by_role("button", name="Close").click()
    reader.try_it("List your applications")
    assert reader.send()[0] == 200


# 5. Where it is sent


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


def test_on_a_phone_the_answer_comes_into_view(
    open_page: Opener, stack: Any, screenshot: Callable[[Reader, str], None]
) -> None:
    reader = on_the_revoke(open_page(**PHONE).visit(), stack, "42")
    assert reader.send() == (400, bad_request("keyId"))
    expect(reader.response.get_by_text("400 Bad Request")).to_be_in_viewport()
    assert reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screenshot(reader, "phone-console")
