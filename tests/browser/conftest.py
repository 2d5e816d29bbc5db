"""A real browser before the running stack."""

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

from local.template import ROOT
from tests.browser.reader import Reader
from tests.running import running_stack

SCREENSHOTS = ROOT / ".local" / "screenshots"
PATIENCE = 15_000  # milliseconds for an element to appear, on a busy machine
DESKTOP = {"width": 1440, "height": 900}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}

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

    def open_page(*, tolerated: str = "server responded with a status of 4", **settings: Any) -> Reader:
        """Return a reader before a new tab.

        Args:
            tolerated: text of the error that the browser itself writes about what this test does.
            settings: of the browser.
        """
        context = browser.new_context(**({"viewport": DESKTOP} | settings))
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        pages.append(page)
        page.on(
            "console",
            lambda m: (
                said.append(m.text) if m.type in {"error", "warning"} and tolerated not in m.text else None
            ),
        )
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("response", lambda response: None if _is_local(response.url) else said.append(response.url))
        return Reader(page, stack)

    yield open_page
    for page in pages:
        page.context.close()
    assert said == [], "the page made an error, or spoke to somebody else"


def _is_local(url: str) -> bool:
    return re.match(r"(http://(127\.0\.0\.1|localhost):\d+/|data:|blob:)", url) is not None


@pytest.fixture
def screenshot() -> Callable[[Reader, str], None]:
    """Keep a picture of the page in .local/screenshots, for people to look at."""

    def screenshot(reader: Reader, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        reader.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return screenshot


class Keys:
    """The keys that tests issue, and whether they work.

    Args:
        stack: what `.local/stack.json` says.
    """

    def __init__(self, stack: Any) -> None:
        self._base_url: str = stack["base_url"]
        self._token: str = stack["tokens"]["owner"]
        self.application: str = stack["applications"][0]["id"]

    def issue(self) -> dict[str, str]:
        """Issue a key, and return what the API answers."""
        answer = requests.post(
            f"{self._base_url}/api/v1/applications/{self.application}/api-keys",
            json={"name": "browser"},
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=10,
        )
        issued: dict[str, str] = answer.json()
        return issued

    def read(self, key_id: str) -> dict[str, str]:
        """Return what is known of a key."""
        answer = requests.get(
            f"{self._base_url}/api/v1/applications/{self.application}/api-keys/{key_id}",
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=10,
        )
        known: dict[str, str] = answer.json()
        return known

    def is_accepted(self, issued: dict[str, str]) -> bool:
        """Tell whether a key lets its holder in."""
        headers = {"Authorization": f"Bearer {issued['key']}"}
        return requests.get(f"{self._base_url}/api/v1/whoami", headers=headers, timeout=10).status_code == 200


@pytest.fixture
def keys(stack: Any) -> Keys:
    return Keys(stack)
