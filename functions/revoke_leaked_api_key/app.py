"""POST /api/v1/api-keys/revoke: revoke a key by its string, for whoever has it (RFC 7009)."""

from typing import TYPE_CHECKING

from apikeys import log
from apikeys.dynamodb import DynamoDb
from apikeys.endpoint import endpoint, public_endpoint
from apikeys.keys import ApiKey
from apikeys.metrics import REVOCATIONS
from apikeys.reasons import known_reason
from apikeys.request import JSON, Request
from apikeys.settings import SettingsError, required
from apikeys.store.api_keys import ApiKeys, Presented

if TYPE_CHECKING:
    from apikeys.caller import Caller

keys = ApiKeys(DynamoDb.connect())
prefix = required("KEY_PREFIX")


def revoke(request: Request, caller: "Caller | None" = None) -> JSON:
    """Revoke the key if the secret is right. The answer is the same whatever the string was."""
    form = request.form("token", "reason")
    reason = known_reason(form.get("reason", "compromised"))
    key = ApiKey.parse(form["token"], prefix=prefix)
    log.add(via="holder", source=request.source, outcome="not a key string")
    if key:
        outcome = keys.revoke_presented(
            key,
            by=caller.subject if caller else "holder",
            via="holder",
            reason=reason,
            source=request.source,
            token_id=caller.token_id if caller else "",
        )
        log.add(key_id=key.key_id, outcome=outcome)
        if outcome is Presented.REVOKED:
            log.count(REVOCATIONS, Reason=reason)
    return {}


match required("REVOKE_BY_STRING"):
    case "on":
        handler = public_endpoint(revoke)
    case "authorized":
        handler = endpoint(scope="api-keys:revoke")(revoke)
    case _:
        raise SettingsError("REVOKE_BY_STRING must be on or authorized")
