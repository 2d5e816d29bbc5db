"""All mutants of a module that cosmic-ray knows, a JSON object a line. Runs in .venv-hostile, where cosmic-ray is."""

import ast
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

type Position = tuple[int, int]


def without_effect(source: str) -> list[tuple[Position, Position]]:
    """Return where no change can show.

    Where types are written, `str & None` is an error at import, whatever the tests; `slots=True` says how objects are
    kept, and mypy holds what `frozen=True` forbids; what is imported where types are checked, test_cold_start.py tells.
    """
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case (
                ast.FunctionDef(returns=annotation)
                | ast.arg(annotation=annotation)
                | ast.AnnAssign(annotation=annotation)
            ):
                found.append(annotation)
            case ast.TypeAlias(value=value) | ast.keyword(arg="slots" | "frozen", value=value):
                found.append(value)
            case ast.If(test=ast.Name(id="TYPE_CHECKING") as value):
                found.append(value)
    return [
        ((one.lineno, one.col_offset), (one.end_lineno or 0, one.end_col_offset or 0)) for one in found if one
    ]


def is_a_marker(source: str, position: Position) -> bool:
    """Tell whether a star here is no multiplication, but the beginning of keyword arguments."""
    row, column = position
    *lines, line = source.splitlines()[:row]
    before = "\n".join([*lines, line[:column]])
    return line[column : column + 1] == "*" and before.rstrip().endswith((",", "("))


def mutants(source: str) -> Iterator[tuple[str, int, str]]:
    """Yield operator, line and code of each mutant."""
    left_out = without_effect(source)
    tree = get_ast(source)
    for name in operator_names():
        kind = get_operator(name)
        if kind.arguments():
            continue
        positions = [at for node in ast_nodes(tree) for at in kind().mutation_positions(node)]
        for occurrence, (start, end) in enumerate(positions):
            if any(first <= start and end <= last for first, last in left_out) or is_a_marker(source, start):
                continue
            with suppress(AttributeError):  # of the operator for exceptions, where one's name has a dot in it
                yield name.removeprefix("core/"), start[0], mutate_code(source, kind(), occurrence)


def main() -> None:
    """Print the mutants of the module that is named."""
    source = Path(sys.argv[1]).read_text()
    for operator, row, code in mutants(source):
        print(json.dumps({"operator": operator, "row": row, "code": code}))


if __name__ == "__main__":
    main()
