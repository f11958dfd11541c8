"""What a caller has said at the menu that led them to an agent is answered, or they are greeted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from agents.talk import answering
from agents.talk.answering import led_by_words, words_before
from gateway.conduct.talk.port import Pcm
from gateway.errors import Unavailable
from gateway.terms.act import Because
from gateway.terms.call import Brief, Call
from gateway.terms.personal import Words
from gateway.terms.sealed import HIDDEN
from gateway.terms.turn import Speaker, Turn
from tests.contract.calls import a_call

LED = replace(a_call(), because=Because.SPEECH.value)
SAID = Pcm(8000, b"\x00\x01" * 8000)


class Stage:
    def __init__(self, call: Call = LED, said: Pcm | None = SAID, *, sealed: bool = False) -> None:
        self.call, self.brief, self._said = call, Brief("sales", sealed=sealed), said
        self.turns: Sequence[Turn] = ()

    async def spoken(self) -> Pcm | None:
        return self._said


class Hears:
    def __init__(self, words: str = "", error: Exception | None = None) -> None:
        self._words, self._error = words, error

    async def transcribe(self, audio: Pcm, language: str) -> str:
        assert audio is SAID
        if self._error is not None:
            raise self._error
        return self._words


class Hangs:
    async def transcribe(self, audio: Pcm, language: str) -> str:
        await asyncio.Event().wait()
        raise AssertionError


async def words(stage: Stage, transcriber: Any) -> str:
    return await words_before(cast(Any, stage), transcriber)


def test_only_the_first_agent_after_the_menu_answers() -> None:
    stage = Stage()
    assert led_by_words(cast(Any, stage))
    stage.turns = [Turn(1, Speaker.AGENT, Words("I'm automated."), 1.0)]
    assert led_by_words(cast(Any, stage)), "whose job has said no more"
    for speaker in (Speaker.CALLER, Speaker.KEYPAD):
        stage.turns = [Turn(1, speaker, Words("7"), 1.0)]
        assert not led_by_words(cast(Any, stage))
    assert not led_by_words(cast(Any, Stage(replace(LED, because=Because.KEY.value))))


async def test_the_words_are_what_was_said() -> None:
    assert await words(Stage(), Hears("i would like a quote")) == "i would like a quote"


async def test_a_sealed_routes_digits_are_hidden() -> None:
    told = await words(Stage(sealed=True), Hears("my number is seven three nine"))
    assert told == f"my number is {HIDDEN}"


async def test_what_cant_be_made_out_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "WITHIN", 0.01)
    assert await words(Stage(said=None), Hears("unheard")) == ""
    assert await words(Stage(), Hears(error=Unavailable("down"))) == ""
    assert await words(Stage(), Hangs()) == ""
