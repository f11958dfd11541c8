"""Whoever talks at a menu is noticed, and what they say is kept for the agent that it leads them to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from gateway.calls.acts.cues import Spoke
from gateway.calls.shared.spoken import MemorySpoken
from gateway.conduct.caller.ear import FRAME_MS, Ear
from gateway.conduct.caller.phrases import BEFORE, LONGEST
from gateway.errors import Unavailable
from gateway.terms.call import Call, CallId
from tests.contract.calls import a_call
from tests.unit.conduct.caller.test_phrases import speech

RATE = 8000
QUIET = np.random.default_rng(1).normal(0, 5, RATE).astype(np.int16)


def loud(seconds: float, frequency: float = 300) -> np.ndarray:
    return (np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE) * 6000).astype(np.int16)


class Line:
    """A caller, as fast as they are heard."""

    def __init__(self, *parts: np.ndarray) -> None:
        self._samples = np.concatenate(parts)
        self.heard = asyncio.Event()
        """All of it was."""
        self.readers = 0

    async def hear(self, rate: int, frame_ms: int) -> AsyncIterator[bytes]:
        assert rate == RATE
        self.readers += 1
        size = rate * frame_ms // 1000
        try:
            for start in range(0, len(self._samples) // size * size, size):
                yield self._samples[start : start + size].tobytes()
            self.heard.set()
            await asyncio.Event().wait()
        finally:
            self.readers -= 1


class Lost(MemorySpoken):
    async def add(self, call: CallId, stop: int, audio: bytes) -> None:
        raise Unavailable("down")


def kept() -> MemorySpoken:
    return MemorySpoken(time.monotonic)


def samples(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.int16)


def silent() -> np.ndarray:
    """Nothing was said to the caller."""
    return np.zeros(0, np.int16)


@pytest.fixture
def call() -> Call:
    return a_call()


async def test_a_phrase_is_told_and_kept_from_before_its_beginning(call: Call) -> None:
    spoken, told, line = kept(), list[Spoke](), Line(QUIET, loud(0.6), QUIET)
    ear = Ear(spoken, silent)
    async with ear.listening(line.hear, call, told.append):
        await line.heard.wait()
    assert len(told) == 1
    await ear.close()
    found = samples(await spoken.said(call.id, call.stop + 1))
    beginning = int(np.flatnonzero(np.abs(found) > 1000)[0]) / RATE
    assert BEFORE - 0.05 <= beginning <= BEFORE + 0.05
    assert np.count_nonzero(np.abs(found) > 1000) > 0.4 * RATE


async def test_a_click_is_neither_told_nor_kept_with_what_follows(call: Call) -> None:
    spoken, told, line = kept(), list[Spoke](), Line(QUIET, loud(0.1, 700), QUIET, loud(0.6), QUIET)
    ear = Ear(spoken, silent)
    async with ear.listening(line.hear, call, told.append):
        await line.heard.wait()
    await ear.close()
    assert len(told) == 1
    assert len(samples(await spoken.said(call.id, call.stop + 1))) < 2.2 * RATE


async def test_the_menus_own_words_are_no_phrase_when_the_line_sends_them_back(call: Call) -> None:
    said, spoken, told = speech(1, 2.0, 12000), kept(), list[Spoke]()
    line = Line(QUIET, (said * 0.03).astype(np.int16), QUIET)
    ear = Ear(spoken, lambda: said.astype(np.int16))
    async with ear.listening(line.hear, call, told.append):
        await line.heard.wait()
    await ear.close()
    assert (told, await spoken.said(call.id, call.stop + 1)) == ([], b"")


async def test_who_goes_on_talking_is_heard_until_somebody_else_hears_them(call: Call) -> None:
    spoken, told = kept(), list[Spoke]()
    line = Line(QUIET, loud(0.5), QUIET[:4000], loud(1.0, 500), QUIET)
    ear = Ear(spoken, silent)
    phrase = asyncio.Event()

    def happened(one: Spoke) -> None:
        told.append(one)
        phrase.set()

    async with ear.listening(line.hear, call, happened):
        await phrase.wait()
    await line.heard.wait()
    assert line.readers == 1
    await ear.close()
    assert line.readers == 0
    found = samples(await spoken.said(call.id, call.stop + 1))
    assert np.count_nonzero(np.abs(found) > 1000) > 1.2 * RATE * 0.9


async def test_who_says_nothing_is_heard_no_longer_than_the_menu_lasts(call: Call) -> None:
    spoken, line = kept(), Line(QUIET)
    async with Ear(spoken, silent).listening(line.hear, call, lambda _: None):
        await line.heard.wait()
    assert line.readers == 0
    assert await spoken.said(call.id, call.stop + 1) == b""


async def test_no_more_is_kept_than_ten_seconds(call: Call) -> None:
    spoken, line = kept(), Line(QUIET, loud(0.5), QUIET, *[loud(1.0)] * 12)
    ear = Ear(spoken, silent)
    async with ear.listening(line.hear, call, lambda _: None):
        await line.heard.wait()
    await ear.close()
    seconds = len(samples(await spoken.said(call.id, call.stop + 1))) / RATE
    assert LONGEST - 5 * FRAME_MS / 1000 <= seconds <= LONGEST


async def test_a_store_that_is_down_doesnt_hold_the_menu_up(call: Call) -> None:
    told, line = list[Spoke](), Line(QUIET, loud(0.6), QUIET)
    ear = Ear(Lost(time.monotonic), silent)
    phrase = asyncio.Event()

    def happened(one: Spoke) -> None:
        told.append(one)
        phrase.set()

    async with ear.listening(line.hear, call, happened):
        await phrase.wait()
    await ear.close()
    assert len(told) == 1
