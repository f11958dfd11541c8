"""Relays and recordings are understood by the recognizer that hears callers where no other is set: whose words it doesn't
know gets no person, or is talked with for ever."""

from __future__ import annotations

import pytest

from gateway.calls.talk.recorded import Kind, kind_of
from gateway.speech.recognizer import Engine
from tests.unit.speech.test_danger import engine, heard

__all__ = ["engine"]


@pytest.mark.parametrize("voice", ["rms", "slt"])
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Hello. This is communication assistant four two one seven with a relay call.", Kind.RELAY),
        ("I am calling through the relay service.", Kind.RELAY),
        ("I'd like to order a new phone system, go ahead.", Kind.GO_AHEAD),
        ("You have reached the voicemail of John Smith. Please leave a message after the tone.", Kind.RECORDED),
        ("Please leave a message after the beep.", Kind.RECORDED),
    ],
)
async def test_who_is_no_caller_is_known_by_what_is_heard(engine: Engine, said: str, kind: Kind, voice: str) -> None:
    words = await heard(engine, said, voice)
    assert kind_of(words) is kind, words
