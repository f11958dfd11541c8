"""The table of endings has no empty cell, names tests that are there, and stands in the README as it is."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.e2e import endings

E2E = Path(endings.__file__).parent


def test_no_cell_is_empty() -> None:
    for kind, row in endings.TABLE.items():
        assert set(row) == set(endings.ENDINGS), kind
        for ending, cell in row.items():
            assert cell.why if isinstance(cell, endings.Never | endings.Open) else cell, (kind, ending)


def test_every_test_that_is_named_is_there() -> None:
    files = {name.partition("::")[0] for name in endings.proofs()}
    there = {f"{file}::{test}" for file in files for test in _tests(E2E / f"{file}.py")}
    assert not [name for name in endings.proofs() if name not in there]


def _tests(file: Path) -> list[str]:
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return [node.name for node in ast.parse(file.read_text()).body if isinstance(node, functions)]


def test_the_readme_shows_it() -> None:
    shown = endings.README.read_text()
    assert endings.written(shown) == shown, "python -m tests.e2e.endings"
