"""What a million checks and a million revokes cost, from units, CPU and AWS's published prices."""

from dataclasses import dataclass

# US East (N. Virginia), the first tier, without the free one.
DATE = "27 November 2026"
REGION = "US East (N. Virginia)"
GIGABYTE_SECOND = 0.0000133334  # arm64
INVOCATIONS = 0.20  # a million
HTTP_API, REST_API = 1.00, 3.50  # a million requests
READS, WRITES = 0.125, 0.625  # a million units, on demand

# Where a price stands, and what of that could be read on DATE.
SOURCES = {
    "API Gateway": "$1.00 and $3.50 for a million: AWS's whitepaper on "
    "[private APIs, table 4](https://docs.aws.amazon.com/whitepapers/latest/"
    "best-practices-api-gateway-private-apis-integration/cost-optimization.html), read in a stored copy; "
    "the [price page](https://aws.amazon.com/api-gateway/pricing/) is the one that counts",
    "Lambda": "$0.20 for a million and $0.0000133334 for a GB-second: the "
    "[price page](https://aws.amazon.com/lambda/pricing/) fills its figures in by script, so that "
    "a stored copy has none; they are those that [others quote](https://cloudchipr.com/blog/aws-lambda-pricing). Not "
    "checked at AWS itself",
    "DynamoDB": "$0.125 and $0.625 for a million units: the same is true of its "
    "[price page](https://aws.amazon.com/dynamodb/pricing/on-demand/); "
    "the figures are [quoted](https://airbyte.com/data-engineering-resources/dynamodb-pricing) since AWS halved them "
    "in November 2024. Not checked at AWS itself",
}

MEMORY = 1.0  # GB, as in template.yaml
PROCESSOR = 1024 / 1769  # of one, which comes with that memory
DYNAMODB = 5.0  # milliseconds for DynamoDB's answer: AWS says "single-digit"


@dataclass(frozen=True, slots=True)
class Bill:
    """Dollars for a million.

    Args:
        function: Lambda's part: invocations and their duration.
        units: DynamoDB's part.
        milliseconds: that one invocation is billed for.
    """

    function: float
    units: float
    milliseconds: int

    @property
    def total(self) -> float:
        """Without API Gateway's part."""
        return self.function + self.units


def bill(*, seconds: float, reads: float = 0, writes: float = 0, waits: int = 1) -> Bill:
    """Return what a million requests cost.

    Args:
        seconds: of CPU for one.
        reads: units of one.
        writes: units of one.
        waits: calls to DynamoDB of one.
    """
    milliseconds = int(seconds * 1000 / PROCESSOR + waits * DYNAMODB) + 1  # begun ones are billed
    duration = milliseconds / 1000 * MEMORY * GIGABYTE_SECOND * 1_000_000
    return Bill(INVOCATIONS + duration, reads * READS + writes * WRITES, milliseconds)
