"""What somebody has said last tells whether there was a goodbye, as far as anybody understands it; where not, nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import numpy as np
import pytest

from gateway.conduct.legs.kept_words import Said
from gateway.conduct.legs.last_words import (
    ARRIVES,
    ASKED_AFTER,
    FRAME_MS,
    LEAST,
    STALE,
    TOLD_WITHIN,
    UNDERSTOOD_WITHIN,
    LastWords,
)
from gateway.conduct.sfu.rpc import Unsupported
from gateway.conduct.talk.port import Pcm
from gateway.errors import PeerFault, Unavailable
from gateway.rtp import RATE
from gateway.terms.last_words import REMEMBERED as KEPT
from tests.unit.conduct.caller.test_phrases import line, speech
from tests.unit.conduct.virtual import run

FRAME = RATE * FRAME_MS // 1000
SECOND = 1000 // FRAME_MS
"""Frames."""
TALK, AMID = line(0.5, speech(1, 4.0), 0.5), "so how many phones would you need"
TONE = (np.sin(2 * np.pi * 900 * np.arange(round(0.6 * RATE)) / RATE) * 8000).astype(np.int16)


def never() -> None:
    raise AssertionError("nobody else remembers them")


class Words:
    """Understands always the same, or fails."""

    def __init__(self, words: str = AMID, trouble: Exception | None = None, takes: float = 0.0) -> None:
        self.words, self.trouble, self.takes = words, trouble, takes
        self.asked: list[Pcm] = []

    async def transcribe(self, audio: Pcm, language: str) -> str:
        assert language == "en-GB"
        self.asked.append(audio)
        await asyncio.sleep(self.takes)
        if self.trouble is not None:
            raise self.trouble
        return self.words


class Leg:
    """Says a frame each FRAME_MS, and then (`goes_on`) nothing."""

    def __init__(self, samples: np.ndarray, *, goes_on: bool = True) -> None:
        self.frames = [samples[at : at + FRAME].tobytes() for at in range(0, len(samples) - FRAME + 1, FRAME)]
        self.goes_on, self.readers = goes_on, list[str]()
        self.said = asyncio.Event()
        """All is."""

    async def hear(self, leg: str, frame_ms: int) -> AsyncIterator[bytes]:
        assert frame_ms == FRAME_MS
        self.readers.append(leg)
        try:
            for frame in self.frames:
                await asyncio.sleep(FRAME_MS / 1000)
                yield frame
            self.said.set()
            while self.goes_on:
                await asyncio.sleep(FRAME_MS / 1000)
                yield bytes(2 * FRAME)
            await asyncio.Event().wait()
        finally:
            self.readers.remove(leg)


class Service:
    """The caller's SIP service: remembers this, or fails."""

    def __init__(self, said: Said | PeerFault, takes: float = 0.0) -> None:
        self.said, self.takes = said, takes
        self.looks = list[float]()
        """When it was asked, on the loop's clock."""
        self.told = list[str]()
        """The legs all of whose words it was asked for."""

    async def known(self, leg: str) -> Said:
        self.looks.append(asyncio.get_running_loop().time())
        if isinstance(self.said, PeerFault):
            raise self.said
        return replace(self.said, audio=b"")

    async def all(self, leg: str) -> Said:
        self.told.append(leg)
        await asyncio.sleep(self.takes)
        if isinstance(self.said, PeerFault):
            raise self.said
        return self.said


def last_words(leg: Leg, words: Words, service: Service | None = None, deaf: Callable[[], None] = never) -> LastWords:
    return LastWords(leg.hear, service or Service(Unsupported("no")), words, "en-GB", deaf)


async def asked(leg: Leg, words: Words, after: float = 0.0) -> tuple[bool | None, float]:
    """Whether there was a goodbye, `after` so many seconds from the end of what was said; and how long that took to tell."""
    async with last_words(leg, words) as last:
        last.remember("1")
        await leg.said.wait()
        await asyncio.sleep(after)
        began = asyncio.get_running_loop().time()
        found = await last.goodbye()
        took = asyncio.get_running_loop().time() - began
    assert leg.readers == []
    return found, took


