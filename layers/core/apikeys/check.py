"""The check: is this key string good, now? One strongly consistent read, and nothing is remembered."""

from apikeys import log
from apikeys.dynamodb import DynamoDb
from apikeys.keys import ApiKey
from apikeys.records import KeyRecord, timestamp
from apikeys.settings import optional, required
from apikeys.store.api_keys import ApiKeys


class Checker:
    """Checks key strings of this deployment.

    Args:
        keys: among which to look.
        prefix: that they begin with.
        stack: what the deployment is called in metrics.
    """

    def __init__(self, keys: ApiKeys, *, prefix: str, stack: str = "api-keys") -> None:
        self._keys = keys
        self._prefix = prefix
        self._stack = stack

    @classmethod
    def connect(cls) -> "Checker":
        """Make the checker of this deployment; STACK_NAME may be left out.

        Raises:
            SettingsError: if KEY_PREFIX or API_KEYS_TABLE is not set, or DynamoDB's Region is not.
        """
        keys = ApiKeys(DynamoDb.connect())
        return cls(keys, prefix=required("KEY_PREFIX"), stack=optional("STACK_NAME", "api-keys"))

    def check(self, presented: str, *, source: str) -> KeyRecord | None:
        """Return the key if it is good: known, with this secret, neither revoked nor expired. Else None.

        Args:
            presented: whatever was presented as a key.
            source: address that it came from, for the tripwire.

        Raises:
            ServiceUnavailable: if DynamoDB does not answer; then nobody knows, and nothing is to be allowed.
        """
        key = ApiKey.parse(presented, prefix=self._prefix)
        if not key:
            return None
        found = self._keys.find_presented(key.key_id)
        if not found:
            return None
        record, stored_hash = found
        if not key.matches(stored_hash):
            return None
        if record.revoked_at:
            self._trip(record, source)
        return record if record.status(timestamp()) == "active" else None

    def _trip(self, record: KeyRecord, source: str) -> None:
        """Sound the alarm: a revoked key with the right secret is a key that somebody else has."""
        where = {"key_id": record.key_id, "application_id": record.application_id, "source": source}
        log.metric("RevokedKeyUsed", "a revoked key was used", stack=self._stack, **where)
