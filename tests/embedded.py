"""What CloudWatch reads from a line of the log, by the embedded metric format."""

import io
import json
from typing import Any

from apikeys import metrics

METRICS = [one for one in vars(metrics).values() if isinstance(one, metrics.Metric)]


def read(line: dict[str, Any]) -> dict[str, tuple[dict[str, str], int]]:
    """Return the metrics of a line, each with its dimensions and its value.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    found = {}
    for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
        assert directive["Namespace"] == "ApiKeys"
        for names in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                found[metric["Name"]] = ({name: line[name] for name in names}, line[metric["Name"]])
    return found


def counted(log: io.StringIO, metric: str) -> dict[str, int]:
    """Return the sum of a metric by the value of its dimension besides the stack, which must be "local"."""
    sums: dict[str, int] = {}
    for line in map(json.loads, log.getvalue().replace("\0", "").splitlines()):
        for name, (dimensions, value) in read(line).items():
            if name == metric:
                assert dimensions.pop("Stack") == "local"
                key = " ".join(dimensions.values())
                sums[key] = sums.get(key, 0) + value
    return sums
