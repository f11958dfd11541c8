"""The table of endings has no empty cell, names tests that are there, and stands in the README as it is."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.handoff.state import ASKING, Phase
from tests.e2e import endings, handoff_endings

E2E = Path(endings.__file__).parent


TABLES = ((endings.TABLE, endings.ENDINGS), (handoff_endings.TABLE, handoff_endings.ENDINGS))


@pytest.mark.parametrize(("table", "words"), TABLES)
def test_no_cell_is_empty(table: Mapping[str, Mapping[str, endings.Cell]], words: Mapping[str, str]) -> None:
    for kind, row in table.items():
        assert set(row) == set(words), kind
        for ending, cell in row.items():
            assert cell.why if isinstance(cell, endings.Never | endings.Open) else cell, (kind, ending)


def test_every_test_that_is_named_is_there() -> None:
    named = [name for table, _ in TABLES for name in endings.proofs(table)]
    files = {name.partition("::")[0] for name in named}
    there = {f"{file}::{test}" for file in files for test in _tests(E2E / f"{file}.py")}
    assert not [name for name in named if name not in there]


def test_every_phase_of_a_handoff_has_a_column() -> None:
    assert set(handoff_endings.TABLE) - {handoff_endings.PROMISED} == {
        phase.value for phase in (*ASKING, Phase.BRIDGED, Phase.PARTING)
    }


def _tests(file: Path) -> list[str]:
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return [node.name for node in ast.parse(file.read_text()).body if isinstance(node, functions)]


def test_the_readme_shows_it() -> None:
    shown = endings.README.read_text()
    assert endings.written(shown) == shown, "python -m tests.e2e.endings"
    assert handoff_endings.written(shown) == shown, "python -m tests.e2e.handoff_endings"
