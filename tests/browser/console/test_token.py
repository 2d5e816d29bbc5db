"""A token, however it was pasted."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.deployment import UNAUTHORIZED


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
