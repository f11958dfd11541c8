"""A caller who waits, on what a session tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, cast

import pytest
from livekit import rtc

from agents.line import holding
from agents.line.holding import WITHIN
from agents.line.media import StageOutput
from agents.line.patience import PHRASES, Patience, sounding
from agents.words.lines import Say, line_of
from gateway.conduct.sound import tones
from gateway.conduct.talk.port import Pcm, Played
from gateway.terms.catalogue import Line
from tests.e2e.servers import until
from tests.unit.agents.telling_session import TellingSession

RATE = 24000


def sound(text: str) -> bytes:
    """A text's audio."""
    return text.encode() + b" " * (len(text) % 2)


class Voice:
    """What the caller hears, for as long as it isn't told to be over."""

    rate = RATE

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.over = asyncio.Event()
        self.queued = self.lasts = 0.0
        self.played = Played(1.0, interrupted=False)

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        self.queued = self.lasts

    async def finish(self) -> Played:
        await self.over.wait()
        self.over.clear()
        return self.played

    def clear(self) -> None:
        self.over.set()

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Scene:
    def __init__(self) -> None:
        self.session, self.voice = TellingSession(), Voice()
        self.output = StageOutput(self.voice)
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.fillers = 0
        self.rendered = True
        self._tasks: set[asyncio.Task[None]] = set()
        self.attention = self
        self.patience = Patience(cast(Any, self.session), self.output, cast(Any, self), self._line, self._start, WITHIN)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    def _line(self, say: Say) -> Line:
        text = line_of(say, "en")
        return Line(text=text, spoken=text, language="en")

    @contextmanager
    def filling(self) -> Iterator[None]:
        self.fillers += 1
        yield
        self.fillers -= 1

    def held(self, text: str, after: float) -> None:
        self.told.put_nowait(text)

    async def prompt(self, line: Line) -> Pcm | None:
        return Pcm(RATE, sound(line.text)) if self.rendered else None

    async def next(self) -> str:
        return await asyncio.wait_for(self.told.get(), 10)

    def ask(self) -> None:
        self.session.user("listening", "speaking")
        self.session.heard("what does it cost")
        self.session.user("speaking", "listening")
        self.session.agent("listening", "thinking")

    async def answer(self) -> None:
        """A piece of one, which has been heard."""
        await self.output.capture_frame(rtc.AudioFrame(b"an answer!", RATE, 1, 5))
        if self.session.state != "speaking":
            self.session.agent(self.session.state, "speaking")

    async def heard(self, times: int) -> list[str]:
        """The next phrases, each of which is over then."""
        said = []
        for _ in range(times):
            said.append(await self.next())
            self.voice.over.set()
        return said


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(holding, "LATE", WITHIN - 0.01)
    monkeypatch.setattr(holding, "ON_THE_WAY", WITHIN)
    scene = Scene()
    await scene.patience.fetch()
    yield scene
    scene.patience.close()
    scene.voice.over.set()
    await scene.output.aclose()


async def test_a_phrase_is_said_while_nothing_else_is(scene: Scene) -> None:
    scene.ask()
    said = [await scene.next()]
    scene.voice.over.set()
    assert said == [line_of(Say.HOLD_ON, "en")]
    assert scene.voice.sent == [sound(said[0])]


async def test_phrases_go_on_and_no_words_come_twice_running(scene: Scene) -> None:
    scene.ask()
    said = await scene.heard(8)
    assert said[:2] == [line_of(Say.HOLD_ON, "en"), line_of(Say.HOLD_ON_AGAIN, "en")]
    scene.session.agent("thinking", "speaking")
    scene.session.agent("speaking", "listening")
    assert scene.patience._timer is None
    scene.ask()
    said += await scene.heard(2)
    assert said[8] == line_of(Say.HOLD_ON_BRIEFLY, "en"), "a new wait begins with few words, and not with the same"
    assert all(one != other for one, other in pairwise(said))


async def test_an_answer_that_breaks_off_is_filled_and_goes_on_after_the_phrase(scene: Scene) -> None:
    ends: list[tuple[float, bool]] = []
    scene.output.on("playback_finished", lambda event: ends.append((event.playback_position, event.interrupted)))
    await scene.answer()
    scene.voice.played = Played(5.0, interrupted=False)
    first = await scene.next()
    assert scene.voice.sent[1] == sound(first)
    going_on = asyncio.create_task(scene.answer())
    await asyncio.sleep(0)
    assert len(scene.voice.sent) == 2, "it waits for the phrase's end"
    scene.voice.over.set()
    await going_on
    scene.output.flush()
    scene.voice.played = Played(1.0, interrupted=False)
    scene.voice.over.set()
    await until(lambda: ends, 5.0)
    assert ends == [(pytest.approx(6.0 - len(sound(first)) / 2 / RATE), False)], "the phrase is none of the answer's"


