"""Whoever asks for a person at a menu is understood when somebody understands words; nothing else counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np

from gateway.calls.acts.cues import NoCalls, WantsPerson
from gateway.conduct.caller.overhear import AT_MOST, SHORT, overhearing
from gateway.conduct.talk.port import Pcm, Wants
from gateway.errors import Unavailable
from gateway.rtp import RATE, Samples
from tests.unit.conduct.caller.test_phrases import line, speech

PERSON, OTHER = speech(1, 0.8), speech(2, 0.8)


class Words:
    """Understands one sound, unless it is down or broken."""

    def __init__(self, *troubles: Exception, otherwise: Wants | None = None) -> None:
        self.otherwise = otherwise
        self.troubles = list(troubles)
        self.asked: list[Pcm] = []
        self.heard = asyncio.Event()

    async def wants(self, phrase: Pcm, language: str) -> Wants | None:
        assert language == "en-GB"
        self.asked.append(phrase)
        self.heard.set()
        if self.troubles:
            raise self.troubles.pop(0)
        samples = np.frombuffer(phrase.data, np.int16).astype(float)
        person = float(np.correlate(samples, PERSON).max()) > 0.5 * float(PERSON @ PERSON)
        return Wants.PERSON if person else self.otherwise


class Caller:
    def __init__(self, *parts: np.ndarray | float) -> None:
        self._samples = line(*parts)
        self.readers = 0

    async def hear(self, rate: int, frame_ms: int) -> AsyncIterator[bytes]:
        size = rate * frame_ms // 1000
        self.readers += 1
        try:
            for start in range(0, len(self._samples) // size * size, size):
                yield self._samples[start : start + size].tobytes()
                for _ in range(200):  # one who understands is slower than a caller without a clock
                    await asyncio.sleep(0)
            await asyncio.Event().wait()
        finally:
            self.readers -= 1


async def told(
    caller: Caller, words: Words, asked: int, said: Samples | None = None, *, noted: bool = True
) -> list[WantsPerson | NoCalls]:
    """What was told, once so many phrases were understood. `noted`: whoever wants no more calls can be entered."""
    heard: list[WantsPerson | NoCalls] = []

    async def unwanted() -> bool:
        if not noted:
            raise Unavailable("down")
        return True

    ours = np.zeros(0, np.int16) if said is None else said
    async with overhearing(caller.hear, lambda: ours, words, "en-GB", unwanted, heard.append):
        async with asyncio.timeout(10):
            while len(words.asked) < asked:
                words.heard.clear()
                await words.heard.wait()
        await asyncio.sleep(0)
    assert not caller.readers
    return heard


async def test_who_asks_for_a_person_is_understood_and_nobody_else() -> None:
    words = Words()
    assert await told(Caller(1.0, OTHER, 1.0, PERSON, 1.0), words, 2) == [WantsPerson()]
    assert all(phrase.rate == RATE and phrase.seconds < 2 for phrase in words.asked)


async def test_what_understands_may_be_down_or_break() -> None:
    words = Words(Unavailable("down"), ValueError("broken"))
    assert await told(Caller(1.0, OTHER, 1.0, OTHER, 1.0, PERSON, 1.0), words, 3) == [WantsPerson()]


async def test_our_own_words_and_long_talk_arent_asked_about() -> None:
    words, said = Words(), PERSON.astype(np.int16)
    assert await told(Caller(1.0, PERSON * 0.05, 1.0, speech(3, SHORT), 1.0, OTHER, 1.0), words, 1, said) == []
    assert len(words.asked) == 1


async def test_no_more_is_asked_about_than_a_menu_needs() -> None:
    words = Words()
    parts = [part for _ in range(AT_MOST + 3) for part in (speech(2, 0.4), 0.6)]

    async def unwanted() -> bool:
        raise AssertionError("Nobody wants that.")

    caller, ours = Caller(0.5, *parts), np.zeros(0, np.int16)
    async with overhearing(caller.hear, lambda: ours, words, "en-GB", unwanted, lambda _: None):
        for _ in range(100_000):
            if len(words.asked) == AT_MOST:
                break
            await asyncio.sleep(0)
        for _ in range(20_000):
            await asyncio.sleep(0)
    assert len(words.asked) == AT_MOST


async def test_who_wants_never_to_be_called_again_is_entered_and_stays_at_the_menu() -> None:
    assert await told(Caller(0.5, OTHER, 1.5), Words(otherwise=Wants.NO_CALLS), 1) == [NoCalls(True)]
    assert await told(Caller(0.5, OTHER, 1.5), Words(otherwise=Wants.NO_CALLS), 1, noted=False) == [NoCalls(False)]
