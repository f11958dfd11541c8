"""What is asked of the database, and what is said where it doesn't answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.errors import Unavailable
from gateway.records.asking import CHECK, answered, rows
from gateway.records.engine import connect


async def test_a_query_gives_its_rows_by_name() -> None:
    engine = connect("sqlite://", writes=True)
    assert await rows(engine, text("select 1 as one, 'x' as other"), "It can't be had.") == [{"one": 1, "other": "x"}]
    await engine.dispose()


async def test_a_database_that_fails_is_told_of_in_the_askers_words(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/records.db", writes=True)
    with pytest.raises(Unavailable) as told:
        await rows(engine, text("select 1 from nothing"), "It can't be had.")
    assert str(told.value) == f"It can't be had. {CHECK}"
    await engine.dispose()


@pytest.mark.parametrize("fault", [OSError("refused"), TimeoutError()])
async def test_so_is_one_that_cant_be_reached(fault: Exception) -> None:
    async def work() -> None:
        raise fault

    with pytest.raises(Unavailable, match=r"^It can't be had\.$"):
        await answered(work(), "It can't be had.", remedy="")


async def test_a_fault_of_ours_stays_one() -> None:
    async def work() -> None:
        raise KeyError("row")

    with pytest.raises(KeyError):
        await answered(work(), "It can't be had.")
