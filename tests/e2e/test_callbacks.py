"""A caller who is called back, by three parties: the human first, who hears whose callback it is, then the caller.

Whoever calls is where it is day now, or they would rightly be called later.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.calls.words.house import HouseWord
from gateway.calls.words.menu import MenuWord
from gateway.calls.words.recall import RecallWord
from gateway.phone.call import Call, Unmet
from gateway.phone.phone import Phone
from gateway.phone.ringing import Ringing
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.test_handoff import MAILBOX
from tests.e2e.test_house import said, talk, tone
from tests.e2e.test_house_kills import killed, looked, process

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

BACK, EVE = "+15105550660", "+15105550115"
SOMEWHERE = {"America/Los_Angeles": "+15105550177", "Europe/London": "+442079460177", "Asia/Tokyo": "+81312345678"}
CALLBACK, CHOOSE = word(RecallWord.CALLBACK, "en-US"), word(HandoffWord.CHOOSE, "en-US")


NOTED = word(MenuWord.NO_CALLS, "en-US")


def where_it_is_day() -> str:
    """A number of somebody for whom it is between nine and seven in the evening."""
    now = time.time()
    return next(one for zone, one in SOMEWHERE.items() if 9 <= datetime.fromtimestamp(now, ZoneInfo(zone)).hour < 19)


THEIRS = where_it_is_day()


@pytest.fixture
async def callees(stack: Stack) -> AsyncIterator[Phone]:
    """Whoever the gateway rings: the team, and the caller when they are called back."""
    async with Phone("127.0.0.1:9", port=stack.callees) as phone:
        yield phone


@pytest.fixture
async def caller(phone_target: str) -> AsyncIterator[Phone]:
    async with Phone(phone_target, caller=THEIRS) as phone:
        yield phone


@pytest.fixture
def number() -> str:
    """Of somebody for whom it is day, and whom no other test calls."""
    return f"{THEIRS[:-4]}{random.randrange(200, 10_000):04}"


@pytest.fixture
async def stranger(phone_target: str, number: str) -> AsyncIterator[Phone]:
    """Whose that is."""
    async with Phone(phone_target, caller=number) as phone:
        yield phone


async def books(caller: Phone, key: str = "1") -> Call:
    """A caller who chooses a time to be called back; the call once it has ended."""
    call = await caller.dial(BACK)
    await call.answered()
    await said(caller, call, word(HouseWord.OFFER, "en-US"))
    await call.press(key)
    await call.ended(30.0)
    return call


def shown(stack: Stack, call: Call) -> dict[str, Any]:
    """The callback that was booked in a call."""
    found: dict[str, Any] = json.loads(stack.offhook("callbacks", "show", sip_id(call), "--json"))
    return found


async def comes_to(stack: Stack, call: Call, state: str, within: float = 20.0) -> dict[str, Any]:
    """The callback once it stands so."""
    async with asyncio.timeout(within):
        while (found := await asyncio.to_thread(shown, stack, call))["state"] != state:
            await asyncio.sleep(0.5)
    return found


async def asked(callees: Phone, within: float = 30.0) -> Call:
    """The human, who is rung first, and has heard what to say."""
    ringing = await callees.rung(within)
    assert ringing.dialed == EVE
    human = await ringing.answer()
    await said(callees, human, CALLBACK)
    await said(callees, human, CHOOSE)
    return human


async def takes(callees: Phone, within: float = 30.0) -> Call:
    """The human, who takes the callback."""
    human = await asked(callees, within)
    await human.press("1")
    return human


async def takes_by_word(callees: Phone, within: float) -> tuple[Call, Ringing]:
    """The same in words, until they were understood, which a busy machine may not do in time; and the callee's phone."""
    human = await asked(callees, within)
    for _ in range(3):
        await callees.say(human, "Take it.")
        with suppress(Unmet):
            return human, await callees.rung(3.0)
    raise AssertionError("nobody has understood that the human takes it")


