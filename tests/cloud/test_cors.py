"""Cross-origin requests: an allowed page can revoke, another cannot; told to a client, and tried in a browser."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.cloud.deployed import Deployed
from tests.cloud.origin import Origin
from tests.over_http.application import BOTH

# What a browser asks before the documented DELETE.
PREFLIGHT = {
    "Access-Control-Request-Method": "DELETE",
    "Access-Control-Request-Headers": "authorization,content-type",
}
REVOKE = """
    async ([url, token]) => {
        try {
            const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
            const answer = await fetch(url, { method: "DELETE", headers });
            return [answer.status, await answer.text()];
        } catch (error) {
            return [0, String(error)];
        }
    }
"""


@pytest.fixture
def allowed(stack: Deployed) -> Origin:
    assert stack.allowed
    return stack.allowed


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is needed; on Debian: apt install chromium"
    with sync_playwright() as playwright:
        # Without its sandbox, which cannot be had as root; it opens our own pages only.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


def revoke_from_a_page(browser: Browser, stack: Deployed, origin: Origin, path: str) -> tuple[int, str]:
    """Open the origin's page and let it send the documented DELETE; status 0 if the browser does not let it."""
    page = browser.new_page()
    page.goto(origin.url)
    # The name under which the API is reached; Chromium knows by itself that it means this machine.
    host = stack.apis[0].headers["Host"] + ":" + stack.apis[0].url.rsplit(":", 1)[1]
    status, text = page.evaluate(REVOKE, [f"http://{host}{path}", stack.token()])
    page.close()
    return status, text


def test_a_page_of_an_allowed_origin_revokes_from_a_browser(
    stack: Deployed, allowed: Origin, browser: Browser
) -> None:
    key = stack.put_key()
    path = stack.key_path(key.application_id, key.key_id)
    assert revoke_from_a_page(browser, stack, allowed, path) == (200, "{}")
    assert "revokedAt" in (stack.stored(key.key_id) or {})


def test_a_page_of_another_origin_does_not(stack: Deployed, browser: Browser) -> None:
    """Guarantee: the browser is told nothing that would let it send the request, and so the key stays."""
    key = stack.put_key()
    path = stack.key_path(key.application_id, key.key_id)
    with Origin() as another:
        status, text = revoke_from_a_page(browser, stack, another, path)
    assert (status, "Failed to fetch" in text) == (0, True)
    assert stack.stored(key.key_id)
    assert "revokedAt" not in (stack.stored(key.key_id) or {})


@pytest.mark.parametrize("api", BOTH)
@pytest.mark.parametrize("path", ["/api/v1/applications/1/api-keys/2", "/api/v1/whoami", "/no/such/route"])
def test_a_preflight_of_an_allowed_origin_is_a_204(
    stack: Deployed, allowed: Origin, path: str, api: int
) -> None:
    answer = stack.send("OPTIONS", path, api=api, headers=PREFLIGHT | {"Origin": allowed.url})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == allowed.url
    assert "DELETE" in answer.headers["access-control-allow-methods"].split(",")
    assert {"authorization", "content-type"} <= set(answer.headers["access-control-allow-headers"].split(","))
    assert answer.headers["access-control-max-age"] == "600"
    assert "access-control-allow-credentials" not in answer.headers


def test_an_answer_tells_an_allowed_origin_that_it_may_read_it(stack: Deployed, allowed: Origin) -> None:
    for origin in (allowed.url, "https://evil.example.com"):
        answer = stack.send("GET", "/api/v1/applications", stack.token(), headers={"Origin": origin})
        assert answer.status_code == 200
        told = answer.headers.get("access-control-allow-origin")
        assert told == (origin if origin == allowed.url else None)