@pytest.mark.parametrize(("words", "goodbye"), [("all right thank you goodbye", True), (AMID, False), ("hm", None)])
def test_what_was_said_last_tells_whether_there_was_a_goodbye(words: str, goodbye: bool | None) -> None:
    async def check() -> None:
        assert (await asked(Leg(TALK), Words(words)))[0] is goodbye

    run(check())


def test_the_last_seconds_are_understood_with_what_was_still_on_its_way() -> None:
    async def check() -> None:
        leg, words = Leg(line(speech(1, KEPT + 3))), Words()
        async with last_words(leg, words) as last:
            last.remember("1")
            await asyncio.sleep(KEPT + 1 + FRAME_MS / 2000)
            assert await last.goodbye() is False
        [heard] = words.asked
        assert (heard.rate, heard.seconds) == (RATE, KEPT)
        ends = leg.frames.index(heard.data[-2 * FRAME :]) + 1
        assert ends >= SECOND * (KEPT + 1 + ARRIVES), "what is said last counts most"

    run(check())


@pytest.mark.parametrize(
    "samples",
    [
        line(speech(1, LEAST - 0.2)),
        line(KEPT),
        np.concatenate([line(3.0), TONE, line(2.0)]),
    ],
    ids=["too little", "silence", "a tone"],
)
def test_nobody_is_asked_about_what_holds_no_talk(samples: np.ndarray) -> None:
    async def check() -> None:
        words = Words()
        assert (await asked(Leg(samples), words))[0] is None
        assert words.asked == []

    run(check())


def test_what_was_heard_a_while_before_is_no_end_of_a_talk() -> None:
    async def check() -> None:
        assert (await asked(Leg(TALK, goes_on=False), Words(), STALE - 0.1))[0] is False
        assert (await asked(Leg(TALK, goes_on=False), Words(), STALE + 0.1))[0] is None

    run(check())


@pytest.mark.parametrize("trouble", [Unavailable("down"), RuntimeError("broken")])
def test_where_nobody_understands_words_nobody_knows(trouble: Exception) -> None:
    async def check() -> None:
        assert (await asked(Leg(TALK), Words(trouble=trouble)))[0] is None

    run(check())


def test_nobody_waits_long_for_the_words() -> None:
    async def check() -> None:
        found, took = await asked(Leg(TALK, goes_on=False), Words(takes=60.0))
        assert found is None
        assert took == pytest.approx(ARRIVES + UNDERSTOOD_WITHIN, abs=0.01)

    run(check())


@pytest.mark.parametrize("then", ["", "2"])
def test_who_is_remembered_no_more_is_heard_no_more_and_all_is_forgotten(then: str) -> None:
    async def check() -> None:
        leg, words = Leg(TALK), Words()
        async with last_words(leg, words) as last:
            last.remember("1")
            await leg.said.wait()
            assert leg.readers == ["1"]
            last.remember(then)
            await asyncio.sleep(0.01)
            assert leg.readers == ([then] if then else [])
            assert await last.goodbye() is None
        assert words.asked == []

    run(check())


def test_who_is_forgotten_while_they_are_understood_is_understood() -> None:
    """As where the time is up in which they are rung back."""

    async def check() -> None:
        leg, words = Leg(TALK), Words(takes=1.0)
        async with last_words(leg, words) as last:
            last.remember("1")
            await leg.said.wait()
            asking = asyncio.create_task(last.goodbye())
            await asyncio.sleep(0.01)
            last.remember("")
            assert await asking is False

    run(check())


REMEMBERED = Said(KEPT, 0.02, TALK.tobytes())
"""What a service remembers of somebody who has said TALK."""


