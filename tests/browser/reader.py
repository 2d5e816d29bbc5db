"""What a reader of the page does, in a reader's words."""

import json
import re
from typing import Any, Self

from playwright.sync_api import Locator, Page, expect

REVOKE = "Revoke API key for application"
LANGUAGES = ("curl", "Python", "JavaScript", "Go", "Ruby")


class Reader:
    """Somebody before the page.

    Args:
        page: a browser's tab.
        stack: what `.local/stack.json` says.
    """

    def __init__(self, page: Page, stack: Any) -> None:
        self.page = page
        self._stack = stack

    def visit(self, address: str = "") -> Self:
        """Go to the page, where the stack has it unless an address is given, and wait until it is there."""
        self.page.goto(address or self._stack["base_url"] + "/")
        self.page.get_by_role("heading", name="API Keys", exact=True).wait_for()
        return self

    def operation(self, name: str = REVOKE) -> Locator:
        """Return the part of the page about an operation."""
        part = self.page.get_by_role("region", name=name, exact=True)
        part.scroll_into_view_if_needed()
        return part

    @property
    def console(self) -> Locator:
        return self.page.get_by_role("dialog")

    def try_it(self, name: str = REVOKE) -> Self:
        """Open the console on an operation."""
        self.operation(name).get_by_role("button", name="Test Request").click()
        self.console.get_by_role("button", name="Send").wait_for()
        return self

    def field(self, name: str) -> Locator:
        return self.console.get_by_label(name, exact=True)

    @property
    def token(self) -> Locator:
        return self.field("Bearer Token (JWT)")

    @property
    def base_url(self) -> Locator:
        return self.field("Base URL")

    def fill_in(self, **values: str) -> Self:
        """Fill in parameters, by name."""
        for name, value in values.items():
            self.field(name).fill(value)
        return self

    def paste(self, text: str) -> Self:
        """Put this on the clipboard and paste it as the token."""
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.token.focus()
        self.page.keyboard.press("Control+V")
        return self

    @property
    def send_button(self) -> Locator:
        return self.console.get_by_role("button", name="Send")

    @property
    def request(self) -> Locator:
        """The line beside Send that says what is going to be sent."""
        return self.console.get_by_text(re.compile(r"^(GET|POST|PUT|PATCH|DELETE) http")).last

    @property
    def response(self) -> Locator:
        return self.console.get_by_role("region", name="Response", exact=True)

    def send(self) -> tuple[int, Any]:
        """Send the request, and return status and body as the page shows them."""
        self.send_button.click()
        return self.shown()

    def sent(self) -> tuple[str, str | None]:
        """Send the request, and return the URL and the body that left the browser."""
        with self.page.expect_request(lambda request: "/api/v1/" in request.url) as caught:
            self.send()
        return caught.value.url, caught.value.post_data

    def shown(self) -> tuple[int, Any]:
        """Return status and body of the answer that the page shows."""
        status = self.response.get_by_role("status")
        expect(status).to_have_text(re.compile(r"^\d{3} .* in \d+ ms$"))
        body = self.response.locator("pre").inner_text()
        return int(status.inner_text().split()[0]), json.loads(body)

    def sample(self, language: str) -> str:
        """Return the console's sample in a language, to the letter, as a reader copies it."""
        preview = self.console.get_by_role("region", name="Request Preview")
        preview.get_by_text(language, exact=True).click()
        expect(preview.get_by_role("radio", name=language, exact=True)).to_be_checked()
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        preview.get_by_role("button", name=re.compile("^Cop(y|ied)$")).click()
        expect(preview.get_by_role("button", name="Copied")).to_be_visible()
        copied: str = self.page.evaluate("navigator.clipboard.readText()")
        assert copied == preview.locator("pre").inner_text(), "what is copied is what is shown"
        return copied
