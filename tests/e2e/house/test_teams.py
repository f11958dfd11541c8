"""Teams and trunks: who is left in peace, who is paused, who is past, how fast and as whom the gateway calls."""

from __future__ import annotations

import asyncio
import json
import re
import time
from itertools import pairwise
from typing import Any

import pytest

from gateway.phone.call import Unmet
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack
from tests.e2e.house.conftest import OWN, SHOWN
from tests.e2e.test_calls import record, sip_id
from tests.e2e.test_house import said, talk

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]

IGNORED, PEACE, ONE, PAST_REFUSALS = "+15105550751", "+15105550752", "+15105550753", "+15105550754"
SLOW, AS_OWN, AS_DIALED, PASSED_ON = (f"+151055507{n}" for n in range(61, 65))
TRUNKS_FIRST, OURS = "+15105550100", "+15105550177"


def member(stack: Stack, name: str) -> dict[str, Any]:
    """How a member stands, by `offhook status`."""
    teams = json.loads(stack.offhook("status", "--json"))["teams"]
    found: dict[str, Any] = next(one for team in teams for one in team["members"] if one["name"] == name)
    return found


async def test_who_misses_three_calls_in_a_row_is_paused(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(IGNORED)
    for _ in range(3):
        ringing = await callees.rung()
        assert await ringing.given_up() - ringing.at < 6.0
    await said(caller, call, "Please speak.", 15)
    await call.hang_up()
    paused = await asyncio.to_thread(member, stack, "ida")
    assert paused["state"] == "paused"
    assert 240 < paused["seconds"] <= 300
    assert re.search(r"ida +paused +4:\d\d more", await asyncio.to_thread(stack.offhook, "status"))
    again = await caller.dial(IGNORED)
    await said(caller, again, "Please speak.", 15)
    await again.hang_up()
    with pytest.raises(Unmet):
        await callees.rung(0.2)


async def test_who_has_talked_is_left_in_peace_for_a_while(
    stack: Stack, caller: Phone, phone_target: str, callees: Phone
) -> None:
    async with Phone(phone_target, caller="+15105550178") as other:
        first = await caller.dial(PEACE)
        human = await (await callees.rung()).answer()
        second = await other.dial(PEACE)
        await second.answered()
        await talk(first, human)
        await human.hang_up()
        left = time.monotonic()
        await first.ended()
        assert (await asyncio.to_thread(member, stack, "fay"))["state"] == "wrap-up"
        ringing = await callees.rung()
        assert 5.7 < ringing.at - left < 15.0
        assert ringing.caller == "+15105550178"
        human = await ringing.answer()
        await talk(second, human)
        await second.hang_up()
        await human.ended()


async def test_who_is_away_isnt_rung_from_then_on(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(ONE)
    ringing = await callees.rung()
    await call.hang_up()
    await ringing.given_up()
    await asyncio.to_thread(stack.offhook, "away", "gus", "--until", "in 1h")
    try:
        call = await caller.dial(ONE)
        await said(caller, call, "Please speak.", 15)
        await call.hang_up()
        with pytest.raises(Unmet):
            await callees.rung(0.2)
    finally:
        await asyncio.to_thread(stack.offhook, "away", "gus", "--back")
    call = await caller.dial(ONE)
    human = await (await callees.rung()).answer()
    await talk(call, human)
    await human.hang_up()
    await call.ended()


async def test_a_team_goes_on_past_who_refuses_is_busy_or_cant_be_reached(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await caller.dial(PAST_REFUSALS)
    (await callees.rung()).reject(603)
    (await callees.rung()).reject(486)
    human = await (await callees.rung()).answer()
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    legs = (await record(stack, sip_id(call), ending="served"))["legs"]
    assert [(leg["member"], leg["how"], leg["status"]) for leg in legs[:3]] == [
        ("hal", "failed", 603), ("joe", "failed", legs[1]["status"]), ("kim", "failed", 486)
    ]  # fmt: skip
    assert legs[3]["member"] == "lea"


async def test_a_trunks_dials_are_paced(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(SLOW)
    rung = [await callees.rung() for _ in range(3)]
    apart = [later.at - earlier.at for earlier, later in pairwise(rung)]
    assert min(apart) > 0.85  # they leave a second apart, and take a moment each until they ring
    await call.answered()
    await call.hang_up()
    for one in rung:
        await one.given_up()


@pytest.mark.parametrize(("number", "shown"), [(AS_OWN, OWN), (AS_DIALED, SHOWN), (PASSED_ON, OURS)])
async def test_the_callee_sees_the_number_that_the_trunk_says(
    stack: Stack, caller: Phone, callees: Phone, number: str, shown: str
) -> None:
    call = await caller.dial(number)
    ringing = await callees.rung()
    assert ringing.caller == shown
    assert bool(ringing.header("Diversion")) == (number == PASSED_ON)
    ringing.reject()
    await call.hang_up()


async def test_a_withheld_number_stays_withheld(stack: Stack, phone_target: str, callees: Phone) -> None:
    async with Phone(phone_target, caller="anonymous") as phone:
        call = await phone.dial(PASSED_ON)
        ringing = await callees.rung()
        assert (ringing.caller, ringing.header("Privacy")) == (TRUNKS_FIRST, "id")
        ringing.reject()
        await call.hang_up()
