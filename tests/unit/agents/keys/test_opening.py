"""Keys that nothing has asked for: the opening stays whole, no model is told, and no sentence ends for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from livekit.agents import ModelSettings

from agents.definition import DigitField, opening
from agents.keys.opening import Then, before_said, silences
from agents.registry import definition
from agents.talk.checking import CheckedAgent
from agents.words.lines import Say, line_of
from gateway.calls.acts.digits import Rules
from gateway.calls.shared.spoken import MemorySpoken
from gateway.terms.call import Brief
from gateway.terms.event import Event, Kind, last_key
from gateway.terms.kept import Kept, kept_of
from tests.unit.agents.runner_scene import Scene, scene

BRIEF = Brief("support")
ASKS = replace(BRIEF, greeting="Please key in your ticket number.")
TICKET, CARD = DigitField("ticket", "ticket number", Rules()), DigitField("card", "card number", Rules())


@pytest.mark.parametrize(
    ("key", "asks", "begun", "then"),
    [
        ("5", False, False, Then.NEVER),
        ("*", False, False, Then.NEVER),
        ("0", False, False, Then.NOW),
        ("0", True, False, Then.NOW),
        ("5", True, False, Then.LATER),
        ("0", True, True, Then.LATER),
        ("#", True, True, Then.LATER),
    ],
)
def test_a_key_before_the_opening_has_been_said(key: str, asks: bool, begun: bool, then: Then) -> None:
    assert before_said(key, asks=asks, begun=begun) is then


def test_only_what_digits_answer_falls_silent_for_them() -> None:
    assert silences(TICKET, "", (), sealed=False)
    assert silences(None, "And what is your Ticket number?", (TICKET,), sealed=False), "it is being asked"
    assert silences(None, "What is wrong?", (TICKET,), sealed=True)
    assert not silences(None, "What is wrong?", (TICKET, CARD), sealed=True)
    assert not silences(None, "What is wrong?", (TICKET,), sealed=False)


@asynccontextmanager
async def begun(
    monkeypatch: pytest.MonkeyPatch, early: str = "", brief: Brief = BRIEF, kept: Kept | None = None
) -> AsyncIterator[tuple[Scene, list[str]]]:
    """An agent that says its opening, and what it says. `early`: keys that came before."""
    async with scene(monkeypatch, brief, kept=kept, spoken=None if kept else MemorySpoken(lambda: 0.0)) as on:
        said = on.session.hold()
        await on.press(early, 1)
        talking = asyncio.create_task(on.runner.converse())
        await asyncio.sleep(0)
        yield on, said
        talking.cancel()
        await asyncio.wait({talking})


async def test_keys_leave_the_opening_whole_and_count_as_acted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = opening(definition("support"), BRIEF)
    async with begun(monkeypatch, "5") as (on, said):
        await on.press("*#12", 2)
        assert said == [whole]
        assert not on.session.interrupted
        assert not on.session.heard
        assert not await on.keyed()
        told = (await on.heard())[-1]
        assert last_key(told) == 5, "no other job is told them"
        assert not on.runner._keying.begun, "nothing comes of them after a while"
        on.session.end()
        await on.press("41#", 6)
        assert on.session.heard == ["[keypad] 41"], "what comes later counts as ever"


async def test_0_gets_a_person_in_the_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    async with begun(monkeypatch, "5") as (on, said):
        on.runner.digit("0", 2)
        (turn,) = await _told(on)
        assert turn.data["text"] == "0"
        assert on.session.interrupted
        assert said[1:] == [line_of(Say.WHICH_NUMBER, "en-US")]


async def _told(on: Scene) -> list[Event]:
    for _ in range(5):
        await asyncio.sleep(0)
    return [event for event in on.store.told if event.data.get("speaker") == "keypad"]


async def test_keys_that_the_opening_asks_for_wait_until_it_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async with begun(monkeypatch, "40", ASKS) as (on, _):
        await on.press("72#", 3)
        assert not on.session.interrupted
        assert not on.session.heard
        on.session.end()
        await on.settled()
        assert on.session.heard == ["[keypad] 4072"]
        assert [event.data["text"] for event in await on.keyed()] == ["4072"]


async def test_the_notice_that_a_dead_job_owes_stays_whole_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with begun(monkeypatch, "5", kept=kept_of([], {})) as (on, said):
        await on.press("1", 2)
        assert len(said) == 1
        assert line_of(Say.NOTICE, "en-US") in said[0]
        assert not on.session.interrupted
        assert last_key((await on.heard())[-1]) == 2
        assert not on.runner._keying.begun


async def test_what_is_being_said_is_known_as_its_words_come() -> None:
    async def words(*said: str) -> AsyncIterator[str]:
        for one in said:
            yield one

    agent = CheckedAgent(instructions="")
    assert [one async for one in agent.transcription_node(words("One moment."), ModelSettings())] == ["One moment."]
    text = agent.transcription_node(words("What is your ", "ticket number?"), ModelSettings())
    await anext(text)
    assert agent.saying == "What is your "
    await anext(text)
    assert silences(None, agent.saying, (TICKET,), sealed=False)


async def test_a_sentence_that_asks_for_no_digits_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch, BRIEF) as on:
        on.session.added("assistant", "What is wrong?")
        on.session.agent.saying = "Please tell me what you see."
        await on.press("5")
        assert not on.session.interrupted
        await on.press("#")
        assert on.session.heard == ["[keypad] 5"]
        cut = on.session.interrupted
        on.session.agent.saying = "What is your ticket number?"
        await on.press("5")
        assert on.session.interrupted == cut + 1
        assert await on.told(Kind.TURN)
