"""A canary through a sealed route: nothing that the job tells, logs, or shows a model holds it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from livekit.agents import Agent
from livekit.agents.stt import SpeechData, SpeechEvent, SpeechEventType
from livekit.agents.types import TimedString
from pydantic import BaseModel, Field

from agents.definition import Definition, digits
from agents.keys.sealing import SealingAgent
from agents.words.lines import Say, line_of
from gateway.calls.sealed import Seal
from gateway.errors import SetupFault
from gateway.terms.call import Brief
from gateway.terms.event import Kind
from gateway.terms.personal import Digits
from gateway.terms.sealed import HIDDEN, is_sealed
from tests.unit.agents.runner_scene import BRIEF, CALL, SECRET, scene

CANARY = "739146"


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """Everything that is logged, raw: before anything is redacted."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def holds(text: str) -> bool:
    return CANARY in text or " ".join(CANARY) in text or CANARY[:4] in text


async def test_the_digits_go_to_their_field_alone(
    monkeypatch: pytest.MonkeyPatch, logs: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(monkeypatch) as on:
        await on.press(f"{CANARY}#")
        (facts,) = await on.told(Kind.FACTS)
        sealed = facts["fields"]["ticket_number"]
        assert is_sealed(sealed)
        assert Seal(SECRET).open(sealed, CALL.id, "ticket_number") == Digits(CANARY)
        assert on.runner._facts.digits("ticket_number") == Digits(CANARY)
        assert on.session.heard == ["[keypad: ticket number entered]"]
        turns = await on.told(Kind.TURN)
        assert [turn["text"] for turn in turns if turn["speaker"] == "keypad"] == [HIDDEN]
        assert not holds(json.dumps([dict(event.data) for event in on.store.told]))
        assert not holds(on.session.agent.instructions)
        assert not holds(repr(on.runner._keying._keypad))
        # A model that saves something else meanwhile neither loses nor learns them.
        [save] = [tool for tool in on.session.agent.tools if tool.info.name == "save_ticket"]
        await save(raw_arguments={"problem": "no sound", "ticket_number": "entered"})
        assert (await on.told(Kind.FACTS))[-1]["fields"] == {"ticket_number": sealed, "problem": "no sound"}
    printed = capsys.readouterr()
    assert not holds(logs.getvalue() + printed.out + printed.err)


async def test_keys_that_nothing_was_asked_for_go_to_the_one_field_they_can_be_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with scene(monkeypatch) as on:
        on.session.added("assistant", "What is wrong?")
        await on.press(f"{CANARY}#")
        (facts,) = await on.told(Kind.FACTS)
        assert is_sealed(facts["fields"]["ticket_number"])


class Payment(BaseModel):
    card: str | None = Field(None, description="your card number", json_schema_extra=digits())
    pin: str | None = Field(None, description="your PIN", json_schema_extra=digits())


async def test_keys_that_nothing_was_asked_for_go_nowhere_where_they_could_be_for_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent = Definition(name="payment", summary="", kind="ticket", record=Payment)
    async with scene(monkeypatch, agent=agent) as on:
        on.session.added("assistant", "What is wrong?")
        await on.press(f"{CANARY}#")
        assert on.session.heard == ["[keypad: keys that nothing was asked for]"]
        assert await on.told(Kind.FACTS) == []
        on.session.added("assistant", "And your PIN?")
        await on.press(f"{CANARY}#")
        (facts,) = await on.told(Kind.FACTS)
        assert set(facts["fields"]) == {"pin"}
        assert not holds(json.dumps([dict(event.data) for event in on.store.told]))


async def test_an_entry_that_cant_be_is_asked_for_again_unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch) as on:
        monkeypatch.setattr("agents.keys.keypad.Keyed.fault", property(lambda _: "short"))
        await on.press(f"{CANARY}#")
        assert on.session.heard == []
        turns = [(turn["speaker"], turn["text"]) for turn in await on.told(Kind.TURN)]
        assert turns[-2:] == [("keypad", HIDDEN), ("agent", line_of(Say.KEY_AGAIN, "en"))]
        monkeypatch.undo()
        await on.press(f"{CANARY}#")
        assert on.session.heard == ["[keypad: ticket number entered]"], "the question still stands"


async def test_digits_that_cant_be_kept_are_told_without_them(
    monkeypatch: pytest.MonkeyPatch, logs: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gateway.conduct.tell.DURABLE_WITHIN", 0.05)
    monkeypatch.setattr("gateway.conduct.tell.FLUSH_WITHIN", 0.05)
    async with scene(monkeypatch) as on:
        on.store.fails = True
        await on.press(f"{CANARY}#")
        assert on.session.heard == ["[keypad: ticket number couldn't be saved]"]
    text = logs.getvalue() + capsys.readouterr().out
    assert "couldn't be kept" in text
    assert not holds(text)


async def test_a_key_silences_the_agent_at_once_and_zero_still_means_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch) as on:
        on.runner.digit("7")
        assert on.session.interrupted == 1
        on.runner.digit("3")
        assert on.session.interrupted == 1
        await on.press("*")
        on.session.added("assistant", "What is wrong?")
        await on.press("0")
        assert line_of(Say.WHICH_NUMBER, "en") in [turn["text"] for turn in await on.told(Kind.TURN)]


async def test_another_number_to_call_back_on_is_hidden_from_the_transcript(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch) as on:
        on.session.added("assistant", "What is wrong?")
        await on.press("0")
        await on.press("5105550142#")
        assert [one["number"] for one in await on.told(Kind.CALLBACK)] == ["+15105550142"]
        turns = await on.told(Kind.TURN)
        assert "0142" not in json.dumps(turns)


async def test_an_open_route_tells_the_model_what_was_keyed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch, Brief("support")) as on:
        await on.press(f"{CANARY}#")
        assert on.session.heard == [f"[keypad] {CANARY}"]
        turns = await on.told(Kind.TURN)
        assert [turn["text"] for turn in turns if turn["speaker"] == "keypad"] == [CANARY]


async def test_a_pause_ends_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.keys.keypad.PAUSE", 0.01)
    async with scene(monkeypatch, Brief("support")) as on:
        on.runner.digit("4")
        on.runner.digit("1")
        async with asyncio.timeout(5):
            await on.session.replied.wait()
        assert on.session.heard == ["[keypad] 41"]


async def test_there_is_no_sealed_call_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.agents.runner_scene.SECRET", "")
    with pytest.raises(SetupFault, match="OFFHOOK_SECRET"):
        async with scene(monkeypatch):
            pass


async def test_digits_that_are_said_are_hidden_from_all_that_comes_after(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = ["seven three", "my ticket number is seven three nine one four six"]

    async def hears(*_: object) -> AsyncIterator[SpeechEvent]:
        for text in heard:
            words = [TimedString(word) for word in text.split()]
            data = SpeechData(language=cast(Any, "en"), text=text, words=words)
            yield SpeechEvent(type=SpeechEventType.FINAL_TRANSCRIPT, alternatives=[data])

    monkeypatch.setattr(Agent.default, "stt_node", hears)
    async with scene(monkeypatch) as on:
        assert isinstance(on.session.agent, SealingAgent)
        told = [event async for event in on.session.agent.stt_node(cast(Any, None), cast(Any, None))]
    assert [event.alternatives[0].text for event in told] == [HIDDEN, f"my ticket number is {HIDDEN}"]
    assert not any(event.alternatives[0].words for event in told)


async def test_a_route_that_seals_nothing_hears_all(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch, replace(BRIEF, sealed=False)) as on:
        assert not isinstance(on.session.agent, SealingAgent)
