"""What is written for people: README.md, CONTRIBUTING.md, docs/ and examples/, and the commands in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.template import ROOT

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").glob("**/*.md")),
]


@dataclass(frozen=True, slots=True)
class Command:
    """A command that somebody is told to type.

    Args:
        document: where.
        text: of it, continued lines included.
        answer: what is said that it prints; `…` stands for anything.
    """

    document: Path
    text: str
    answer: str

    def __str__(self) -> str:
        """Return where it is, and how it begins."""
        return f"{self.document.relative_to(ROOT)}: {self.text[:60]}"

    def is_answered_by(self, printed: str) -> bool:
        """Tell whether the lines of the answer are among what was printed, in their order."""
        lines = [re.escape(line).replace("…", ".*") for line in self.answer.splitlines()]
        return re.search("(.*\n)*?".join(f"{line}\n" for line in lines), printed) is not None


def commands() -> Iterator[Command]:
    """Yield every command of every document: what begins with `$ ` in a block of the language console."""
    for document in DOCUMENTS:
        for block in re.findall(r"^```console\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                lines = part.splitlines(keepends=True)
                end = next(number for number, line in enumerate(lines) if not line.endswith("\\\n"))
                yield Command(document, "".join(lines[: end + 1]).strip(), "".join(lines[end + 1 :]))
