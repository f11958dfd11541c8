"""A caller whom an agent gives to a human, by three parties: what each of them hears, and what the record says.

The team's phones ring at one phone; `Ringing.dialed` tells whose it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.test_house import OURS, THEIRS, said, silent, talk, tone

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

WARM, ALL, LINE, CLOSED, ELSE = (f"+151055506{n}" for n in range(40, 45))
EVE, FAY = "+15105550115", "+15105550116"
CHOOSE = word(HandoffWord.CHOOSE, "en-US")


@pytest.fixture
async def callees(stack: Stack) -> AsyncIterator[Phone]:
    """Whoever the gateway rings."""
    async with Phone("127.0.0.1:9", port=stack.callees) as phone:
        yield phone


@pytest.fixture
async def caller(phone_target: str) -> AsyncIterator[Phone]:
    async with Phone(phone_target) as phone:
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
