"""POST /api/v1/api-keys/leaked/github: revoke the keys that GitHub's secret scanning found in public."""

from apikeys import log
from apikeys.dynamodb import DynamoDb
from apikeys.endpoint import public_endpoint
from apikeys.github import Found, GithubAlerts
from apikeys.keys import ApiKey
from apikeys.metrics import REVOCATIONS
from apikeys.request import JSON, Request
from apikeys.settings import required
from apikeys.store.api_keys import ApiKeys, Presented

alerts = GithubAlerts.connect()
keys = ApiKeys(DynamoDb.connect())
prefix = required("KEY_PREFIX")


@public_endpoint
def handler(request: Request) -> list[JSON]:
    """Revoke each real key, and tell GitHub which were. If one cannot be settled, GitHub is to repeat all of it."""
    found = alerts.read(request)
    is_real: dict[str, bool] = {}
    for one in found:
        if one.token not in is_real:  # the same string may have been found in many places
            is_real[one.token] = revoke(one, request.source)
    return [
        {
            "token_raw": one.token,
            "token_type": one.type,
            "label": "true_positive" if is_real[one.token] else "false_positive",
        }
        for one in found
    ]


def revoke(found: Found, source: str) -> bool:
    """Revoke the key that this string is; tell whether it is one, revoked now or before."""
    key = ApiKey.parse(found.token, prefix=prefix)
    if not key:
        return False
    outcome = keys.revoke_presented(
        key, by="github", via="github", reason="leaked", source=source, leaked_in=found.where
    )
    if outcome is Presented.REVOKED:
        log.count(REVOCATIONS, Reason="leaked")
    log.info("found by GitHub", key_id=key.key_id, outcome=outcome)
    return outcome is not Presented.UNKNOWN
