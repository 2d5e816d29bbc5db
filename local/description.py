"""The file that describes a running stack: its addresses, ids, keys and tokens."""

import os
from contextlib import suppress
from pathlib import Path

from local.template import ROOT

STACK = ROOT / ".local" / "stack.json"
"""Describes the stack that was started last with `make run`."""


def write_private(path: Path, text: str) -> None:
    """Write a file that holds secrets: readable by its owner only, and never seen half written."""
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def remove_if_unchanged(path: Path, text: str) -> None:
    """Remove the file, unless it describes a stack that was started later."""
    with suppress(FileNotFoundError):
        if path.read_text() == text:
            path.unlink()


def log_beside(path: Path) -> Path:
    """Return where the functions' log is, of a stack described in that file."""
    return path.with_name("functions.log")
