"""A caller whom an agent gives to a human, by three parties: what each of them hears, and what the record says.

The team's phones ring at one phone; `Ringing.dialed` tells whose it is.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from agents.words.lines import Say, line_of
from gateway.calls.words import message as words_message
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.conduct.sound.music import default
from gateway.phone.call import Call, Unmet
from gateway.phone.ears import find_tone
from gateway.phone.phone import Phone
from gateway.rtp import RATE
from gateway.rtp.likeness import find_like
from tests.contract.sip.differences import differs
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.test_house import OURS, THEIRS, said, silent, talk, tone

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

WARM, ALL, LINE, CLOSED, ELSE, NOBODY, KILLED = (f"+151055506{n}" for n in range(40, 47))
SHUT = "+15105550648"
EVE, FAY = "+15105550115", "+15105550116"
MAILBOX = (
    "You have reached the voice mailbox of somebody who can not come to the phone at this moment so if you want to talk with "
    "them later please leave a message after the tone"
)
"""In one breath: longer than people talk who answer."""
MUSIC = 0.6
"""Likeness to the piece: of itself through a telephone 0.98; of words, noise and ringing 0.3 at most."""
NUMBERS = itertools.count(100 + 10 * random.randrange(900))
CHOOSE = word(HandoffWord.CHOOSE, "en-US")
PROMISE = word(HandoffWord.PUT_THROUGH, "en-US")
LOST = differs(
    "a BYE that says by its Reason (RFC 3326) that the line was lost; media that ceases; a session that isn't refreshed"
)


@pytest.fixture
async def callees(stack: Stack) -> AsyncIterator[Phone]:
    """Whoever the gateway rings."""
    async with Phone("127.0.0.1:9", port=stack.callees) as phone:
        yield phone


@pytest.fixture
async def caller(phone_target: str) -> AsyncIterator[Phone]:
    """Somebody who hasn't called before."""
    async with Phone(phone_target, caller=f"+1415555{next(NUMBERS):04}") as phone:
        yield phone


async def wants_a_person(caller: Phone, number: str) -> Call:
    """A caller who has asked an agent for a person."""
    call = await caller.dial(number)
    await call.answered()
    await call.talking(0.5)
    await call.press("0")
    return call


async def apart(call: Call, human: Call) -> None:
    """Neither hears the other."""
    await human.say(tone(THEIRS))
    await call.say(tone(OURS))
    await silent(call, 1.0)
    await silent(human, 0.1)


async def told(phone: Phone, call: Call, say: Say) -> None:
    """The caller hears this of the agent."""
    sentence = line_of(say, "en-US").split(". ", maxsplit=1)[0]
    await said(phone, call, f"{sentence}.", 40.0)


def heard(call: Call, frequency: float) -> bool:
    """Whether the party has heard the tone at any time."""
    return find_tone(call.tape.between(call.tape.heard, 0.0, call.tape.now), [frequency]) is not None


def music_heard(call: Call, since: float) -> None:
    """Whoever waits has heard our music all the time since then, and nothing instead of it: each second and a half of it is a
    part of the piece, as it comes through a telephone."""
    piece = np.frombuffer(default(RATE).data, np.int16)
    tape = call.tape.between(call.tape.heard, since, call.tape.now)
    size = round(1.5 * RATE)
    parts = [tape[at : at + size] for at in range(0, len(tape) - size + 1, size)]
    scores = [round(find_like(piece, part).score, 2) for part in parts]
    print("the music's likeness, each second and a half:", scores)
    assert len(scores) >= 2
    assert min(scores) > MUSIC


def came(found: dict[str, Any]) -> list[str]:
    """What came of those who were asked, in that order."""
    return [note["about"]["tried"] for note in found["notes"] if note["kind"] == "handoff"]


