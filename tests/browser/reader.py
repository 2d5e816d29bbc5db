"""What a reader of the page does, in a reader's words."""

import json
import re
from typing import Any, Self

from playwright.sync_api import Locator, Page, expect

REVOKE = "Revoke API key for application"
# How the page calls the client of each language.
CLIENTS = {
    "Shell": "Curl",
    "Python": "http.client",
    "JavaScript": "Fetch",
    "Go": "NewRequest",
    "Ruby": "net::http",
}
# What only a sample in that language holds.
MARKS = {
    "Shell": "curl ",
    "Python": "import http.client",
    "JavaScript": "fetch(",
    "Go": "http.NewRequest",
    "Ruby": "Net::HTTP",
}


class Reader:
    """Somebody before the page.

    Args:
        page: a browser's tab.
        stack: what `.local/stack.json` says.
    """

    def __init__(self, page: Page, stack: Any) -> None:
        self.page = page
        self._stack = stack

    def visit(self) -> Self:
        """Go to the page, and wait until it is there."""
        self.page.goto(self._stack["base_url"] + "/")
        self.page.get_by_role("heading", name="API Keys", exact=True).wait_for()
        return self

    @property
    def base_url(self) -> Locator:
        return self.page.get_by_placeholder("value").first

    @property
    def token(self) -> Locator:
        return self.page.get_by_placeholder("Token").first

    def paste_token(self, text: str) -> None:
        """Put this on the clipboard and paste it into the token's field."""
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.token.focus()
        self.page.keyboard.press("Control+V")

    def operation(self, name: str = REVOKE) -> Locator:
        """Return the part of the page about an operation, after going there by the list at its side."""
        link = self.page.get_by_role("link", name=name).first
        if link.is_visible():  # a phone has none, and the first operation stands in the page
            link.click()
        part = self.page.get_by_role("region", name=name, exact=True)
        part.scroll_into_view_if_needed()
        return part

    @property
    def console(self) -> Locator:
        return self.page.get_by_role("dialog")

    def try_it(self, name: str = REVOKE) -> Locator:
        """Open the console on an operation."""
        self.operation(name).get_by_role("button", name="Test Request").click()
        self.console.get_by_role("button", name="Send").first.wait_for()
        return self.console

    def fill_in(self, parameter: str, value: str) -> None:
        """Fill in a path parameter in the console."""
        row = self.console.get_by_role("row").filter(has_text=re.compile(rf"^\s*{parameter}\s*Required"))
        row.get_by_role("combobox").nth(1).click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(value)
        expect(row).to_contain_text(value)

    def send(self) -> tuple[int, Any]:
        """Send the request, and return status and body as the page shows them."""
        self.console.get_by_role("button", name="Send").first.click()
        return self.shown()

    def shown(self) -> tuple[int, Any]:
        """Return status and body of the answer that the page shows."""
        answer = self.console.get_by_role("region", name="Response", exact=True)
        status = answer.get_by_text(re.compile(r"^\d{3} [A-Z]")).first
        status.wait_for()
        body = answer.locator(".cm-content").last
        body.wait_for()
        return int(status.inner_text().split()[0]), json.loads(body.inner_text())

    def sample(self, language: str, *holding: str) -> str:
        """Return the console's sample in a language, to the letter, once it holds what was filled in.

        Args:
            language: as the page calls it.
            holding: what it must come to hold: the page writes it anew a moment after each change.
        """
        picker = self.console.get_by_test_id("client-picker")
        if not picker.is_visible():
            self.console.get_by_role("button", name="Code Snippet").click()
        picker.click()
        self.page.get_by_role("option", name=CLIENTS[language], exact=True).click()
        sample = self.console.locator("pre").last
        for text in (MARKS[language], *holding):
            expect(sample).to_contain_text(text)
        return sample.inner_text()
