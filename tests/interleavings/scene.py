"""Where every schedule begins, and the requests that meet in it."""

from dataclasses import dataclass
from typing import Any

from tests.dynamodb_model.model import DynamoDbModel
from tests.interleavings.stack import Ended, Request, Stack

OVERLAP = 60  # seconds
# The requests that meet. `Scene.requests()` has each.
NAMES = (
    "check k1",
    "issue in A",
    "rotate k1",
    "rotate k1 with overlap",
    "revoke k1",
    "admin revokes k1",
    "revoke k1 by its string",
    "revoke all of A",
    "list A",
)


@dataclass(frozen=True)
class Scene:
    """An application of alice's with two keys, and one of bob's with one.

    Args:
        stack: the handlers.
        tables: with those applications and keys in them.
        application: id of alice's.
        keys: the string of each key by its id: alice's two, and bob's.
        names: what people call an id.
    """

    stack: Stack
    tables: DynamoDbModel
    application: str
    keys: dict[str, str]
    names: dict[str, str]

    @classmethod
    def set(cls, stack: Stack) -> "Scene":
        """Issue the keys with the handlers themselves."""
        tables = DynamoDbModel.of(stack.template)
        create = Request(
            "create", "create", "CreateApplication", stack.event("alice", body={"name": "An application"})
        )
        other = Request(
            "other", "create", "CreateApplication", stack.event("bob", body={"name": "Another one"})
        )
        hers = _body(stack.live("alice", create, tables))["id"]
        his = _body(stack.live("bob", other, tables))["id"]
        issued = [
            _body(stack.live(f"{owner} {number}", _issue(stack, owner, application), tables))
            for owner, application, number in (("alice", hers, 1), ("alice", hers, 2), ("bob", his, 3))
        ]
        keys = {key["id"]: key["key"] for key in issued}
        names = dict(zip(keys, ("k1", "k2", "bob's key"), strict=True)) | {hers: "A", his: "B"}
        return cls(stack, tables, hers, keys, names)

    @property
    def first(self) -> str:
        """Id of the key that the requests are about."""
        return next(iter(self.keys))

    @property
    def hers(self) -> list[str]:
        """Ids of alice's keys."""
        return list(self.keys)[:2]

    def requests(self) -> dict[str, Request]:
        """Return each kind of request, by name."""
        stack, key_id, path = self.stack, self.first, {"id": self.application}
        key_path = path | {"keyId": key_id}
        found = [
            Request("check k1", "check", "AuthorizeRequest", self.presenting(self.keys[key_id]), key_id),
            _issue(stack, "alice", self.application),
            Request(
                "rotate k1",
                "rotate",
                "RotateApiKey",
                stack.event("alice", path=key_path, body={"overlapSeconds": 0}),
                key_id,
            ),
            Request(
                "rotate k1 with overlap",
                "rotate",
                "RotateApiKey",
                stack.event("alice", path=key_path, body={"overlapSeconds": OVERLAP}),
                key_id,
                OVERLAP,
            ),
            Request("revoke k1", "revoke", "RevokeApiKey", stack.event("alice", path=key_path), key_id),
            Request(
                "admin revokes k1",
                "revoke",
                "RevokeApiKey",
                stack.event("root", "api-keys:admin", path=key_path, query={"reason": "compromised"}),
                key_id,
            ),
            Request(
                "revoke k1 by its string",
                "revoke",
                "RevokeLeakedApiKey",
                stack.event("nobody", form={"token": self.keys[key_id]}),
                key_id,
            ),
            Request("revoke all of A", "revoke all", "RevokeAllApiKeys", stack.event("alice", path=path)),
            Request("list A", "list", "ListApiKeys", stack.event("alice", path=path)),
        ]
        return {request.name: request for request in found}

    def presenting(self, key: str) -> dict[str, Any]:
        """Return the event of a request that presents a key to the authorizer."""
        event = self.stack.event("nobody")
        event["headers"] = {"x-api-key": key}
        return event


def _issue(stack: Stack, owner: str, application: str) -> Request:
    event = stack.event(owner, path={"id": application}, body={"name": "A key"})
    return Request(f"issue in {'A' if owner == 'alice' else 'B'}", "issue", "IssueApiKey", event)


def _body(ended: Ended) -> Any:
    assert ended.status == 201, ended
    return ended.body
