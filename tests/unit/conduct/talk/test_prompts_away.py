"""An agent whose prompts can't be had: it waits for one of them, and says the others itself."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.conduct.talk import stage as staging
from gateway.conduct.talk.port import Pcm
from gateway.conduct.talk.stage import CallStage
from gateway.errors import Unavailable
from gateway.terms.call import Brief
from gateway.terms.catalogue import Line

HELLO = Line("Hello.", "Hello.", "en-US")


class Book:
    """Prompts as they are."""

    def __init__(self) -> None:
        self.asked = 0
        self.away: Exception | None = None
        self.hangs = False

    async def get(self, voice: str, line: Line) -> Pcm:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.away is not None:
            raise self.away
        return Pcm(8000, b"\x01\x02")


def stage(book: Book) -> CallStage:
    parts: Any = SimpleNamespace(
        prompts=book, rendered_in="slt", voice=SimpleNamespace(rate=8000), teller=None, ledger=None, do_not_call=None
    )
    return CallStage(parts, Brief(agent="sales"))


@pytest.mark.parametrize("hangs", [False, True])
async def test_while_they_are_away_one_is_waited_for_and_not_long(monkeypatch: pytest.MonkeyPatch, hangs: bool) -> None:
    monkeypatch.setattr(staging, "PROMPT_WITHIN", 0.05)
    now = 1000.0
    monkeypatch.setattr(staging, "time", SimpleNamespace(monotonic=lambda: now, time=lambda: now))
    book = Book()
    book.away, book.hangs = Unavailable("Redis doesn't give the prompt."), hangs
    one = stage(book)
    async with asyncio.timeout(2.0):
        assert [await one.prompt(HELLO) for _ in range(45)] == [None] * 45
    assert book.asked == 1
    book.away, book.hangs = None, False
    now += staging.PROMPTS_AWAY - 0.1
    assert await one.prompt(HELLO) is None
    now += 0.2
    assert await one.prompt(HELLO) == Pcm(8000, b"\x01\x02")
