"""What is known of an application and of a key, and what of it may be shown. Pure."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from apikeys.keys import ApiKey

type Item = dict[str, Any]  # as DynamoDB has it: a type beside each value

# Why a key is revoked.
REASONS = ("compromised", "leaked", "rotated", "unused", "other")


@dataclass(frozen=True, slots=True)
class Application:
    """An application that keys are issued for.

    Args:
        id: canonical lower-case UUID.
        name: for people.
        owner_id: who may manage it and its keys.
        created_at: RFC 3339, UTC.
    """

    id: str
    name: str
    owner_id: str
    created_at: str

    @classmethod
    def from_item(cls, item: Item) -> Self:
        """Return the application that an item holds."""
        return cls(item["id"]["S"], item["name"]["S"], item["ownerId"]["S"], item["createdAt"]["S"])

    def public(self) -> dict[str, Any]:
        """Return what the API shows, which is all that is stored."""
        return {"id": self.id, "name": self.name, "ownerId": self.owner_id, "createdAt": self.created_at}


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key without its secret. Times are RFC 3339, UTC, with milliseconds, so that text order is time order.

    Args:
        key_id: canonical lower-case UUID.
        application_id: the application it was issued for.
        owner_id: the application's owner, copied here so that a revoke is one call.
        name: for people.
        start: the beginning of the key string, for people to recognise it by.
        scopes: what the holder may do, as the team's own APIs understand it.
        created_at: when it was issued.
        created_by: subject who issued it.
        expires_at: from when it is no longer good; None for never.
        revoked_at: since when it is revoked; None if it is not.
        revoked_by: subject who revoked it.
        revoked_via: by which way: `api`, `holder`, `github`, `rotate` or `all`.
        revoked_reason: why, as one of REASONS.
        leaked_in: where GitHub found its string; None if it did not.
        replaced_by: id of the key that it was rotated to; None if it was not.
        issued_from: the address that it was issued from; empty if that is not known.
        issued_token_id: id of the token that it was issued with; empty if it has none.
    """

    key_id: str
    application_id: str
    owner_id: str
    name: str
    start: str
    scopes: tuple[str, ...]
    created_at: str
    created_by: str
    expires_at: str | None = None
    revoked_at: str | None = None
    revoked_by: str | None = None
    revoked_via: str | None = None
    revoked_reason: str | None = None
    leaked_in: str | None = None
    replaced_by: str | None = None
    issued_from: str = ""
    issued_token_id: str = ""

    @classmethod
    def from_item(cls, item: Item) -> Self:
        """Return the key that an item holds; attributes that were not read are left empty."""
        text = {name: value["S"] for name, value in item.items() if "S" in value}
        return cls(
            key_id=text["keyId"],
            application_id=text["applicationId"],
            owner_id=text["ownerId"],
            name=text.get("name", ""),
            start=text.get("start", ""),
            scopes=tuple(scope["S"] for scope in item.get("scopes", {}).get("L", [])),
            created_at=text["createdAt"],
            created_by=text.get("createdBy", ""),
            expires_at=text.get("expiresAt"),
            revoked_at=text.get("revokedAt"),
            revoked_by=text.get("revokedBy"),
            revoked_via=text.get("revokedVia"),
            revoked_reason=text.get("revokedReason"),
            leaked_in=text.get("leakedIn"),
            replaced_by=text.get("replacedBy"),
            issued_from=text.get("issuedFrom", ""),
            issued_token_id=text.get("issuedTokenId", ""),
        )

    def item(self, key: "ApiKey") -> Item:
        """Return the item of a new key; of its secret, only the hash.

        Args:
            key: its string.
        """
        text = {
            "keyId": self.key_id,
            "applicationId": self.application_id,
            "ownerId": self.owner_id,
            "name": self.name,
            "start": self.start,
            "createdAt": self.created_at,
            "createdBy": self.created_by,
            "issuedFrom": self.issued_from,
            "issuedTokenId": self.issued_token_id,
        }
        if self.expires_at:
            text["expiresAt"] = self.expires_at
        scopes = [{"S": scope} for scope in self.scopes]
        return strings(text) | {"scopes": {"L": scopes}, "hash": {"B": base64.b64encode(key.hash).decode()}}

    def status(self, now: str) -> str:
        """Return `revoked`, `expired` or `active`; an expired key stops at its very second."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= now else "active"

    def public(self, now: str) -> dict[str, Any]:
        """Return what the API shows: no hash, no secret; of a revoked key when, by whom, how and why."""
        return {
            "id": self.key_id,
            "applicationId": self.application_id,
            "name": self.name,
            "start": self.start,
            "scopes": list(self.scopes),
            "status": self.status(now),
            "createdAt": self.created_at,
            "createdBy": self.created_by,
            "expiresAt": self.expires_at,
            "revokedAt": self.revoked_at,
            "revokedBy": self.revoked_by,
            "revokedVia": self.revoked_via,
            "revokedReason": self.revoked_reason,
        }

    def details(self, application: Application, now: str) -> dict[str, Any]:
        """Return what the API shows of one key by itself: also its application's name and owner, and where it leaked.

        Args:
            application: that it was issued for.
            now: as `timestamp()` spells it.
        """
        return self.public(now) | {
            "applicationName": application.name,
            "ownerId": application.owner_id,
            "leakedIn": self.leaked_in,
        }


def timestamp(at: datetime | None = None) -> str:
    """Return a moment, now if None, as RFC 3339 in UTC with milliseconds."""
    moment = at.astimezone(UTC) if at else datetime.now(UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def strings(values: dict[str, str]) -> Item:
    """Return text as DynamoDB has it."""
    return {name: {"S": value} for name, value in values.items()}