async def test_an_answer_that_still_sounds_is_not_filled(scene: Scene) -> None:
    scene.voice.lasts = 60.0
    await scene.answer()
    scene.patience._due()
    scene.output.flush()
    scene.patience._due()
    assert len(scene.voice.sent) == 1
    assert scene.patience._first[0] is Say.HOLD_ON, "and no phrase is used up"
    assert scene.patience._holding.deadline > asyncio.get_running_loop().time() + 59.0


async def test_an_answer_that_is_cut_off_amid_a_phrase_is_told_to_be(scene: Scene) -> None:
    ends: list[bool] = []
    scene.output.on("playback_finished", lambda event: ends.append(event.interrupted))
    await scene.answer()
    await scene.next()
    scene.output.clear_buffer()
    scene.voice.over.set()
    await until(lambda: ends or scene.voice.over.set(), 5.0)
    assert ends == [True]


async def test_who_was_not_understood_is_asked_to_say_it_again(scene: Scene) -> None:
    scene.session.user("listening", "speaking", ago=1.0)
    scene.session.user("speaking", "listening")
    assert (await scene.heard(3))[-1] == line_of(Say.AGAIN_PLEASE, "en")
    assert scene.patience._timer is None


def test_the_silence_at_a_phrases_end_is_no_part_of_it() -> None:
    assert sounding(Pcm(RATE, b"\0\0\7\7\0\0\0\0")).data == b"\0\0\7\7"
    assert sounding(Pcm(RATE, b"\0\0")).data == b"\0\0"


async def test_an_answer_comes_after_the_phrase_and_none_comes_over_the_answer(scene: Scene) -> None:
    scene.ask()
    first = await scene.next()
    answering = asyncio.create_task(scene.answer())
    await asyncio.sleep(0)
    assert scene.voice.sent == [sound(first)], "it waits for the phrase's end"
    assert scene.fillers == 1, "which is no answer"
    scene.voice.over.set()
    scene.voice.lasts = 60.0
    await answering
    assert scene.fillers == 0
    assert len(scene.voice.sent) == 2
    assert not scene.output.fill(b"more", scene.filling()), "nothing is said over it"


async def test_who_talks_again_hears_no_more_of_it(scene: Scene) -> None:
    scene.ask()
    await scene.next()
    scene.session.user("listening", "speaking")
    assert scene.voice.over.is_set(), "it was cleared"


async def test_an_answer_in_time_says_nothing_before(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.patience._holding = holding.Holding(5.0)
    scene.ask()
    scene.voice.lasts = 60.0
    await scene.answer()
    assert scene.patience._holding.deadline > asyncio.get_running_loop().time() + 59.0
    scene.session.agent("speaking", "listening")
    assert scene.patience._timer is None


async def test_phrases_that_were_not_rendered_are_fetched_when_the_caller_talks() -> None:
    late = Scene()
    late.rendered = False
    await late.patience.fetch()
    late.rendered = True
    late.session.user("listening", "speaking")
    await asyncio.wait(late._tasks)
    assert set(late.patience._phrases) == set(PHRASES)
    late.patience.close()


async def test_who_has_pressed_a_key_is_told_to_hold_on_as_well(scene: Scene) -> None:
    scene.patience.waits()
    assert await scene.next() == line_of(Say.HOLD_ON, "en")


async def test_a_phrase_that_is_not_rendered_yet_is_a_soft_tone(scene: Scene) -> None:
    scene.patience._phrases.clear()
    scene.patience.waits()
    await until(lambda: scene.voice.sent, 5.0)
    assert scene.voice.sent == [tones.moment(RATE).data]
    assert scene.told.empty(), "nothing was said"


async def test_the_caller_waits_since_they_fell_silent_and_not_since_it_was_noticed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "ON_THE_WAY", 0.0)
    scene.session.user("listening", "speaking")
    scene.session.heard("what does it cost")
    scene.session.user("speaking", "listening", ago=0.3)
    waits = scene.patience._holding.deadline - asyncio.get_running_loop().time()
    assert waits == pytest.approx(WITHIN - 0.3, abs=0.1)
