"""A stand-in for AWS's command line, which the project does not install: one call."""

import json
import sys

import boto3
import jmespath


def main() -> None:
    """Call `aws <service> <operation> --<member> <value> …`, and print its answer, or what `--query` names of it."""
    service, operation, *options = sys.argv[1:]
    given = dict(zip(options[::2], options[1::2], strict=True))
    query, region = given.pop("--query", None), given.pop("--region", None)
    assert given.pop("--output", "json") == ("text" if query else "json")
    members = {
        name.removeprefix("--").title().replace("-", ""): json.loads(value)
        if value.startswith("{")
        else value
        for name, value in given.items()
    }
    client = boto3.client(service, region_name=region)  # type: ignore[call-overload] # any service
    answer = getattr(client, operation.replace("-", "_"))(**members)
    answer.pop("ResponseMetadata")
    sys.stdout.write(f"{jmespath.search(query, answer) if query else json.dumps(answer)}\n")


if __name__ == "__main__":
    main()
