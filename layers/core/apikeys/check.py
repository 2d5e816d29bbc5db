"""The check: is this key string good, now? One strongly consistent read, and nothing is remembered."""

from apikeys import log
from apikeys.dynamodb import DynamoDb
from apikeys.keys import ApiKey
from apikeys.metrics import CHECKS, REVOKED_KEY_USED, Outcome
from apikeys.records import KeyRecord, timestamp
from apikeys.settings import optional, required
from apikeys.store.api_keys import ApiKeys


class Checker:
    """Checks key strings of this deployment.

    Args:
        keys: among which to look.
        prefix: that they begin with.
        canary: owner whose revoked keys are used on purpose, and sound no alarm; empty for none.
    """

    def __init__(self, keys: ApiKeys, *, prefix: str, canary: str = "") -> None:
        self._keys = keys
        self._prefix = prefix
        self._canary = canary

    @classmethod
    def connect(cls) -> "Checker":
        """Make the checker of this deployment.

        Raises:
            SettingsError: if KEY_PREFIX or API_KEYS_TABLE is not set, or DynamoDB's Region is not.
        """
        keys = ApiKeys(DynamoDb.connect())
        return cls(keys, prefix=required("KEY_PREFIX"), canary=optional("CANARY_OWNER"))

    def check(self, presented: str, *, source: str) -> KeyRecord | None:
        """Return the key if it is good: known, with this secret, neither revoked nor expired. Else None.

        Args:
            presented: whatever was presented as a key.
            source: address that it came from, for the tripwire.

        Raises:
            ServiceUnavailable: if DynamoDB does not answer; then nobody knows, and nothing is to be allowed.
        """
        outcome = Outcome.FAULT
        try:
            outcome, good_key = self._judge(presented, source)
        finally:
            log.count(CHECKS, Outcome=outcome)
        return good_key

    def _judge(self, presented: str, source: str) -> tuple[Outcome, KeyRecord | None]:
        key = ApiKey.parse(presented, prefix=self._prefix)
        if not key:
            return Outcome.MALFORMED, None
        found = self._keys.find_presented(key.key_id)
        if not found:
            return Outcome.UNKNOWN, None
        record, stored_hash = found
        if not key.matches(stored_hash):
            return Outcome.WRONG_SECRET, None
        if record.revoked_at:
            # Whose a key is was read with it, and nobody's owner is empty.
            if record.owner_id != self._canary:
                self._trip(record, source)
            return Outcome.REVOKED, None
        is_good = record.status(timestamp()) == "active"
        return (Outcome.ACCEPTED, record) if is_good else (Outcome.EXPIRED, None)

    def _trip(self, record: KeyRecord, source: str) -> None:
        """Sound the alarm: a revoked key with the right secret is a key that somebody else has."""
        log.count(REVOKED_KEY_USED)
        where = {"key_id": record.key_id, "application_id": record.application_id, "source": source}
        log.warning("a revoked key was used", **where)
