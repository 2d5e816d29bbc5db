"""A cold start: from what Lambda's runtime has imported already to the first answer.

Run by itself, in an interpreter of its own: `first_answer.py ours|floor WORK`.
"""

# What AWS's runtime interface client imports before a function's code.
# https://github.com/aws/aws-lambda-python-runtime-interface-client/tree/main/awslambdaric
import concurrent.futures
import decimal
import http.client
import importlib
import json
import logging.config
import math
import os
import sys
import time
import traceback
import warnings
from typing import Any

RUNTIME = (concurrent.futures, decimal, http.client, importlib, logging.config, math, traceback, warnings)


def ours(work: dict[str, Any]) -> bool:
    """Answer with the function as deployed."""
    sys.path.insert(0, work["folder"])
    import app  # type: ignore[import-not-found] # noqa: PLC0415 -- what is measured

    answer = app.handler(work["event"], Invocation())
    return bool(answer.get("isAuthorized")) or answer.get("statusCode") == 200  # noqa: PLR2004 -- OK


def floor(work: dict[str, Any]) -> bool:
    """Make the bare calls, after the bare check of the token if there is one."""
    import boto3  # noqa: PLC0415 -- what is measured

    if work["token"]:
        import jwt  # noqa: PLC0415 -- what is measured

        key = jwt.PyJWK(work["jwk"])
        options = {"audience": work["audience"], "issuer": work["issuer"]}
        jwt.decode(work["token"], key, algorithms=["ES256"], **options)
    client = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"])
    for method, request in work["bare_calls"]:
        getattr(client, method)(**request)
    return True


class Invocation:
    """As much of Lambda's context object as the functions use."""

    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return what a function has at its start."""
        return 10_000


def peak() -> int:
    """Return the most memory that this process had, in KiB."""
    with open("/proc/self/status") as status:  # noqa: PTH123 -- pathlib would be imported for it
        [line] = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1])


if __name__ == "__main__":
    with open(sys.argv[2]) as file:  # noqa: PTH123 -- as above
        what = json.load(file)
    os.environ.update(what["environment"])
    told, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: PTH123, SIM115 -- for as long as this lives
    loaded = set(sys.modules)
    started = time.process_time()
    done = {"ours": ours, "floor": floor}[sys.argv[1]](what)
    spent = time.process_time() - started
    if not done:
        sys.exit("no good answer")
    new = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - loaded}
    installed = {name.split(".")[0] for name, path in new.items() if "site-packages" in path}
    print(json.dumps({"seconds": spent, "kib": peak(), "installed": sorted(installed)}), file=told)
