"""The files that describe running stacks: their addresses, ids, keys and tokens.

Each stack has a file of its own, named by its port. `stack.json` is that of the one started last, and once that has
ended, of the one started last of those that still run.
"""

import json
import os
from pathlib import Path
from typing import Any

from local.ports import is_listening
from local.template import ROOT

FOLDER = Path(os.environ.get("LOCAL_FOLDER", ROOT / ".local"))


class NoStack(Exception):
    """Raised if no running stack is described. Its text is for the user."""


def announce(folder: Path, port: int, description: dict[str, Any]) -> None:
    """Describe a stack that runs from now on.

    Args:
        folder: of the descriptions.
        port: of its API.
        description: what to say.
    """
    text = json.dumps(description, indent=2) + "\n"
    _write_private(_of(folder, port), text)
    _write_private(folder / "stack.json", text)


def withdraw(folder: Path, port: int) -> None:
    """Forget a stack that has ended; `stack.json` is then of another that still runs, if there is one."""
    own, last = _of(folder, port), folder / "stack.json"
    text = own.read_text()
    own.unlink()
    if not last.exists() or last.read_text() != text:
        return
    others = sorted(folder.glob("stack-*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for other in others:
        if is_listening(int(other.stem.removeprefix("stack-"))):
            _write_private(last, other.read_text())
            return
    last.unlink()


def describe(folder: Path, port: int | None) -> Any:
    """Return what is said of a stack.

    Args:
        folder: of the descriptions.
        port: of its API; None for the one started last.

    Raises:
        NoStack: if none is described.
    """
    path = _of(folder, port) if port else folder / "stack.json"
    start = "make run" + (f" PORT={port}" if port else "")
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        where = f" on port {port}" if port else ""
        raise NoStack(f"No stack is running{where}. Start one in another terminal with: {start}") from None


def log_of(folder: Path, port: int) -> Path:
    """Return where the functions' log is, of the stack on this port."""
    return folder / f"functions-{port}.log"


def _of(folder: Path, port: int) -> Path:
    return folder / f"stack-{port}.json"


def _write_private(path: Path, text: str) -> None:
    """Write a file that holds secrets: readable by its owner only, and never seen half written."""
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)
