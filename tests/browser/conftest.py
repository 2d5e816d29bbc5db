"""A real browser before the running stack."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from local.template import ROOT
from tests.browser.reader import Reader
from tests.running import running_stack

SCREENSHOTS = ROOT / ".local" / "screenshots"
PATIENCE = 15_000  # milliseconds for an element to appear, on a busy machine

type Opener = Callable[..., Reader]


@pytest.fixture(scope="session")
def stack() -> Iterator[Any]:
    with running_stack() as stack:
        yield stack.description


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is needed; on Debian: apt install chromium"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        # Without its sandbox, which cannot be had as root; it opens our own page only.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, stack: Any) -> Iterator[Opener]:
    """Open the page as a reader does; what it says to others, and any error, is kept for the test's end."""
    pages: list[Page] = []
    said: list[str] = []

    def open_page(**settings: Any) -> Reader:
        context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | settings))
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        pages.append(page)
        # Chromium logs each 4xx that a page asked for; the tests look at those themselves.
        page.on(
            "console",
            lambda m: (
                said.append(m.text)
                if m.type in {"error", "warning"} and "server responded with a status of 4" not in m.text
                else None
            ),
        )
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request", lambda request: said.append(request.url) if _is_foreign(request.url, stack) else None
        )
        return Reader(page, stack)

    yield open_page
    for page in pages:
        page.context.close()
    assert said == [], "the page made an error, or spoke to somebody else"


def _is_foreign(url: str, stack: Any) -> bool:
    port = stack["base_url"].rsplit(":", 1)[1]
    own = (f"http://127.0.0.1:{port}/", f"http://localhost:{port}/", "data:", "blob:")
    return not url.startswith(own)


@pytest.fixture
def screenshot() -> Callable[[Reader, str], None]:
    """Keep a picture of the page in .local/screenshots, for people to look at."""

    def screenshot(reader: Reader, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        reader.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return screenshot
