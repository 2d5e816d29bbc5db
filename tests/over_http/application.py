"""An application of a test's own, and the two ways of asking whether a key is good."""

from dataclasses import dataclass
from typing import Any, Self

from tests.over_http.stack import Stack

BOTH = (0, 1)  # addresses of a stack


@dataclass(frozen=True, slots=True)
class Application:
    """An application that was made over HTTP, by its owner."""

    stack: Stack
    id: str
    token: str

    @classmethod
    def create(cls, stack: Stack) -> Self:
        """Create it."""
        token = stack.token("carol")
        answer = stack.send("POST", "/api/v1/applications", token, json={"name": "Weather widget"})
        assert answer.status_code == 201, answer.text
        created = answer.json()
        assert created.keys() == {"id", "name", "ownerId", "createdAt"}
        assert (created["name"], created["ownerId"]) == ("Weather widget", "carol")
        return cls(stack, created["id"], token)

    def issue(self, **body: Any) -> dict[str, Any]:
        """Issue a key."""
        path = f"/api/v1/applications/{self.id}/api-keys"
        answer = self.stack.send("POST", path, self.token, json={"name": "production"} | body)
        assert answer.status_code == 201, answer.text
        issued: dict[str, Any] = answer.json()
        self.stack.secrets.add(issued["key"])
        return issued

    def revoke(self, key_id: str, *, query: str = "", api: int = 0) -> None:
        """Revoke a key."""
        answer = self.stack.revoke(self.id, key_id + query, self.token, api=api)
        assert (answer.status_code, answer.text) == (200, "{}")


def is_active(stack: Stack, key: str, *, api: int) -> bool:
    """Ask introspection."""
    answer = stack.send("POST", "/api/v1/api-keys/introspect", stack.token(), data={"token": key}, api=api)
    assert answer.status_code == 200
    active: bool = answer.json()["active"]
    assert active or answer.json() == {"active": False}
    return active


def whoami(stack: Stack, key: str, *, api: int) -> Any:
    """Return what the guarded route says, or None if the authorizer refuses the key."""
    answer = stack.send("GET", "/api/v1/whoami", key, api=api)
    if answer.status_code == 200:
        return answer.json()
    # By the gateway, in its own words: the function behind it was not reached.
    assert (answer.status_code, answer.json()) == (403, stack.refusal)
    return None
