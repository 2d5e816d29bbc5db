"""The check: is this key string good, now? One strongly consistent read, and nothing is remembered."""

from aws_lambda_powertools.metrics import Metrics, MetricUnit

from apikeys.keys import ApiKey
from apikeys.log import logger
from apikeys.records import KeyRecord, timestamp
from apikeys.settings import required
from apikeys.store import Store


class Checker:
    """Checks key strings of this deployment.

    Args:
        store: where the keys are.
        prefix: that they begin with.
    """

    def __init__(self, store: Store, *, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    @classmethod
    def connect(cls) -> "Checker":
        """Make the checker of this deployment.

        Raises:
            SettingsError: if KEY_PREFIX is not set, or the store's settings are not.
        """
        return cls(Store.connect(), prefix=required("KEY_PREFIX"))

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
        found = self._store.find_presented(key.key_id)
        if not found:
            return None
        record, stored_hash = found
        if not key.matches(stored_hash):
            return None
        if record.revoked_at:
            _trip(record, source)
        return record if record.status(timestamp()) == "active" else None


def _trip(record: KeyRecord, source: str) -> None:
    """Sound the alarm: a revoked key with the right secret is a key that somebody else has.

    One log line is both: a warning for people, and a CloudWatch metric in embedded metric format.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    metrics = Metrics(namespace="ApiKeys", service="api-keys")
    metrics.add_metric(name="RevokedKeyUsed", unit=MetricUnit.Count, value=1)
    alarm = metrics.serialize_metric_set()
    metrics.clear_metrics()
    where = {"key_id": record.key_id, "application_id": record.application_id, "source": source}
    logger.warning("a revoked key was used", extra=alarm | where)
