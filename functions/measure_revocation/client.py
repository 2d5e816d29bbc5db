"""What the canary asks, over HTTP: of the API, of its issuer, and of the URLs that were registered with it."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3

NAME = "canary"  # of its application, and of its keys
EARLY = 120  # seconds before its end that a token is replaced
SUCCESS, REFUSAL = range(200, 300), (401, 403)


class CanaryError(Exception):
    """Raised if an answer is not what it has to be; says which, and holds no secret."""


FAILURES = (CanaryError, urllib3.exceptions.HTTPError)


class Client:
    """A client of one deployment.

    Args:
        api: base URL of its API.
        credentials: returns `tokenUrl`, `clientId`, `clientSecret` and, if the issuer wants them, `scope`, `audience`.

    Attributes:
        whoami: URL of its guarded route.
        took: ms that the last request took.
    """

    def __init__(self, api: str, credentials: Callable[[], Mapping[str, str]]) -> None:
        self._api, self._credentials = api, credentials
        # A key and a token go to whom they are meant for, once: no redirect is followed, and nothing is sent again.
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(total=10), retries=False)
        self.whoami, self.took = f"{api}/api/v1/whoami", 0
        self._token, self._token_ends, self._application = "", 0.0, ""

    def forget(self) -> None:
        """Forget what may have become wrong: the token, and which application is its own."""
        self._token_ends, self._application = 0.0, ""

    def hang_up(self) -> None:
        """Close the connections, of which nobody knows whether they live until the next measurement."""
        self._http.clear()

    def application(self) -> str:
        """Return the id of the canary's application: its owner has no other, and it is made once."""
        if not self._application:
            found = self.call("GET", "/api/v1/applications?limit=100")["items"]
            own = [one for one in found if one["name"] == NAME]
            self._application = (own or [self.call("POST", "/api/v1/applications", {"name": NAME})])[0]["id"]
        return self._application

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer to a call of management.

        Raises:
            CanaryError: if it is neither 200 nor 201.
        """
        headers = {"authorization": f"Bearer {self._bearer()}", "content-type": "application/json"}
        status, answer = self._send(method, self._api + path, headers, body and json.dumps(body))
        if status not in (200, 201):
            raise CanaryError(f"{status} of {method} {path.split('?', maxsplit=1)[0]}")
        return json.loads(answer)

    def owner_of(self, key: str) -> str:
        """Return whose key this is, as the guarded route says.

        Raises:
            CanaryError: if it does not say so.
        """
        status, answer = self._send("GET", self.whoami, {"authorization": f"Bearer {key}"})
        if status not in SUCCESS:
            raise CanaryError(f"{status} of {self.whoami} for a good key")
        return str(json.loads(answer)["ownerId"])

    def lets_in(self, url: str, key: str) -> bool:
        """Tell whether a URL lets a key in.

        Raises:
            CanaryError: if the answer is neither a success nor a 401 or 403.
        """
        status, _ = self._send("GET", url, {"authorization": f"Bearer {key}"})
        if status in SUCCESS or status in REFUSAL:
            return status in SUCCESS
        raise CanaryError(f"{status} of {url}")

    def _bearer(self) -> str:
        """Return a token by client credentials (RFC 6749, section 4.4); kept, since some issuers charge for each."""
        if time.monotonic() >= self._token_ends:
            given = self._credentials()
            form = {name: given[name] for name in ("scope", "audience") if given.get(name)}
            basic = base64.b64encode(f"{given['clientId']}:{given['clientSecret']}".encode()).decode()
            headers = {"authorization": f"Basic {basic}", "content-type": "application/x-www-form-urlencoded"}
            body = urlencode({"grant_type": "client_credentials", **form})
            status, answer = self._send("POST", given["tokenUrl"], headers, body)
            if status not in SUCCESS:
                raise CanaryError(f"{status} of the token endpoint")
            found = json.loads(answer)
            self._token = found["access_token"]
            self._token_ends = time.monotonic() + float(found.get("expires_in", 300)) - EARLY
        return self._token

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None = None
    ) -> tuple[int, bytes]:
        started = time.monotonic()
        answer = self._http.request(method, url, headers=headers, body=body, redirect=False)
        self.took = round((time.monotonic() - started) * 1000)
        return answer.status, answer.data
