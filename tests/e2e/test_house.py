"""What callers meet without an agent: menus, people who are rung, lines, messages – judged by what each party hears.

Every callee of the plan rings at one phone; `Ringing.dialed` tells whom the gateway wanted.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from gateway.calls.words import word
from gateway.calls.words.house import HouseWord
from gateway.calls.words.menu import MenuWord
from gateway.phone.call import Call, Unmet
from gateway.phone.ears import find_tone
from gateway.phone.phone import Phone
from gateway.rtp import RATE, Samples
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

MENU, DESK, DIRECT, MESSAGE, SHUT, AGENT_DESK = (f"+1510555060{n}" for n in range(1, 7))
ONE_BY_ONE, NOBODY, BROKEN, DEAD_END, AWAY, TOLD = (f"+151055506{n:02}" for n in range(7, 13))
ANA, BEN, CLEO = "+15105550111", "+15105550112", "+15105550113"
OURS, THEIRS = 600.0, 900.0
"""Hz: what callers and callees send."""


def tone(frequency: float, seconds: float = 0.6) -> Samples:
    return (np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE) * 8000).astype(np.int16)


@pytest.fixture
async def callees(stack: Stack) -> AsyncIterator[Phone]:
    """Whoever the gateway rings."""
    async with Phone("127.0.0.1:9", port=stack.callees) as phone:
        yield phone


@pytest.fixture
async def caller(phone_target: str) -> AsyncIterator[Phone]:
    async with Phone(phone_target) as phone:
        yield phone


async def talk(one: Call, other: Call) -> None:
    """Both hear each other."""
    await one.say(tone(OURS))
    await other.tone([OURS])
    await other.say(tone(THEIRS))
    await one.tone([THEIRS])


async def silent(call: Call, seconds: float) -> None:
    """Nothing of the other side's tone is heard for a while."""
    before = call.tape.now
    await call.wait(seconds)
    heard = call.tape.between(call.tape.heard, before, call.tape.now)
    assert find_tone(heard, [OURS]) is None
    assert find_tone(heard, [THEIRS]) is None


async def said(phone: Phone, call: Call, words: str, within: float = 25.0, *, first: bool = False) -> None:
    """These words of the house are heard, each sentence of them; pauses between them are the voice's own. `first`: they
    are the call's first, of which nothing may be cut off."""
    ends = time.monotonic() + within
    for number, sentence in enumerate(re.split(r"(?<=[.?!]) ", words)):
        reference = await phone.rendering(sentence)
        whole = first and not number
        await call.line(reference, max(ends - time.monotonic(), 1.0), whole=whole, what=f"'{sentence}'")


# dial


