"""The subject that all is about: functions as they are deployed."""

import copy
import json
import os
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.subject import Invocation, Key, main, own_work, quiet, repeat


def load(folder: str) -> Any:
    """Return the handler of a function as a cold start loads it."""
    name, path = f"{Path(folder).name}.app", os.path.join(folder, "app.py")  # noqa: PTH118 -- a string is asked for
    module = ModuleType(name)
    SourceFileLoader(name, path).exec_module(module)
    return module.handler


def requests() -> None:
    """Repeat one request."""
    handler, context = load(work["folder"]), Invocation()
    event, size = work["event"], work["size"]
    # Times and new ids differ, and are all of one length.
    repeat(lambda: len(json.dumps(handler(event, context))) == size, quiet())


def access() -> None:
    """Revoke one key after the other while they are checked."""
    check, revoke = load(work["folder"]), load(work["revoke"]["folder"])
    keys = iter(work["keys"])

    def fresh() -> Key:
        key_id, key = next(keys)
        checked, revoked = copy.deepcopy(work["event"]), copy.deepcopy(work["revoke"]["event"])
        checked["headers"]["authorization"] = f"Bearer {key}"
        revoked["pathParameters"]["keyId"] = key_id
        return Key(
            lambda: bool(check(checked, Invocation())["isAuthorized"]),
            lambda: bool(revoke(revoked, Invocation())["statusCode"] == 200),  # noqa: PLR2004 -- OK
        )

    main(fresh)


if __name__ == "__main__":
    work = own_work()
    access() if work.get("revoke") else requests()
