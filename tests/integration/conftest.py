"""What holds for every integration test."""

import signal
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests

from tests.documented import CONTRACT, GATEWAYS_OWN


@pytest.fixture(autouse=True, scope="module")
def _every_answer_over_http_is_documented() -> Iterator[None]:
    """Hold what `requests` receives from the API against the contract, as Deployment.invoke() does in-process."""
    send = requests.Session.send

    def sending(
        session: requests.Session, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        response = send(session, request, **options)
        path = unquote(urlsplit(request.url).path)
        if path.startswith("/api/") or response.status_code != 200:
            headers = {
                name: value for name, value in response.headers.items() if name.lower() not in GATEWAYS_OWN
            }
            CONTRACT.check(str(request.method), path, response.status_code, headers, response.text)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "send", sending)
        yield


@pytest.fixture(autouse=True, scope="module")
def _signals_as_in_a_terminal() -> Iterator[None]:
    """Have what tests start end by Ctrl-C and hang-up, also where a shell in the background has them ignored."""
    handlers: dict[signal.Signals, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
