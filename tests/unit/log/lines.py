"""The log, read back, and a token that must not be in it."""

import io
import json
from typing import Any

import jwt

TOKEN = jwt.encode({"sub": "alice", "scope": "api-keys:revoke"}, "x" * 64, "HS512", {"kid": "a" * 32})


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def shares(secret: str, text: str, length: int = 12) -> bool:
    """Tell whether a text has as many characters in a row of a secret."""
    return any(secret[at : at + length] in text for at in range(len(secret) - length + 1))
