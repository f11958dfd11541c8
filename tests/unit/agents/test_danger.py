"""A caller in danger hears at once that they must hang up and dial, and no model is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest
from livekit.agents import Agent, StopResponse
from livekit.agents.llm import ChatContext, ChatMessage
from livekit.agents.stt import SpeechData, SpeechEvent, SpeechEventType

from agents.words.lines import danger
from gateway.terms.event import Kind
from gateway.terms.sealed import HIDDEN
from tests.unit.agents.runner_scene import BRIEF, Scene, scene

SENTENCE = danger("US", "en")
OPEN = replace(BRIEF, sealed=False)


async def hears(monkeypatch: pytest.MonkeyPatch, on: Scene, *finals: str) -> None:
    async def told(*_: object) -> AsyncIterator[SpeechEvent]:
        for text in finals:
            data = SpeechData(language=cast(Any, "en"), text=text)
            yield SpeechEvent(type=SpeechEventType.FINAL_TRANSCRIPT, alternatives=[data])

    monkeypatch.setattr(Agent.default, "stt_node", told)
    async for _event in on.session.agent.stt_node(cast(Any, None), cast(Any, None)):
        pass
    await asyncio.sleep(0)


async def turns(on: Scene, text: str) -> bool:
    """The caller's turn; whether the model is asked."""
    try:
        await on.session.agent.on_user_turn_completed(ChatContext.empty(), ChatMessage(role="user", content=[text]))
    except StopResponse:
        return False
    finally:
        await on.settled()
    return True


async def said(on: Scene) -> list[tuple[str, str]]:
    return [(turn["speaker"], turn["text"]) for turn in await on.told(Kind.TURN)][1:]


async def test_it_is_said_once_and_the_model_isnt_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch, OPEN) as on:
        await hears(monkeypatch, on, "my house is on fire")
        assert on.session.interrupted == 1, "before they have said all"
        assert not await turns(on, "my house is on fire")
        assert await said(on) == [("caller", "my house is on fire"), ("agent", SENTENCE)]
        assert await turns(on, "It was nothing. We need a new phone system."), "and then it goes on"
        assert not await turns(on, "call an ambulance")
        assert [text for who, text in await said(on) if who == "agent"] == [SENTENCE, SENTENCE]


async def test_words_that_make_sense_only_together_count(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch, OPEN) as on:
        await hears(monkeypatch, on, "please call", "an ambulance")
        assert on.session.interrupted == 0
        assert not await turns(on, "please call an ambulance")
        assert ("agent", SENTENCE) in await said(on)


async def test_who_talks_on_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.talk.endangered.TURN_WITHIN", 0.01)
    async with scene(monkeypatch, OPEN) as on:
        await hears(monkeypatch, on, "he has a gun")
        await on.settled()
        assert await said(on) == [("caller", "he has a gun"), ("agent", SENTENCE)]


async def test_a_route_that_seals_digits_hears_the_number_they_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch) as on:
        await hears(monkeypatch, on, "call nine one one")
        assert not await turns(on, f"call {HIDDEN}")
        assert await said(on) == [("caller", f"call {HIDDEN}"), ("agent", SENTENCE)]


async def test_it_goes_before_what_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch, OPEN) as on:

        async def answered(*_: object) -> bool:
            raise AssertionError("it was taken for an answer")

        monkeypatch.setattr(on.runner._checking, "take", answered)
        assert not await turns(on, "yes my father has a heart attack")