async def test_the_human_is_rung_first_then_the_caller_and_the_two_talk(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await books(caller)
    human = await takes(callees)
    ringing = await callees.rung()
    assert ringing.dialed == THEIRS
    assert ringing.caller != THEIRS, "nobody is shown their own number"
    callee = await ringing.answer()
    await talk(callee, human)
    await callee.hang_up()
    await human.ended()
    found = await comes_to(stack, call, "done")
    assert (found["number"], found["tries"], found["team"]) == (THEIRS, 1, "one")
    assert found["consent"].endswith("on this number. [1]")
    run = await record(stack, f"CB_{found['id']}-1", ending="served")
    assert [(leg["member"], leg["number"]) for leg in run["legs"]] == [("eve", EVE), (None, THEIRS)]


@pytest.mark.long
async def test_a_callee_whose_mailbox_answers_is_told_of_to_the_human_and_called_again(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await books(caller)
    human = await takes(callees)
    machine = await (await callees.rung()).answer()
    await callees.say(machine, MAILBOX)
    await machine.say(tone(1000.0, 0.8))
    await said(callees, human, word(RecallWord.MAILBOX, "en-US"))
    await human.ended()
    await machine.ended()
    found = await comes_to(stack, call, "booked")
    assert "machine" in found["why"]
    run = await record(stack, f"CB_{found['id']}-1", ending="missed")
    assert [leg["number"] for leg in run["legs"]] == [EVE, THEIRS]
    human, ringing = await takes_by_word(callees, 90.0)  # a minute later
    callee = await ringing.answer()
    await talk(callee, human)
    await human.hang_up()
    await callee.ended()
    assert (await comes_to(stack, call, "done"))["tries"] == 2


@pytest.mark.long
async def test_until_the_human_takes_it_nobody_else_is_rung(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await books(caller)
    ringing = await callees.rung()
    human = await ringing.answer()
    await said(callees, human, CALLBACK)
    await human.press("2")
    await human.ended()
    with pytest.raises(Unmet, match="Expected the phone to ring"):
        await callees.rung(5.0)
    found = await comes_to(stack, call, "booked")
    assert "declined" in found["why"]
    stack.offhook("callbacks", "cancel", found["id"])


@pytest.mark.long
async def test_a_cancelled_one_is_not_dialed(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await books(caller, "2")  # a later time
    booked = await comes_to(stack, call, "booked")
    stack.offhook("callbacks", "cancel", booked["id"])
    assert shown(stack, call)["state"] == "cancelled"
    with pytest.raises(Unmet, match="Expected the phone to ring"):
        await callees.rung(8.0)


@pytest.mark.long
async def test_the_callback_outlives_the_control_that_makes_it(stack: Stack, caller: Phone, callees: Phone) -> None:
    """Killed as the human's phone rings; the next makes no second call, and has the first on the record."""
    call = await books(caller)
    ringing = await callees.rung(30.0)
    process(stack, "gateway control").kill()
    human = await ringing.answer()
    await said(callees, human, CHOOSE)
    await human.press("1")
    callee = await (await callees.rung()).answer()
    await talk(callee, human)
    await looked(lambda: _lives(stack), 40.0)
    await callee.hang_up()
    await human.ended()
    found = await comes_to(stack, call, "done", 40.0)
    assert found["tries"] == 1
    with pytest.raises(Unmet, match="Expected the phone to ring"):
        await callees.rung(5.0)
    run = await record(stack, f"CB_{found['id']}-1", ending="served")
    assert [leg["number"] for leg in run["legs"]] == [EVE, THEIRS]


def _lives(stack: Stack) -> bool:
    """Whether a control runs."""
    try:
        return process(stack, "gateway control").is_running()
    except LookupError:
        return False


@pytest.mark.long
async def test_the_callback_outlives_its_job(stack: Stack, caller: Phone, callees: Phone) -> None:
    """Killed while the callee rings: another job goes on with the human who waits."""
    call = await books(caller)
    human = await takes(callees)
    ringing = await callees.rung()
    await killed(stack)
    try:
        await ringing.given_up(15.0)
    except Unmet:
        pass  # it rings on, as its SIP service likes
    else:
        ringing = await callees.rung()
    callee = await ringing.answer()
    await talk(callee, human)
    await callee.hang_up()
    await human.ended()
    assert (await comes_to(stack, call, "done"))["tries"] == 1


async def connected(callees: Phone, number: str) -> tuple[Call, Call]:
    """The human who has taken the callback, and the callee, who has answered."""
    human = await takes(callees)
    ringing = await callees.rung()
    assert ringing.dialed == number
    return human, await ringing.answer()


async def noted(phone: Phone, *parties: Call, within: float = 10.0) -> None:
    """Each of them hears that the number is never called again."""
    await asyncio.gather(*(said(phone, one, NOTED, within) for one in parties))


async def listed(stack: Stack, number: str) -> bool:
    """Whether the number is among those that are never called."""
    return number in await asyncio.to_thread(stack.offhook, "dnc", "list", "--json")


@pytest.mark.long
@pytest.mark.speech
@pytest.mark.timeout(240)
async def test_a_callee_who_wants_no_more_calls_is_on_the_list_at_once_and_nobody_rings_them_again(
    stack: Stack, stranger: Phone, callees: Phone, number: str
) -> None:
    """Another callback of theirs is still to come: nobody has taken it the first time."""
    before = await books(stranger)
    human = await asked(callees)
    await human.press("2")
    await human.ended()
    call = await books(stranger)
    human, callee = await connected(callees, number)
    assert not await listed(stack, number)
    for _ in range(3):  # until it was understood, which a busy machine may not do in time
        await callees.say(callee, "Stop calling me.")
        with suppress(Unmet):
            await noted(callees, human, callee, within=7.0)
            break
    assert await listed(stack, number), "while the two are on the line"
    await talk(callee, human)
    await callee.hang_up()
    await human.ended()
    assert (await comes_to(stack, call, "done"))["tries"] == 1
    other = await comes_to(stack, before, "cancelled", 90.0)
    assert (other["tries"], other["why"]) == (1, "the callee has asked not to be called")
    with pytest.raises(Unmet, match="Expected the phone to ring"):
        await callees.rung(5.0)


@pytest.mark.long
async def test_a_human_who_calls_back_has_the_callee_never_called_again_by_star_nine(
    stack: Stack, stranger: Phone, callees: Phone, number: str
) -> None:
    call = await books(stranger)
    human, callee = await connected(callees, number)
    await talk(callee, human)
    await human.press("*9")
    await noted(callees, human, callee)
    assert await listed(stack, number), "while they talk"
    await talk(callee, human)
    await human.hang_up()
    await callee.ended()
    assert callee.keys_heard() == "", "the callee's phone is told of no code"
    found = await comes_to(stack, call, "done")
    run = await record(stack, f"CB_{found['id']}-1", ending="served")
    assert [leg["number"] for leg in run["legs"]] == [EVE, number]
    again = await stranger.dial(BACK)  # they ask for another, and hear that there is none
    await again.answered()
    await said(stranger, again, word(HouseWord.OFFER, "en-US"))
    await again.press("1")
    with pytest.raises(Unmet, match="Expected the phone to ring"):
        await callees.rung(8.0)
    await again.ended()
