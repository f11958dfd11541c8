"""A human who talks with a caller asks a third, brings them in, and leaves the caller to them: what each of three hears."""

from __future__ import annotations

import asyncio
import random

import pytest

from agents.words.lines import Say
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.calls.words.menu import MenuWord
from gateway.phone.call import Call
from gateway.phone.ears import find_tone
from gateway.phone.phone import Phone
from tests.contract.sip.differences import differs
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.test_handoff import FAY, MAILBOX, WARM, callees, caller, came, told, wants_a_person
from tests.e2e.test_house import OURS, THEIRS, said, talk, tone

__all__ = ["callees", "caller"]

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]

THIRDS = 1300.0
"""Hz: what the third sends."""
CHOOSE = word(HandoffWord.CHOOSE, "en-US")
CODES = differs("`*2`, `*3` and `*8` of somebody's leg")


async def taken(caller: Phone, callees: Phone, number: str = WARM) -> tuple[Call, Call]:
    """The caller and the human who talk with each other."""
    call = await wants_a_person(caller, number)
    human = await (await callees.rung()).answer()
    await said(callees, human, CHOOSE)
    await human.press("1")
    await talk(call, human)
    return call, human


async def together(one: Call, other: Call) -> None:
    """Both hear each other, within the moment that it takes a third to leave."""
    await one.say(tone(OURS, 2.0))
    await other.tone([OURS])
    await other.say(tone(THEIRS))
    await one.tone([THEIRS])


async def third(callees: Phone) -> Call:
    """The third has been rung, and answers."""
    ringing = await callees.rung()
    assert ringing.dialed == FAY
    return await ringing.answer()


async def all_talk(*parties: Call) -> None:
    """Each hears each of the others."""
    for one, frequency in zip(parties, (OURS, THEIRS, THIRDS), strict=True):
        await one.say(tone(frequency))
        for other in parties:
            if other is not one:
                await other.tone([frequency])


async def aside(call: Call, human: Call, asked: Call) -> None:
    """The human and the third hear each other; the caller hears music, and neither of them."""
    since = call.tape.now
    await human.say(tone(THEIRS))
    await asked.tone([THEIRS])
    await asked.say(tone(THIRDS))
    await human.tone([THIRDS])
    before = human.tape.now
    await call.say(tone(OURS))
    await call.talking(0.5)
    await human.wait(0.5)
    assert find_tone(human.tape.between(human.tape.heard, before, human.tape.now), [OURS]) is None
    heard = call.tape.between(call.tape.heard, since, call.tape.now)
    assert find_tone(heard, [THEIRS]) is None
    assert find_tone(heard, [THIRDS]) is None


@CODES
async def test_a_human_asks_a_third_in_private_and_brings_them_in(stack: Stack, caller: Phone, callees: Phone) -> None:
    call, human = await taken(caller, callees)
    await human.press("*8")
    asked = await third(callees)
    await aside(call, human, asked)
    await human.press("*3")
    await all_talk(call, human, asked)
    await human.press("*3")
    await asked.ended()
    await talk(call, human)
    await human.press("5*")
    await human.hang_up()
    await call.ended()
    assert "".join(press.key for press in call.keys) in ("5", "5*"), "the caller's phone is told of no code"
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert [leg["member"] for leg in found["legs"]] == ["eve", "fay"]
    assert came(found) == ["taken", "asked"]


async def test_a_human_asks_a_third_in_private_three_times(stack: Stack, caller: Phone, callees: Phone) -> None:
    call, human = await taken(caller, callees)
    for _ in range(3):
        await human.press("*8")
        asked = await third(callees)
        await aside(call, human, asked)
        await human.press("*8")
        await asked.ended()
        await together(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert came(found) == ["taken", "asked", "asked", "asked"]


async def test_the_caller_is_left_for_a_third_from_three_as_often(stack: Stack, caller: Phone, callees: Phone) -> None:
    call, human = await taken(caller, callees)
    await human.press("*3")
    asked = await third(callees)
    for _ in range(2):
        await all_talk(call, human, asked)
        await human.press("*8")
        await aside(call, human, asked)
        await human.press("*3")
    await all_talk(call, human, asked)
    await human.press("*2")
    await told(caller, call, Say.GIVEN_BACK)
    await call.hang_up()


async def test_a_human_leaves_the_caller_to_the_third_whom_they_have_asked(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call, human = await taken(caller, callees)
    await human.press("*8")
    asked = await third(callees)
    await aside(call, human, asked)
    await human.hang_up()
    await together(call, asked)
    await asked.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert came(found) == ["taken", "asked", "taken"]


async def test_a_third_who_is_busy_or_a_mailbox_leaves_the_two_together(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call, human = await taken(caller, callees)
    await human.press("*8")
    (await callees.rung()).reject(486)
    await together(call, human)
    await human.press("*3")
    machine = await third(callees)
    await callees.say(machine, MAILBOX)
    await machine.say(tone(1000.0, 0.8))
    await said(callees, human, word(HandoffWord.MAILBOX, "en-US"))
    await machine.ended()
    await together(call, human)
    await human.press("*3")
    ringing = await callees.rung()
    await talk(call, human)
    await human.press("*2")
    await ringing.given_up()
    await told(caller, call, Say.GIVEN_BACK)
    await call.hang_up()
    assert came(await record(stack, sip_id(call))) == ["taken", "asked", "machine", "gave back"]


@CODES
async def test_a_human_has_the_caller_never_called_again_by_star_nine(
    stack: Stack, phone_target: str, callees: Phone
) -> None:
    """Once more where the caller hears music, and the human alone is told."""
    number, words = f"+1415555{random.randrange(200, 10_000):04}", word(MenuWord.NO_CALLS, "en-US")
    async with Phone(phone_target, caller=number) as caller:
        call, human = await taken(caller, callees)
        await human.press("*9")
        await asyncio.gather(said(caller, call, words), said(callees, human, words))
        assert number in await asyncio.to_thread(stack.offhook, "dnc", "list", "--json"), "while they talk"
        await together(call, human)
        await human.press("*8")
        asked = await third(callees)
        await human.press("*9")
        await said(callees, human, words)
        await aside(call, human, asked)
        await human.hang_up()
        await together(call, asked)
        await asked.hang_up()
        await call.ended()
    assert call.keys_heard() == "", "the caller's phone is told of no code"
