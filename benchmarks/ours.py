"""The subject that all is about: a function as it is deployed."""

import importlib
import json
import sys

from benchmarks.subject import Invocation, own_work, repeat


def main() -> None:
    """Repeat the request."""
    work = own_work()
    sys.path.insert(0, work["folder"])  # as Lambda does
    handler, event, context = importlib.import_module("app").handler, work["event"], Invocation()
    # Times and new ids differ, and are all of one length.
    repeat(lambda: handler(event, context), is_good=lambda answer: len(json.dumps(answer)) == work["size"])


if __name__ == "__main__":
    main()