async def test_one_person_is_rung_and_the_two_talk(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(DIRECT)
    ringing = await callees.rung()
    assert (ringing.dialed, ringing.caller) == (ANA, "+15105550177"), "the caller's number, by the trunk's rule"
    assert DIRECT in ringing.header("Diversion")
    await call.answered()
    await call.tone([440.0, 480.0])
    human = await ringing.answer()
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert [leg["member"] for leg in found["legs"]] == ["ana"]


@pytest.mark.long
async def test_no_team_rings_whom_somebody_has_called_directly(
    stack: Stack, caller: Phone, callees: Phone, phone_target: str
) -> None:
    call = await caller.dial(DIRECT)
    human = await (await callees.rung()).answer()
    await call.answered()
    await talk(call, human)
    async with Phone(phone_target, caller="+15105550178") as other:
        second = await other.dial(DESK)
        assert (await callees.rung()).dialed == BEN
        with pytest.raises(Unmet):
            await callees.rung(2.0)
        await second.hang_up()
    await human.hang_up()
    await call.ended()


@pytest.mark.parametrize("status", [486, *(pytest.param(other, marks=pytest.mark.long) for other in (603, 480, 404))])
async def test_who_is_rung_and_refuses_leads_to_what_the_plan_says(
    stack: Stack, caller: Phone, callees: Phone, status: int
) -> None:
    call = await caller.dial(DIRECT)
    (await callees.rung()).reject(status)
    await call.answered()
    await said(caller, call, "Nobody is free. Please speak.")
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [(leg["member"], leg["status"]) for leg in found["legs"]] == [("ana", status)]
    assert [stop["act"] for stop in found["stops"]] == ["ring", "record"]


@pytest.mark.long
async def test_who_doesnt_answer_is_given_up_in_time(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(DIRECT)
    ringing = await callees.rung()
    gave_up = await ringing.given_up()
    assert 3.5 < gave_up - ringing.at < 8.0
    await said(caller, call, "Nobody is free. Please speak.")
    await call.hang_up()


async def test_a_caller_who_gives_up_stops_the_ringing(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(DIRECT)
    ringing = await callees.rung()
    await call.answered()
    await call.hang_up()
    left = time.monotonic()
    assert await ringing.given_up() - left < 2.0
    await record(stack, sip_id(call), ending="abandoned")


async def test_a_caller_who_hangs_up_ends_the_humans_call(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(DIRECT)
    human = await (await callees.rung()).answer()
    await call.answered()
    await talk(call, human)
    await call.hang_up()
    left = time.monotonic()
    await human.ended()
    assert (human.signalling.ended or 0) - left < 2.0
    await record(stack, sip_id(call), ending="served")


async def test_a_phone_that_cant_be_reached_leads_on(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(BROKEN)
    await call.answered()
    await said(caller, call, "Nobody is free. Please speak.")
    await call.hang_up()


@pytest.mark.long
async def test_nobody_on_duty_books_a_callback(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(AWAY)
    await call.answered()
    await said(caller, call, word(HouseWord.CALL_BACK, "en"), first=True)
    await call.ended()
    found = await record(stack, sip_id(call), ending="callback")
    assert found["callbacks"]


@pytest.mark.long
async def test_a_withheld_number_is_keyed_in_for_the_callback(stack: Stack, phone_target: str) -> None:
    async with Phone(phone_target, caller="anonymous") as phone:
        call = await phone.dial(AWAY)
        await call.answered()
        await call.talking(0.5)
        await call.press("5105550188#")
        await said(phone, call, word(HouseWord.BOOKED, "en"))
        await call.ended()
        found = await record(stack, sip_id(call), ending="callback")
        assert [one["number"] for one in found["callbacks"]] == ["+15105550188"]


# team


async def test_of_a_team_that_rings_at_once_the_first_to_answer_wins(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await caller.dial(DESK)
    both = [await callees.rung(), await callees.rung()]
    assert {one.dialed for one in both} == {ANA, BEN}
    await call.answered()
    winner, loser = both
    human = await winner.answer()
    answered = time.monotonic()
    assert await loser.given_up() - answered < 2.0
    await talk(call, human)
    await call.hang_up()
    await human.ended()
    found = await record(stack, sip_id(call), ending="served")
    how = {{"ana": ANA, "ben": BEN}[leg["member"]]: leg["how"] for leg in found["legs"]}
    assert how.keys() == {ANA, BEN}
    assert how[loser.dialed] == "dropped"
    assert how[winner.dialed] != "failed"


async def test_nobody_hears_a_phone_that_rings(stack: Stack, caller: Phone, callees: Phone) -> None:
    """A callee who has answered first hears the caller only once connected, and keys never sound there."""
    call = await caller.dial(DESK)
    first = await callees.rung()
    second = await callees.rung()
    await call.answered()
    await call.say(tone(OURS))
    await call.press("7")
    human = await first.answer()
    assert human.keys_heard() == ""
    await talk(call, human)
    assert second.stopped is not None
    await human.hang_up()
    await call.ended()


async def test_a_team_is_rung_one_after_the_other(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(ONE_BY_ONE)
    first = await callees.rung()
    assert first.dialed == ANA
    first.reject(486)
    second = await callees.rung()
    assert second.dialed == BEN
    await second.given_up()
    third = await callees.rung()
    assert third.dialed == CLEO
    human = await third.answer()
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert [leg["member"] for leg in found["legs"]] == ["ana", "ben", "cleo"]


async def test_who_waits_is_told_their_place_and_served_in_turn(
    stack: Stack, phone_target: str, callees: Phone
) -> None:
    async with Phone(phone_target) as one, Phone(phone_target, caller="+15105550178") as two:
        first = await one.dial(DESK)
        rung = [await callees.rung(), await callees.rung()]
        second = await two.dial(DESK)
        await second.answered()
        await said(two, second, "You are number two in line.", 15.0)
        human = await rung[0].answer()
        later = await callees.rung()
        assert later.caller == "+15105550178"
        await first.hang_up()
        await human.ended()
        other = await later.answer()
        await talk(second, other)
        await second.hang_up()


async def test_a_key_leads_out_of_the_line(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(DESK)
    rung = [await callees.rung(), await callees.rung()]
    await call.answered()
    await call.press("1")
    pressed = time.monotonic()
    for one in rung:
        assert await one.given_up() - pressed < 3.0
    await said(caller, call, "Nobody is free. Please speak.")
    await call.hang_up()


@pytest.mark.long
async def test_a_line_ends_after_its_time(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(DESK)
    rung = [await callees.rung(), await callees.rung()]
    for one in rung:
        await one.given_up()
    await said(caller, call, "Nobody is free. Please speak.", 15.0)
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [stop["act"] for stop in found["stops"]] == ["wait", "record"]


async def test_a_caller_who_hangs_up_in_the_line_is_recorded_as_abandoned(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await caller.dial(DESK)
    rung = [await callees.rung(), await callees.rung()]
    await call.answered()
    await call.hang_up()
    for one in rung:
        await one.given_up()
    found = await record(stack, sip_id(call), ending="abandoned")
    missed = next(one for one in json.loads(stack.offhook("missed", "list", "--json")) if one["call"] == found["id"])
    assert missed["members"] == dict.fromkeys(("ana", "ben"), "the caller hung up first")


@pytest.mark.long
async def test_a_team_of_which_nobody_is_on_duty_books_a_callback(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(NOBODY)
    await call.answered()
    await said(caller, call, word(HouseWord.CALL_BACK, "en"), 20.0, first=True)
    await call.ended()
    await record(stack, sip_id(call), ending="callback")


# menu


async def test_a_key_interrupts_the_menu_and_leads_on(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(MENU)
    await call.answered()
    await call.talking(0.3)
    await call.press("1")
    ringing = await callees.rung()
    assert ringing.dialed == ANA
    human = await ringing.answer()
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert [stop["act"] for stop in found["stops"]] == ["choose", "ring"]


@pytest.mark.long
async def test_a_wrong_key_is_told_and_silence_ends_in_a_goodbye(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(MENU)
    await call.answered()
    await call.talking(0.3)
    await call.press("9")
    await said(caller, call, word(MenuWord.WRONG_KEY, "en"))
    await said(caller, call, word(HouseWord.NOBODY, "en"), 20.0)
    await call.ended()
    assert [stop["act"] for stop in (await record(stack, sip_id(call)))["stops"]] == ["choose", "dismiss"]


async def test_zero_leads_to_a_person(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(MENU)
    await call.answered()
    await call.talking(0.3)
    await call.press("01")  # a finger that slips: alone, the 1 leads out of the line
    rung = [await callees.rung(), await callees.rung()]
    assert {one.dialed for one in rung} == {ANA, BEN}
    await talk(call, await rung[0].answer())
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="served")
    assert [stop["act"] for stop in found["stops"]] == ["choose", "wait"]


@pytest.mark.long
async def test_who_talks_at_a_menu_is_led_where_talking_leads(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(MENU)
    await call.answered()
    await call.talking(0.3)
    await caller.say(call, "I would like a quote please")
    await said(caller, call, "Nobody is free. Please speak.")
    await call.hang_up()


@pytest.mark.long
@pytest.mark.speech
async def test_what_a_caller_says_at_a_menu_is_answered_and_needs_not_be_said_again(
    stack: Stack, caller: Phone
) -> None:
    call = await caller.dial(TOLD)
    await call.answered()
    await said(caller, call, "What can we do for you?", first=True)
    await caller.say(call, "My name is John Smith")
    await call.line(await caller.rendering("I'm an automated assistant."), 25.0, what="the notice")
    await call.quiet(2.5, 25.0)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="served")
    assert [stop["act"] for stop in found["stops"]] == ["choose", "talk"]
    turns = [(turn["speaker"], turn["text"]) for turn in found["turns"]]
    heard = re.match(r"my name is (\w.*\w)", next(text for speaker, text in turns if speaker == "caller").lower())
    assert heard, "whatever a busy machine's recognizer makes of the name"
    assert not any("How can I help" in text for _, text in turns), "nobody asks what was said already"
    assert [speaker for speaker, _ in turns].count("agent") >= 2, "it is answered"
    assert found["lead"]["fields"]["name"].lower() == heard[1]


async def test_a_caller_who_hangs_up_in_the_menu_is_recorded_as_abandoned(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(MENU)
    await call.answered()
    await call.talking(0.3)
    await call.hang_up()
    await record(stack, sip_id(call), ending="abandoned")


# message


async def leave_message(phone: Phone, call: Call, words: str = "Please call me back about the order") -> None:
    await call.answered()
    await call.tone([1000.0], 15.0, 0.2)
    await phone.say(call, words)


async def test_a_message_is_ended_by_the_pound_key_and_kept(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(MESSAGE)
    await leave_message(caller, call)
    await call.press("#")
    await call.ended(30.0)
    found = await record(stack, sip_id(call), ending="message")
    (message,) = found["messages"]
    assert message["seconds"] > 1
    assert (stack.state / "messages" / message["file"]).stat().st_size > 1000


@pytest.mark.long
async def test_a_message_of_who_hangs_up_is_kept(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(MESSAGE)
    await leave_message(caller, call)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="message")
    assert len(found["messages"]) == 1


@pytest.mark.long
async def test_a_message_ends_after_its_time(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(MESSAGE)
    await call.answered()
    await call.tone([1000.0], 15.0, 0.2)
    await caller.say(call, "I will talk and talk and talk and talk. " * 4)
    await call.ended(40.0)
    found = await record(stack, sip_id(call), ending="message")
    assert 4 < found["messages"][0]["seconds"] < 7.5


@pytest.mark.long
async def test_who_says_nothing_leaves_no_message(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(MESSAGE)
    await call.answered()
    await call.tone([1000.0], 15.0, 0.2)
    await call.wait(1.0)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="abandoned")
    assert not found["messages"]


async def test_a_message_is_written_down(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(MESSAGE)
    await leave_message(caller, call, "My name is Mary Smith")
    await call.hang_up()
    async with asyncio.timeout(20):
        while True:
            (message,) = (await record(stack, sip_id(call), ending="message"))["messages"]
            if message["transcript"]:
                break
    assert "name" in message["transcript"]


async def test_closed_hours_are_told_with_the_words_for_them(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(SHUT)
    await call.answered()
    await said(caller, call, "We open later. Please speak.", first=True)
    await call.hang_up()


# an agent's person


async def test_an_agents_caller_who_asks_for_a_person_reaches_the_team(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await caller.dial(AGENT_DESK)
    await call.answered()
    await call.talking(0.5)
    await call.press("0")
    rung = [await callees.rung(), await callees.rung()]
    human = await rung[0].answer()
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert [stop["act"] for stop in found["stops"]] == ["talk", "wait"]
