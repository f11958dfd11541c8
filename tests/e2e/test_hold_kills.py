"""Processes that are killed while a phone holds whom it talks with: what both hear then, and what the record says."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.phone.phone import Phone
from gateway.sip.sdp import Direction
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.test_handoff import KILLED, callees, caller, came, rung_back
from tests.e2e.test_hold import music
from tests.e2e.test_house import talk
from tests.e2e.test_house_kills import TAKEN_OVER, control_dies, control_is_back, job, killed
from tests.e2e.test_third import taken

__all__ = ["callees", "caller"]

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]

LATE = 3.0
"""Seconds that the record may be off: what a phone's message takes, and a machine on which a process has just started."""
APART = 5.0
"""Seconds of talk after a hold, which would be counted as held where its end isn't known."""


CLAIMED = 60.0
"""Seconds until the next control has what the one that died had read, and hadn't written down: it claims that after 30."""


async def test_a_job_that_dies_amid_a_hold_leaves_it_to_another(stack: Stack, caller: Phone, callees: Phone) -> None:
    """There is music again, then the two talk again, and a hold that ends in a hang-up is still none of the human's wish."""
    call, human = await taken(caller, callees, KILLED)
    began = time.monotonic()
    await callees.hold(human, Direction.INACTIVE)
    await music(call)
    await job(stack, await killed(stack))
    await call.talking(0.3, TAKEN_OVER)
    await music(call)
    await callees.hold(human, Direction.SENDRECV)
    on_hold = time.monotonic() - began
    await talk(call, human)
    await callees.hold(human, Direction.INACTIVE)
    await human.hang_up()
    found = await rung_back(stack, caller, call, callees)
    first, second = found["handoffs"]
    assert abs(first["held"] - on_hold) < LATE
    assert second["held"] == 0


async def test_who_held_the_caller_for_long_means_their_hang_up_though_a_job_died(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call, human = await taken(caller, callees, KILLED)
    began = time.monotonic()
    await callees.hold(human, Direction.INACTIVE)
    await music(call)
    await job(stack, await killed(stack))
    await call.talking(0.1, TAKEN_OVER)
    await human.hang_up()
    on_hold = time.monotonic() - began
    await call.ended()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert came(found) == ["taken"]
    [eve] = found["handoffs"]
    assert abs(eve["held"] - on_hold) < LATE


@pytest.mark.parametrize("who", ["human", "caller"])
async def test_a_hold_that_ends_while_no_job_is_there_has_ended(
    stack: Stack, caller: Phone, callees: Phone, who: str
) -> None:
    call, human = await taken(caller, callees, KILLED)
    phone, one = (callees, human) if who == "human" else (caller, call)
    began = time.monotonic()
    await phone.hold(one, Direction.INACTIVE)
    await call.wait(APART)
    before = await killed(stack)
    await phone.hold(one, Direction.SENDRECV)
    back = time.monotonic() - began
    await talk(call, human)
    await job(stack, before)
    known = time.monotonic() - began
    await talk(call, human)
    await call.wait(APART)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert came(found) == ["taken"]
    [eve] = found["handoffs"]
    on_hold, other = (eve["held"], found["caller_held"]) if who == "human" else (found["caller_held"], eve["held"])
    assert back - LATE < on_hold < known + LATE, "until the next job saw it"
    assert other == 0


async def test_a_control_that_dies_amid_a_hold_isnt_noticed(stack: Stack, caller: Phone, callees: Phone) -> None:
    call, human = await taken(caller, callees, KILLED)
    began = time.monotonic()
    await callees.hold(human, Direction.INACTIVE)
    await call.talking(0.3)
    await control_dies(stack)
    await music(call)
    await callees.hold(human, Direction.SENDRECV)
    on_hold = time.monotonic() - began
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    await control_is_back(stack)
    async with asyncio.timeout(CLAIMED):
        while not (found := await record(stack, sip_id(call), ending="served", hung_up_by="human"))["handoffs"][0][
            "held"
        ]:
            await asyncio.sleep(1.0)
    assert came(found) == ["taken"]
    [eve] = found["handoffs"]
    assert abs(eve["held"] - on_hold) < LATE
