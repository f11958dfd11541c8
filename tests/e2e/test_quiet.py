"""Callers who say nothing, who are machines, or who don't speak, by telephone through the whole gateway."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import numpy as np
import pytest

from agents.words.lines import Say, line_of
from gateway.calls.talk.silence import HOLD
from gateway.calls.words import word
from gateway.calls.words.house import HouseWord
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.test_house import callees
from tests.unit.calls.line_sounds import Sound, chords, silence, tone, tty

__all__ = ["callees"]

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(240)]

HEARING, SHORT_TIME = "+15105550620", "+15105550621"
WITHIN = 40.0
"""Seconds for what takes a dozen in quiet."""
BUSY = 4.0
"""Seconds that understanding a caller's words takes, and what a busy machine adds."""
PAUSE = 30.0
"""Seconds of silence in which any other caller was asked twice."""


async def hears(phone: Phone, call: Call, say: Say | str, within: float = WITHIN) -> None:
    text = line_of(say, "en-US") if isinstance(say, Say) else say
    first = re.split(r"(?<=[.?])\s", text)[0]  # sentences are spoken one by one
    assert await call.line(await phone.rendering(first), within, what=text) > 0.5


async def plays(call: Call, sound: Sound) -> None:
    await call.say(np.clip(sound, -32768, 32767).astype(np.int16))


def said_by_agent(found: dict[str, Any]) -> list[str]:
    return [turn["text"] for turn in found["turns"] if turn["speaker"] == "agent"]


async def led_to_a_person(call: Call, stack: Stack, callees: Phone) -> dict[str, Any]:
    """Somebody is rung for the caller, who hangs up then; the call's record."""
    await (await callees.rung(WITHIN)).answer()
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert ("wait", "human") in [(stop["act"], stop["because"]) for stop in found["stops"]]
    return found


