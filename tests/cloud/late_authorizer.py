"""A fault: a version of the authorizer whose reads lag behind, as with a cache, or a read that is not consistent."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from local.template import ROOT
from tests.cloud.deployment import Deployment

LAG = 3  # seconds
LATE = f"""

import dataclasses
from datetime import UTC, datetime

find = checker._keys.find_presented


def lag(key_id):
    found = find(key_id)
    if found and found[0].revoked_at:
        ago = datetime.now(UTC) - datetime.fromisoformat(found[0].revoked_at)
        if ago.total_seconds() < {LAG}:
            return dataclasses.replace(found[0], revoked_at=None), found[1]
    return found


checker._keys.find_presented = lag
"""


@contextmanager
def late_authorizer(deployment: Deployment) -> Iterator[None]:
    """Let it take over, until the block ends."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", (ROOT / "functions/authorize_request/app.py").read_text() + LATE)
    function = "AuthorizeRequestFunction"
    name = deployment.resources()[function]
    deployment.emulator.client("lambda").update_function_code(FunctionName=name, ZipFile=code.getvalue())
    with deployment.with_this_version(function):
        yield
