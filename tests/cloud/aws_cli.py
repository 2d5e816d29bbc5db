"""A stand-in for AWS's command line, which the project does not install: one call, its answer by `--query` as text."""

import sys

import boto3
import jmespath


def main() -> None:
    """Call `aws <service> <operation> --<member> <value> … --query <path> --output text`."""
    service, operation, *options = sys.argv[1:]
    given = dict(zip(options[::2], options[1::2], strict=True))
    query, region, output = given.pop("--query"), given.pop("--region"), given.pop("--output")
    assert output == "text"
    members = {name.removeprefix("--").title().replace("-", ""): value for name, value in given.items()}
    client = boto3.client(service, region_name=region)  # type: ignore[call-overload] # any service
    answer = getattr(client, operation.replace("-", "_"))(**members)
    sys.stdout.write(f"{jmespath.search(query, answer)}\n")


if __name__ == "__main__":
    main()
