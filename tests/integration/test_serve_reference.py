"""The page, the contract and what the page loads."""

import re
from pathlib import Path
from typing import Any

import pytest

from apikeys.settings import SettingsError
from local.functions import Context
from local.template import ROOT, Template
from tests.deployment import NOT_FOUND, Answer, Deployment, sample_event
from tests.documented import CONTRACT

WHOLE_PAGE = 32 * 1024  # bytes, compressed
FUNCTION = "ServeReferenceFunction"


def request(path: str, *, method: str = "GET", before: str = "", **headers: Any) -> dict[str, Any]:
    """Return the event of a request.

    Args:
        path: of it.
        method: of it.
        before: what API Gateway has before the path: nothing, a named stage, a custom domain's base path.
        headers: of it, hyphens spelled as underscores.
    """
    name = path.removeprefix("/assets/")
    route = f"{method} {path}" if name == path else f"{method} /assets/{{name}}"
    event = sample_event("serve_reference/200") | {"rawPath": before + path, "routeKey": route}
    event["pathParameters"] = None if name == path else {"name": name}
    event["requestContext"]["http"] |= {"method": method, "path": before + path}
    event["headers"] = {name.replace("_", "-"): value for name, value in headers.items()}
    return event


def get(deployment: Deployment, path: str, **headers: str) -> Answer:
    return deployment.invoke(FUNCTION, request(path, **headers))


def assets(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="(assets/[^"]+)"', page)


def test_the_page_loads_its_own_files_and_nothing_else(deployment: Deployment) -> None:
    page = get(deployment, "/").text
    assert {name.rsplit(".", 1)[1] for name in assets(page)} == {"css", "js", "svg"}
    assert re.findall(r'(?:src|href)="(?!assets/|#|openapi\.json")[^"]*"', page) == []
    assert "style=" not in page
    for name in assets(page):
        assert get(deployment, f"/{name}").status == 200


def test_the_contract_is_served_as_json(deployment: Deployment) -> None:
    assert get(deployment, "/openapi.json").body == CONTRACT.document


def test_what_has_a_lasting_name_may_be_kept_for_ever_and_the_rest_not(deployment: Deployment) -> None:
    page = get(deployment, "/")
    assert page.headers["cache-control"] == "no-cache"
    for name in assets(page.text):
        assert get(deployment, f"/{name}").headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8"])
def test_it_is_compressed_for_who_accepts_that(deployment: Deployment, accepted: str) -> None:
    plain, compressed = get(deployment, "/"), get(deployment, "/", accept_encoding=accepted)
    assert compressed.headers == plain.headers | {"content-encoding": "gzip"}
    assert compressed.text == plain.text


@pytest.mark.parametrize(
    "accepted",
    ["gzip;q=0", "gzip; q=0.000", "gzip;q=0, br", "br", "notgzip", "gzip2", "*;q=0", "", "x" * 8000],
)
def test_it_is_not_compressed_for_who_does_not(deployment: Deployment, accepted: str) -> None:
    assert "content-encoding" not in get(deployment, "/", accept_encoding=accepted).headers


@pytest.mark.parametrize("before", ["", "/prod", "/keys", "/keys/prod"])
def test_all_of_it_is_there_under_a_stage_and_a_base_path(deployment: Deployment, before: str) -> None:
    """Guarantee: what stands before the path, and AWS's documentation and its users disagree on that, has no say."""
    page = deployment.invoke(FUNCTION, request("/", before=before))
    assert page == get(deployment, "/")
    for path in ("/openapi.json", *(f"/{name}" for name in assets(page.text))):
        assert deployment.invoke(FUNCTION, request(path, before=before)) == get(deployment, path)


@pytest.mark.parametrize("accepted", [{}, {"accept_encoding": "gzip"}])
def test_head_has_the_headers_of_get_and_no_body(deployment: Deployment, accepted: dict[str, str]) -> None:
    for path in ("/", "/openapi.json", f"/{assets(get(deployment, '/').text)[0]}"):
        result = deployment.handlers[FUNCTION](request(path, method="HEAD", **accepted), Context(FUNCTION))
        assert result == {"statusCode": 200, "headers": get(deployment, path, **accepted).headers, "body": ""}


def test_the_whole_page_is_small() -> None:
    bundle = ROOT / "functions" / "serve_reference" / "bundle"
    loaded = [path for path in bundle.iterdir() if path.name != "openapi.json.gz"]
    assert sum(path.stat().st_size for path in loaded) < WHOLE_PAGE


@pytest.mark.parametrize(
    "path", ["/assets/index.html", "/assets/openapi.json", "/assets/", "/assets/../app.py", "/assets/x.js"]
)
def test_404_for_anything_else_under_assets(deployment: Deployment, path: str) -> None:
    answer = get(deployment, path)
    assert (answer.status, answer.body) == (404, NOT_FOUND)


def test_the_policy_lets_nobody_in() -> None:
    """Guarantee: a page that handles tokens runs our own code only, and speaks only to whom it was told of."""
    template = Template({"ReferenceServers": "https://api.example.com https://eu.example.com"})
    for deployed, servers in (
        (Template({}), []),
        (template, ["https://api.example.com", "https://eu.example.com"]),
    ):
        handler = deployed.functions()[FUNCTION].load()
        headers = handler(sample_event("serve_reference/200"), Context(FUNCTION))["headers"]
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["img-src"] == "'self'"
        assert policy["connect-src"].split(" ") == ["'self'", *servers]
        assert {policy[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}


def test_a_function_without_its_bundle_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text((ROOT / "functions" / "serve_reference" / "app.py").read_text())
    function = Template({}).functions()[FUNCTION]
    object.__setattr__(function, "code", tmp_path)
    with pytest.raises(SettingsError, match="make build"):
        function.load()
