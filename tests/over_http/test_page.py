"""The reference page, the contract and what the page loads, over HTTP, also below a base path."""

import re
from urllib.parse import urljoin

import pytest

from tests.documented import CONTRACT
from tests.over_http.application import BOTH
from tests.over_http.stack import Stack

LINK = re.compile(r"""(?:src|href)=["']([^"':#]+)["']""")


@pytest.mark.parametrize("api", BOTH)
def test_the_page_and_whatever_it_links_to_are_there(stack: Stack, api: int) -> None:
    """Its links are relative: under a custom domain's base path they lead below it."""
    page = stack.send("GET", "/", api=api)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    links = LINK.findall(page.text)
    assert len(links) >= 3
    root = stack.apis[api].url + "/"
    for link in links:
        target = urljoin(root, link)
        assert target.startswith(root), f"{link} leads out of the API"
        assert stack.send("GET", "/" + target.removeprefix(root), api=api).status_code == 200


@pytest.mark.parametrize("api", BOTH)
def test_the_contract_is_there(stack: Stack, api: int) -> None:
    assert stack.send("GET", "/openapi.json", api=api).json() == CONTRACT.document


@pytest.mark.parametrize("path", ["/", "/openapi.json"])
def test_head_says_what_get_would(stack: Stack, path: str) -> None:
    head, get = stack.send("HEAD", path), stack.send("GET", path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "cache-control", "content-security-policy"):
        assert head.headers[name] == get.headers[name]


def test_another_method_on_the_page_is_a_405(stack: Stack) -> None:
    for path in ("/", "/openapi.json", "/assets/page.css"):
        answer = stack.send("POST", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