async def test_a_human_takes_the_caller_once_they_have_heard_whose_call_it_is(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await wants_a_person(caller, WARM)
    human = await (await callees.rung()).answer()
    await said(callees, human, CHOOSE)
    await apart(call, human)
    await human.press("1")
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert [stop["act"] for stop in found["stops"]] == ["talk", "handoff"]
    assert [leg["member"] for leg in found["legs"]] == ["eve"]
    assert came(found) == ["taken"]


@pytest.mark.long
async def test_a_human_gives_the_caller_back_by_star_two(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await wants_a_person(caller, WARM)
    human = await (await callees.rung()).answer()
    await said(callees, human, CHOOSE)
    await human.press("1")
    await talk(call, human)
    await human.press("*2")
    await human.ended()
    await told(caller, call, Say.GIVEN_BACK)
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [stop["act"] for stop in found["stops"]][:3] == ["talk", "handoff", "talk"]
    assert came(found) == ["taken", "gave back"]


async def rung_back(stack: Stack, caller: Phone, call: Call, callees: Phone) -> dict[str, Any]:
    """Eve, having been cut off, is rung again and the two talk on; the call's record, once she has hung up in order."""
    await said(caller, call, word(HandoffWord.CUT_OFF, "en-US"))
    ringing = await callees.rung()
    assert ringing.dialed == EVE
    again = await ringing.answer()
    await said(callees, again, CHOOSE)
    await apart(call, again)
    await again.press("1")
    await talk(call, again)
    await call.wait(2.5)  # a BYE within two seconds is no goodbye
    await again.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert came(found) == ["taken", "cut off", "taken"]
    return found


@LOST
@pytest.mark.long
async def test_who_is_cut_off_is_rung_back_and_the_two_talk_on(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await wants_a_person(caller, WARM)
    human = await (await callees.rung()).answer()
    await said(callees, human, CHOOSE)
    await human.press("1")
    await talk(call, human)
    await human.hang_up("Q.850;cause=41")
    found = await rung_back(stack, caller, call, callees)
    assert [leg["member"] for leg in found["legs"]] == ["eve", "eve"]


async def talks_early(caller: Phone, callees: Phone, words: str) -> tuple[Call, Call]:
    """The caller, and the human, who has just taken the call and said this."""
    call = await wants_a_person(caller, WARM)
    human = await (await callees.rung()).answer()
    await said(callees, human, CHOOSE)
    await human.press("1")
    await call.say(tone(OURS))
    await human.tone([OURS])
    await callees.say(human, words)
    return call, human


def understood(stack: Stack, call: Call) -> list[str]:
    """What is logged of the human's having said goodbye."""
    lines = [line for name in ("worker-agents", "worker-house") for line in stack.log(name).splitlines()]
    return [line for line in lines if "a human has hung up early" in line and sip_id(call) in line]


@pytest.mark.long
async def test_who_hangs_up_without_a_goodbye_is_rung_back_and_the_two_talk_on(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call, human = await talks_early(
        caller, callees, "We have forty phones in stock, and can deliver them next week. The price depends on how many"
    )
    await human.hang_up()
    found = await rung_back(stack, caller, call, callees)
    assert [leg["member"] for leg in found["legs"]] == ["eve", "eve"]
    [line] = understood(stack, call)
    assert "goodbye=false" in line


@pytest.mark.long
async def test_who_says_goodbye_and_hangs_up_is_left_in_peace(stack: Stack, caller: Phone, callees: Phone) -> None:
    call, human = await talks_early(
        caller, callees, "We have forty phones in stock, and can deliver them next week. Thank you, goodbye."
    )
    before = call.tape.now
    await human.hang_up()
    await call.ended()
    print(f"hung up to the call's end: {call.tape.now - before:.2f} s")
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert came(found) == ["taken"]
    [line] = understood(stack, call)
    assert "goodbye=true" in line
    with pytest.raises(Unmet):
        await callees.rung(1.0)


@LOST
@pytest.mark.long
async def test_who_is_cut_off_is_rung_back_alone_and_the_next_of_the_team_only_then(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await wants_a_person(caller, LINE)
    first = await callees.rung()
    human = await first.answer()
    await said(callees, human, CHOOSE)
    await human.press("1")
    await talk(call, human)
    await human.hang_up("Q.850;cause=41")
    ringing = await callees.rung()
    assert ringing.dialed == first.dialed == EVE
    with pytest.raises(Unmet):
        await callees.rung(2.0)
    ringing.reject(486)
    assert (await callees.rung()).dialed == FAY
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert came(found) == ["taken", "cut off", "busy", "the caller hung up first"]


async def test_who_declines_leaves_the_caller_to_the_agent_and_they_leave_a_message(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await wants_a_person(caller, WARM)
    human = await (await callees.rung()).answer()
    await said(callees, human, CHOOSE)
    await human.press("2")
    await human.ended()
    await told(caller, call, Say.AWAY_DECLINED)
    await caller.say(call, "I would like to leave a message.")
    await said(caller, call, words_message.line_of(words_message.Say.PROMPT, "en-US"))
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [stop["act"] for stop in found["stops"]] == ["talk", "handoff", "talk", "record"]
    assert came(found) == ["declined"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("status", "say", "tried"),
    [
        (486, Say.AWAY_BUSY, "busy"),
        (600, Say.AWAY_BUSY, "busy"),
        (603, Say.AWAY_DECLINED, "declined"),
        (480, Say.AWAY_DECLINED, "declined"),
        (404, Say.AWAY_UNREACHABLE, "unreachable"),
        (503, Say.AWAY_UNREACHABLE, "unreachable"),
    ],
)
async def test_a_phone_that_refuses_is_told_apart_by_its_status(
    stack: Stack, caller: Phone, callees: Phone, status: int, say: Say, tried: str
) -> None:
    call = await wants_a_person(caller, WARM)
    (await callees.rung()).reject(status)
    await said(caller, call, PROMISE)
    await told(caller, call, say)
    await call.press("0")
    await call.spoken(40.0)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="callback")
    assert [stop["act"] for stop in found["stops"]] == ["talk", "handoff", "talk"]
    assert [(leg["how"], leg["status"]) for leg in found["legs"]] == [("failed", status)]
    assert came(found) == [tried]


@pytest.mark.long
async def test_who_doesnt_answer_leaves_the_caller_to_the_agent_in_time(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await wants_a_person(caller, WARM)
    ringing = await callees.rung()
    await said(caller, call, PROMISE)
    await ringing.given_up()
    await told(caller, call, Say.AWAY_NO_ANSWER)
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert came(found) == ["no answer"]
    [leg] = found["legs"]
    assert leg["answered"] is None


async def test_a_mailbox_never_gets_the_caller(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await wants_a_person(caller, WARM)
    machine = await (await callees.rung()).answer()
    await callees.say(machine, MAILBOX)
    await machine.say(tone(1000.0, 0.8))
    await machine.ended(40.0)
    await told(caller, call, Say.AWAY_MACHINE)
    await call.hang_up()
    assert not heard(call, 1000.0)
    found = await record(stack, sip_id(call))
    assert came(found) == ["machine"]


@pytest.mark.long
async def test_who_never_says_anything_doesnt_get_the_caller(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await wants_a_person(caller, WARM)
    human = await (await callees.rung()).answer()
    await said(callees, human, CHOOSE)
    await said(callees, human, CHOOSE)
    await human.ended(30.0)
    await told(caller, call, Say.AWAY_DECLINED)
    await call.hang_up()
    assert came(await record(stack, sip_id(call))) == ["undecided"]


@pytest.mark.long
async def test_who_hangs_up_in_the_whisper_hasnt_taken_the_call(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await wants_a_person(caller, WARM)
    human = await (await callees.rung()).answer()
    await human.talking(0.3)
    await human.hang_up()
    await told(caller, call, Say.AWAY_HUNG_UP)
    await call.hang_up()
    assert came(await record(stack, sip_id(call))) == ["hung up"]


@pytest.mark.long
async def test_a_caller_who_hangs_up_on_hold_stops_the_ringing(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await wants_a_person(caller, WARM)
    ringing = await callees.rung()
    await said(caller, call, PROMISE)
    await call.hang_up()
    await ringing.given_up(5.0)
    found = await record(stack, sip_id(call), ending="abandoned")
    assert came(found) == ["the caller hung up first"]


async def test_the_teams_phone_rings_before_the_caller_has_heard_so_and_music_begins_then(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await caller.dial(KILLED)
    await call.answered()
    await call.talking(0.5)
    pressed = call.tape.now
    await call.press("0")
    await callees.rung()
    print(f"0 to the phone's ringing: {(rung := call.tape.now) - pressed:.2f} s")
    assert rung - pressed < 2.0
    await said(caller, call, PROMISE)
    assert call.tape.now - rung > 1.0, "it was being said as the phone began to ring"
    await call.wait(0.5)
    since = call.tape.now
    await call.wait(4.0)
    music_heard(call, since)
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert PROMISE in [turn["text"] for turn in found["turns"] if turn["speaker"] == "agent"]
    assert came(found) == ["the caller hung up first"]


@pytest.mark.long
@pytest.mark.parametrize("waits", [True, False])
async def test_a_human_who_had_answered_is_told_that_the_caller_has_gone(
    stack: Stack, caller: Phone, callees: Phone, waits: bool
) -> None:
    call = await wants_a_person(caller, WARM)
    human = await (await callees.rung()).answer()
    await said(callees, human, CHOOSE)
    await call.hang_up()
    if waits:
        await said(callees, human, word(HandoffWord.CALLER_LEFT, "en-US"))
        await human.ended()
    else:
        await human.wait(1.0)  # in the midst of those words
        await human.hang_up()
    assert came(await record(stack, sip_id(call))) == ["the caller hung up first"]


@pytest.mark.long
@pytest.mark.parametrize(("number", "say"), [(CLOSED, Say.AWAY_CLOSED), (NOBODY, Say.AWAY_NOBODY)])
async def test_where_nobody_can_be_had_the_caller_is_told_before_anybody_is_promised(
    stack: Stack, caller: Phone, number: str, say: Say
) -> None:
    call = await wants_a_person(caller, number)
    await told(caller, call, say)
    await call.press("0")
    await call.spoken(40.0)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="callback")
    assert (found["legs"], len(found["stops"])) == ([], 1)


@pytest.mark.long
async def test_of_two_who_have_answered_the_first_to_take_it_gets_the_caller(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await wants_a_person(caller, ALL)
    first, second = [await (await callees.rung()).answer() for _ in range(2)]
    await said(callees, first, CHOOSE)
    await said(callees, second, CHOOSE)
    await apart(call, second)
    await second.press("1")
    await talk(call, second)
    await first.ended(5.0)
    assert not heard(first, OURS)
    await call.hang_up()
    await second.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert sorted(came(found)) == ["beaten", "taken"]


@pytest.mark.long
async def test_the_next_of_the_team_is_rung_and_takes_it_by_word(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await wants_a_person(caller, LINE)
    first = await callees.rung()
    assert first.dialed == EVE
    first.reject(486)
    ringing = await callees.rung()
    assert ringing.dialed == FAY
    human = await ringing.answer()
    await said(callees, human, CHOOSE)
    for _ in range(4):  # until it was understood, which takes a second or more, and a busy machine may not do in time
        await callees.say(human, "Take it.")
        await call.wait(2.0)
        await call.say(tone(OURS))
        with suppress(Unmet):
            await human.tone([OURS], 2.0)
            break
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    assert came(await record(stack, sip_id(call), ending="served")) == ["busy", "taken"]


@pytest.mark.long
async def test_the_plan_may_lead_somewhere_else(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await wants_a_person(caller, ELSE)
    (await callees.rung()).reject(486)
    await said(caller, call, "They are on the phone. Nobody is free. Please speak.")
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [stop["act"] for stop in found["stops"]] == ["talk", "handoff", "record"]


@pytest.mark.long
async def test_the_plan_may_lead_on_whom_nobody_can_be_promised(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await wants_a_person(caller, SHUT)
    await said(caller, call, "Our desk is closed now. Nobody is free. Please speak.")
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [stop["act"] for stop in found["stops"]] == ["talk", "record"]