async def test_a_silent_caller_is_asked_twice_and_let_go(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(HEARING)
    await call.answered(10)
    for say in (Say.STILL_THERE, Say.STILL_THERE_AGAIN, Say.GOODBYE):
        await hears(phone, call, say)
        if say is not Say.GOODBYE:
            await call.wait(0.5)
    await call.ended(10)
    found = await record(stack, sip_id(call), ending="served")
    assert (found["hung_up_by"], found["hung_up_reason"]) == ("agent", "the caller was silent")


@pytest.mark.speech
async def test_who_passes_on_a_callers_words_is_led_to_a_person(phone: Phone, stack: Stack, callees: Phone) -> None:
    call = await phone.dial(HEARING)
    await call.answered(10)
    await call.spoken(25, 0.8)
    await phone.say(call, "Hello. This is communication assistant four two one seven with a relay call.")
    await led_to_a_person(call, stack, callees)


@pytest.mark.speech
async def test_who_ends_by_go_ahead_may_pause_and_is_no_machine(phone: Phone, stack: Stack, callees: Phone) -> None:
    """Whoever types takes long: more than the silence in which others are asked twice."""
    call = await phone.dial(HEARING)
    await call.answered(10)
    await call.spoken(25, 0.8)
    await phone.say(call, "I'd like to order a new phone system, go ahead.")
    await call.spoken(25, 0.8)
    await call.wait(PAUSE)
    assert call.signalling.ended is None
    await phone.say(call, "My name is John Smith, go ahead.")
    said = said_by_agent(await led_to_a_person(call, stack, callees))
    assert not {line_of(one, "en-US") for one in (Say.STILL_THERE, Say.PERSON_THERE)} & set(said)


@pytest.mark.speech
async def test_a_mailbox_is_asked_once_and_let_go_under_the_cap(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(HEARING)
    await call.answered(10)
    await call.talking(0.5)
    await phone.say(call, "You have reached the voicemail of John Smith. Please leave a message after the tone.")
    await plays(call, tone(1000.0, 0.5))
    began = time.monotonic()
    await hears(phone, call, Say.PERSON_THERE)
    await call.ended(WITHIN)
    print(f"let go {time.monotonic() - began:.1f} s after the tone")
    found = await record(stack, sip_id(call), ending="served")
    assert (found["hung_up_by"], found["hung_up_reason"]) == ("agent", "a recorded voice was there")
    assert said_by_agent(found).count(line_of(Say.PERSON_THERE, "en-US")) == 1


@pytest.mark.speech
async def test_who_asks_to_wait_is_not_asked_whether_they_are_there(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(HEARING)
    await call.answered(10)
    await call.spoken(25, 0.8)
    await phone.say(call, "Hold on a moment, please.")
    await call.spoken(25, 0.8)
    await call.wait(16.0)
    await call.press("#")
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert line_of(Say.STILL_THERE, "en-US") not in said_by_agent(found)


async def holds_on(phone: Phone) -> tuple[Call, float]:
    """A caller asks to wait, and is told something to it; seconds after their words until they hear the next thing, which
    is whether they are there."""
    call = await phone.dial(HEARING)
    await call.answered(30)
    await call.spoken(25, 0.8)
    await phone.say(call, "Hold on a moment, please.")
    asked = call.tape.now
    await call.spoken(25, 0.8)
    answered = call.tape.now
    await call.wait(HOLD - BUSY - (answered - asked))
    await hears(phone, call, Say.STILL_THERE)
    heard = [one.start for one in call.tape.speech_heard.stretches if one.start > answered]
    return call, heard[0] - asked


@pytest.mark.speech
async def test_who_asks_to_wait_gets_two_minutes_then_is_asked_and_goes_on_or_is_let_go(
    phone: Phone, stack: Stack
) -> None:
    """Two callers at once, as it takes so long."""
    (back, first), (gone, second) = await asyncio.gather(holds_on(phone), holds_on(phone))
    print(f"asked {first:.1f} s and {second:.1f} s after their words")
    assert HOLD - BUSY < min(first, second)
    assert max(first, second) < HOLD + BUSY

    async def goes_on() -> None:
        await phone.say(back, "We need a new phone system.")
        await hears(phone, back, "What is your name?")
        await back.hang_up()

    async def is_let_go() -> None:
        await gone.wait(0.5)
        await hears(phone, gone, Say.STILL_THERE_AGAIN)
        await gone.wait(0.5)
        await hears(phone, gone, Say.GOODBYE)
        await gone.ended(10)

    await asyncio.gather(goes_on(), is_let_go())
    served = await record(stack, sip_id(back), ending="served", hung_up_by="caller")
    assert said_by_agent(served).count(line_of(Say.STILL_THERE, "en-US")) == 1
    let_go = await record(stack, sip_id(gone), ending="served", hung_up_by="agent")
    assert let_go["hung_up_reason"] == "the caller was silent"


async def test_the_tones_of_a_text_telephone_lead_to_a_person(phone: Phone, stack: Stack, callees: Phone) -> None:
    call = await phone.dial(HEARING)
    await call.answered(10)
    await call.talking(0.5)
    await plays(call, np.concatenate([silence(0.3), tty("HELLO GA", 0.1), silence(0.5)]))
    await led_to_a_person(call, stack, callees)


async def test_hold_music_is_asked_once_and_let_go_under_the_cap(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(HEARING)
    await call.answered(10)
    music = asyncio.create_task(plays(call, chords(60.0) * 0.5))
    await hears(phone, call, Say.PERSON_THERE)
    await call.ended(WITHIN)
    music.cancel()
    await asyncio.wait({music})
    found = await record(stack, sip_id(call), ending="served")
    assert (found["hung_up_by"], found["hung_up_reason"]) == ("agent", "hold music was played")
    assert said_by_agent(found).count(line_of(Say.PERSON_THERE, "en-US")) == 1
    duration = call.timeline().duration
    assert duration is not None
    assert duration < 55.0, "the music would go on for longer"


async def test_a_call_ends_with_its_routes_minutes(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SHORT_TIME)
    await call.answered(10)
    for _ in range(3):
        await call.wait(8.0)
        await call.press("#")  # somebody is there
    await hears(phone, call, Say.TIME_NEARLY_UP)
    for _ in range(2):
        await call.wait(8.0)
        await call.press("#")
    await hears(phone, call, word(HouseWord.TIME_UP, "en-US"), 60.0)
    await call.ended(20)
    found = await record(stack, sip_id(call), ending="served")
    assert (found["hung_up_by"], found["hung_up_reason"]) == ("gateway", "the route's minutes were up")
