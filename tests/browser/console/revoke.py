"""The console, on the revoke."""

from typing import Any

from tests.browser.reader import Reader

ABSENT = "00000000-0000-4000-8000-000000000000"


def on_the_revoke(reader: Reader, stack: Any, key_id: str) -> Reader:
    """Open the revoke, with everything filled in."""
    reader.try_it().paste(stack["tokens"]["owner"])
    return reader.fill_in(id=stack["applications"][0]["id"], keyId=key_id)
