"""docs/security.md names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

from local.template import ROOT
from tools.mutants import PACKAGE, TESTS, path_of

PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def functions_of(file: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_it_names_tests() -> None:
    assert len(NAMED) > 20


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_test_that_it_names_exists(file: str, name: str) -> None:
    """Guarantee: a promise loses its test only together with its line. Seen to fail with a name misspelled."""
    assert name in functions_of(file)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_test_that_it_names_was_seen_to_fail(file: str, name: str) -> None:
    """Guarantee: a promise is held by a test that says with which fault it failed. Seen to fail without these words."""
    said = ast.get_docstring(functions_of(file)[name]) or ""
    assert "seen to fail" in " ".join(said.split()).lower()


def test_each_promise_has_a_test() -> None:
    """Seen to fail with a row whose second cell is empty."""
    promises = PAGE[PAGE.index("## The promises") : PAGE.index("## Counts")]
    rows = [
        line for line in promises.splitlines() if line.startswith("| ") and not line.startswith("| promise")
    ]
    assert rows
    assert [row for row in rows if not re.search(r"\| `tests/[\w/]+\.py::\w+`", row)] == []


def test_mutants_are_made_of_every_module_that_ships() -> None:
    """Seen to fail with a module left out of the list, and with a test's name misspelled."""
    shipped = [path for folder in (PACKAGE, Path("functions")) for path in (ROOT / folder).glob("**/*.py")]
    assert {ROOT / path_of(module) for module in TESTS} == {
        path for path in shipped if path.name != "__init__.py"
    }
    named = {name for tests in TESTS.values() for name in tests.split() if not name.startswith("-")}
    assert [name for name in named if not (ROOT / name).exists()] == []
