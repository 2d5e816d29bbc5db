"""What is written for people is true where a program can tell: links, parameters, routes to extend."""

import re
from pathlib import Path

import pytest

from local.template import ROOT, Template
from tests.documents import DOCUMENTS, commands
from tests.integration.test_documented_commands import CLASSES, class_of


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text()):
        if not re.match(r"https?://|mailto:", target):
            assert (document.parent / target).exists(), (
                f"{document.name} links to {target}, which is not there"
            )


def test_every_parameter_of_the_template_is_documented_and_no_other() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text()
    [table] = re.findall(r"^\| parameter \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    documented = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    parameters = Template({}).document["Parameters"].keys()
    assert documented == parameters, "mend the table of parameters in docs/deploy.md"


def test_every_command_has_a_class_which_says_where_it_is_run() -> None:
    without = [str(command) for command in commands() if class_of(command) is None]
    assert without == [], "add it to CLASSES in tests/integration/test_documented_commands.py"
    unused = [pattern for pattern in CLASSES if not any(re.match(pattern, c.text) for c in commands())]
    assert unused == [], "no document has it any more: take it out of CLASSES"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_target_of_make_that_is_named_exists(document: Path) -> None:
    if document.name == "decisions.md":
        return  # which tells of the past, too
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make (?:-s )?([a-z][a-z0-9-]*)", document.read_text()))
    assert named <= targets, f"{document.name} names targets that the Makefile does not have"


def test_every_test_that_contributing_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "CONTRIBUTING.md").read_text())
    assert len(named) > 8
    for path, test in named:
        assert f"def {test}" in (ROOT / path).read_text(), f"CONTRIBUTING.md names {path}::{test}"
