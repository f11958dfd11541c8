"""A part that ends by a bug is begun again, and the process says so."""

from __future__ import annotations

import asyncio

import pytest

from gateway import lasting as module
from gateway.lasting import STEADY, Lasting


async def test_a_part_that_fails_is_begun_again_and_told_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    now = 10.0
    lasting = Lasting("test", lambda: now)
    begun: list[int] = []
    runs = asyncio.Event()

    async def work() -> None:
        begun.append(1)
        if len(begun) < 3:
            raise RuntimeError("a bug")
        runs.set()
        await asyncio.Event().wait()

    kept = asyncio.create_task(lasting.keep("records", work))
    assert lasting.why_not_ready() == ""
    async with asyncio.timeout(5):
        await runs.wait()
    assert lasting.why_not_ready() == "records: ended by an error"
    now += STEADY
    assert lasting.why_not_ready() == ""
    kept.cancel()
    with pytest.raises(asyncio.CancelledError):
        await kept


async def test_a_part_that_ends_by_itself_is_over() -> None:
    async def work() -> None:
        """It has nothing more to do."""

    lasting = Lasting("test")
    async with asyncio.timeout(5):
        await lasting.keep("answers", work)
    assert lasting.why_not_ready() == ""
