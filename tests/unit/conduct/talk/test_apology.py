"""Whose agent can't go on hears that we are sorry, and something whatever fails beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.conduct.sound import tones
from gateway.conduct.talk.apology import apologise
from gateway.conduct.talk.port import Pcm
from gateway.terms.act import Choose
from gateway.terms.call import Brief
from gateway.terms.catalogue import Cue, Line
from tests.contract.calls import a_call

RATE = 8000
TONE = tones.reorder(RATE).data
SORRY = [Line(cue.value, cue.value, "en-US", cue) for cue in (Cue.SORRY, Cue.SORRY_CALLBACK)]


class Stage:
    """A stage whose prompts are their own words."""

    def __init__(self, *, booked: bool, prompts: bool = True) -> None:
        self.sent: list[bytes] = []
        self.voice = SimpleNamespace(rate=RATE, send=self.sent.append, clear=self.sent.clear)
        self._booked, self._prompts = booked, prompts

    async def call_back(self, _: str) -> bool:
        return self._booked

    async def prompt(self, line: Line) -> Pcm | None:
        return Pcm(RATE, line.text.encode()) if self._prompts else None


async def sorry(stage: Any, *, fails: str = "", act: Any = None) -> list[tuple[object, str]]:
    """Apologise; what the house was asked to tell. `fails`: what of it does."""
    told: list[tuple[object, str]] = []

    async def close() -> None:
        if fails == "the agent":
            raise ValueError

    async def call_back(_: object, call: object, reason: str) -> None:
        told.append((call, reason))
        if fails == "the house":
            raise ValueError

    def lines(_: Brief) -> Sequence[Line]:
        if fails == "the lines":
            raise LookupError
        return SORRY

    call = a_call() if act is None else replace(a_call(), act=act)
    cast: Any = SimpleNamespace(close=close)
    house: Any = SimpleNamespace(call_back=call_back)
    await apologise(stage, call, "it broke", cast=cast, house=house, lines=lines)
    return told


@pytest.mark.parametrize("booked", [True, False])
async def test_a_caller_hears_whether_they_are_called_back(booked: bool) -> None:
    stage = Stage(booked=booked)
    stage.sent.append(b"what the agent was saying")
    assert await sorry(stage) == []
    assert stage.sent == [(Cue.SORRY_CALLBACK if booked else Cue.SORRY).value.encode()]


async def test_where_the_words_cannot_be_had_there_is_a_tone() -> None:
    stage = Stage(booked=True, prompts=False)
    await sorry(stage)
    assert stage.sent == [TONE]


async def test_whom_the_house_has_served_it_tells() -> None:
    stage = Stage(booked=False)
    ((_, reason),) = await sorry(stage, act=Choose("Press 1.", "1"))
    assert (reason, stage.sent) == ("it broke", [])


@pytest.mark.parametrize(("fails", "act"), [("the agent", None), ("the lines", None), ("the house", Choose("", "1"))])
async def test_whatever_fails_beside_nobody_is_kept_in_silence(fails: str, act: Choose | None) -> None:
    stage = Stage(booked=True)
    await sorry(stage, fails=fails, act=act)
    assert stage.sent == [TONE]