def test_who_the_callers_service_remembers_is_heard_by_us_no_more_and_understood_all_the_same() -> None:
    async def check() -> None:
        leg, words, service, deaf = Leg(TALK), Words("bye bye"), Service(REMEMBERED), list[str]()
        async with last_words(leg, words, service, lambda: deaf.append("")) as last:
            last.remember("1")
            await asyncio.sleep(ASKED_AFTER[0] - 0.01)
            assert (leg.readers, deaf) == (["1"], [])
            await asyncio.sleep(0.02)
            assert (leg.readers, deaf) == ([], [""])
            began = asyncio.get_running_loop().time()
            assert await last.goodbye() is True
            assert asyncio.get_running_loop().time() - began < ARRIVES, "nothing is on its way"
        assert service.told == ["1"]
        assert words.asked == [Pcm(RATE, TALK.tobytes())]

    run(check())


def test_who_it_remembers_too_little_of_is_heard_by_us_until_it_does() -> None:
    """They may be connected later; and where it never hears them, as by another process, we do for as long as they are remembered."""

    async def check(then: float, readers: list[str]) -> None:
        leg, service, deaf = Leg(TALK), Service(Said(LEAST - 0.1)), list[str]()
        async with last_words(leg, Words(), service, lambda: deaf.append("")) as last:
            last.remember("1")
            await asyncio.sleep(ASKED_AFTER[0] + 0.01)
            assert leg.readers == ["1"]
            service.said = Said(then)
            await asyncio.sleep(sum(ASKED_AFTER))
            assert leg.readers == readers
            assert len(service.looks) == (2 if then else len(ASKED_AFTER))

    run(check(LEAST, []))
    run(check(0.0, ["1"]))


def test_a_service_that_cant_is_asked_once_and_one_that_doesnt_answer_again() -> None:
    async def check(trouble: PeerFault, looks: int) -> None:
        leg, service = Leg(TALK), Service(trouble)
        async with last_words(leg, Words(), service) as last:
            last.remember("1")
            await asyncio.sleep(sum(ASKED_AFTER) + 1.0)
            assert leg.readers == ["1"]
            assert len(service.looks) == looks

    run(check(Unsupported("no such method"), 1))
    run(check(Unavailable("busy"), len(ASKED_AFTER)))


@pytest.mark.parametrize(
    "service",
    [
        Service(Unavailable("gone")),
        Service(REMEMBERED, takes=60.0),
        Service(replace(REMEMBERED, seconds=LEAST - 0.1)),
        Service(replace(REMEMBERED, silent=STALE + 0.1)),
        Service(replace(REMEMBERED, audio=line(KEPT).tobytes())),
    ],
    ids=["no answer", "a late answer", "too little", "a while before", "silence"],
)
def test_what_the_service_cant_tell_nobody_knows(service: Service) -> None:
    async def check() -> None:
        words, told = Words(), service.said
        async with last_words(Leg(TALK), words, service, lambda: None) as last:
            service.said = REMEMBERED
            last.remember("1")
            await asyncio.sleep(ASKED_AFTER[0] + 0.01)
            service.said = told
            began = asyncio.get_running_loop().time()
            assert await last.goodbye() is None
            assert asyncio.get_running_loop().time() - began <= TOLD_WITHIN + 0.01
        assert words.asked == []

    run(check())


def test_who_is_remembered_next_is_heard_by_us_first() -> None:
    async def check() -> None:
        leg, service, deaf = Leg(TALK), Service(REMEMBERED), list[str]()
        async with last_words(leg, Words("bye"), service, lambda: deaf.append("")) as last:
            last.remember("1")
            await asyncio.sleep(ASKED_AFTER[0] + 0.01)
            last.remember("2")
            await asyncio.sleep(0.01)
            assert leg.readers == ["2"]
            assert await last.goodbye() is None, "what the one before said is forgotten"
        assert (service.told, deaf) == ([], [""])

    run(check())
