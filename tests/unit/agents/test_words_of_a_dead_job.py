"""What a caller has said at a menu is answered once, wherever a job dies that was to answer it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from agents import runner
from agents.definition import notices
from agents.words.lines import Say, line_of
from gateway.calls.shared.spoken import MemorySpoken
from gateway.conduct.talk.port import Pcm
from gateway.terms.act import Because
from gateway.terms.call import Brief
from gateway.terms.event import Event, Kind
from gateway.terms.kept import Heard, Kept, heard_data, kept_of
from gateway.terms.personal import Words
from tests.unit.agents.runner_scene import CALL, Scene, scene

BRIEF = Brief("support")
LED = replace(CALL, because=Because.SPEECH.value)
SAID, WORDS = b"\x00\x01" * 8000, "My line is dead."


class Hears:
    """Makes out what was said at the menu, and nothing else."""

    words = WORDS

    def __init__(self, *_: object) -> None:
        pass

    async def transcribe(self, audio: Pcm, language: str) -> str:
        assert audio.data == SAID
        return self.words


@pytest.fixture(autouse=True)
def hears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "Transcribing", Hears)


@asynccontextmanager
async def job(monkeypatch: pytest.MonkeyPatch, spoken: MemorySpoken, kept: Kept | None = None) -> AsyncIterator[Scene]:
    """One that talks; `kept`: what the one before has left."""
    async with scene(monkeypatch, BRIEF, kept=kept, call=LED, spoken=spoken) as on:
        talking = asyncio.create_task(on.runner.converse())
        await asyncio.sleep(0)
        await on.settled()
        yield on
        talking.cancel()
        await asyncio.wait({talking})


async def turns(on: Scene) -> list[Event]:
    await on.told(Kind.TURN)
    return [event for event in on.store.told if event.kind is Kind.TURN]


def said(told: Sequence[Event], speaker: str) -> list[object]:
    return [event.data["text"] for event in told if event.data["speaker"] == speaker]


async def spoken() -> MemorySpoken:
    found = MemorySpoken(time.monotonic)
    await found.add(LED.id, LED.stop, SAID)
    return found


async def test_wherever_its_job_dies_it_is_answered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    before = await spoken()
    async with job(monkeypatch, before) as on:
        all_told = await turns(on)
    notice = notices(BRIEF)
    assert said(all_told, "agent") == [notice]
    assert said(all_told, "caller") == [WORDS]
    for count in range(len(all_told) + 1):
        async with job(monkeypatch, before, kept_of(all_told[:count], {})) as on:
            after = await turns(on)
            answered = on.session.heard
        whole = [*all_told[:count], *after]
        assert said(whole, "caller") == [WORDS], f"after {count} turns"
        assert said(whole, "agent") == [notice]
        assert answered == [WORDS if count < 2 else ""]


async def test_what_they_have_said_to_the_dead_job_is_answered_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Event(LED.id, Kind.HEARD, 1.0, heard_data(Heard(Words("Since this morning."))))
    async with job(monkeypatch, await spoken(), kept_of([], {Kind.HEARD: heard})) as on:
        assert on.session.heard == [f"{WORDS} Since this morning."]


async def test_who_cant_be_made_out_is_asked_again_and_not_greeted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hears, "words", "")
    before = await spoken()
    async with job(monkeypatch, before) as on:
        told = await turns(on)
    greeted = said(told, "agent")
    assert len(greeted) == 2
    async with job(monkeypatch, before, kept_of(told, {})) as on:
        [again] = said(await turns(on), "agent")
    assert again in str(greeted[1])
    assert again != line_of(Say.AGAIN_PLEASE, "en-US")
