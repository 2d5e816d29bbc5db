"""The canary function, with the stack's real functions behind a gateway that may go on letting keys in."""

import contextvars
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from local.functions import Context
from tests.deployment import EVERYTHING, Deployment

FUNCTION = "MeasureRevocationFunction"
API = "https://api.example.com"
WHOAMI = f"{API}/api/v1/whoami"
GUARDED = EVERYTHING["GuardedUrls"]
OWNER = EVERYTHING["CanaryOwner"]
SCOPES = "api-keys:read api-keys:write api-keys:revoke"
CREDENTIALS = {"tokenUrl": "https://issuer.example.com/token", "clientId": OWNER, "clientSecret": "s3cret"}
TOKEN = f"POST {CREDENTIALS['tokenUrl']}"
REFUSED = json.dumps({"message": "Forbidden"})


@dataclass
class Gateway:
    """Stands in for urllib3's pool of connections; each request takes 10 ms.

    Attributes:
        late: seconds for which a URL lets a revoked key in.
        answers: by the beginning of `METHOD URL`, the statuses of the next answers; 0 is the real one.
        scopes: of the tokens that the issuer gives.
        owner: whom they act for.
        sent: each request, as `METHOD URL`.
        now: seconds, by the canary's clock, which began to run a moment ago.
        latency: seconds that a request takes.
        revoked: when the key was revoked, by that clock.
        rounds: when, after that, the key was tried.
    """

    deployment: Deployment
    late: dict[str, float] = field(default_factory=dict)
    answers: dict[str, list[int]] = field(default_factory=dict)
    scopes: str = SCOPES
    owner: str = OWNER
    sent: list[str] = field(default_factory=list)
    now: float = 1.0
    latency: float = 0.01
    revoked: float | None = None
    rounds: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def clear(self) -> None:
        """Close no connections."""

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: str | None, redirect: bool
    ) -> SimpleNamespace:
        """Answer, as urllib3 hands an answer over."""
        assert not redirect
        self.sent.append(f"{method} {url}")
        self.now += self.latency
        if url == WHOAMI and self.revoked is not None:
            self.rounds.append(round(self.now - self.revoked, 3))
        # In a context of its own: behind a real gateway the functions have logs of their own.
        status, text = contextvars.copy_context().run(self._answer, method, url, dict(headers), body)
        return SimpleNamespace(status=status, data=text.encode())

    def _answer(self, method: str, url: str, headers: dict[str, str], body: str | None) -> tuple[int, str]:
        for beginning, statuses in self.answers.items():
            if f"{method} {url}".startswith(beginning) and statuses and (status := statuses.pop(0)):
                return status, "{}"
        if f"{method} {url}" == TOKEN:
            assert headers["authorization"].startswith("Basic ")
            assert parse_qs(body or "")["grant_type"] == ["client_credentials"]
            token = self.deployment.token(self.owner, self.scopes)
            return 200, json.dumps({"access_token": token, "expires_in": 3600})
        if url in (WHOAMI, GUARDED):
            return self._guarded(url, headers)
        return self._managed(method, url, headers, body)

    def _guarded(self, url: str, headers: dict[str, str]) -> tuple[int, str]:
        verdict = self.deployment.authorize(headers)
        if not verdict["isAuthorized"]:
            is_late = self.revoked is not None and self.now - self.revoked < self.late.get(url, 0)
            return (200, "{}") if is_late else (403, REFUSED)
        answer = self.deployment.call("Whoami", requestContext={"authorizer": {"lambda": verdict["context"]}})
        return answer.status, answer.text

    def _managed(self, method: str, url: str, headers: dict[str, str], body: str | None) -> tuple[int, str]:
        parts = urlsplit(url)
        for name in self.deployment.template.answering():
            for event in (
                self.deployment.template.resources("AWS::Serverless::Function")[name]
                .get("Events", {})
                .values()
            ):
                route = event["Properties"]
                pattern = re.sub(
                    r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.get("Path", "/{proxy+}").replace("+", "")
                )
                found = re.fullmatch(pattern, parts.path)
                if found and route.get("Method") == method:
                    answer = self.deployment.call(
                        name.removesuffix("Function"),
                        path=found.groupdict(),
                        query=dict(parse_qsl(parts.query)),
                        body=body,
                        headers=headers,
                    )
                    if method == "DELETE" and answer.status == 200:
                        self.revoked = self.now
                    return answer.status, answer.text
        raise AssertionError(f"no route for {method} {url}")


class Canary:
    """The canary of a deployment, on a clock of its own.

    Args:
        deployment: of which.
        patch: what is put in its place stays there as long as this.

    Attributes:
        gateway: between it and the deployment.
    """

    def __init__(self, deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
        self.gateway = Gateway(deployment)
        self._handler = deployment.handlers[FUNCTION]
        names: dict[str, Any] = self._handler.__globals__
        clock = SimpleNamespace(monotonic=lambda: self.gateway.now, sleep=self.gateway.wait)
        for one in (names["measure"], names["Client"].call):
            patch.setitem(one.__globals__, "time", clock)
        secret = {"SecretString": json.dumps(CREDENTIALS)}
        patch.setitem(names, "secrets", SimpleNamespace(get_secret_value=lambda SecretId: secret))  # noqa: N803 -- as boto3
        self._client = names["Client"](API, names["credentials"])
        patch.setattr(self._client, "_http", self.gateway)
        patch.setitem(names, "client", self._client)

    def run(self) -> dict[str, int]:
        """Let it measure once, as its schedule does."""
        measured: dict[str, int] = self._handler({}, Context(FUNCTION))
        return measured
