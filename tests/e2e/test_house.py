"""What callers meet without an agent: menus, people who are rung, lines, messages – judged by what each party hears.

Every callee of the plan rings at one phone; `Ringing.dialed` tells whom the gateway wanted.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.rtp import RATE, Samples
from tests.e2e.gateway import Stack
from tests.e2e.test_calls import record, sip_id

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

MENU, DESK, DIRECT, MESSAGE, SHUT, AGENT_DESK = (f"+1510555060{n}" for n in range(1, 7))
ONE_BY_ONE, NOBODY, BROKEN, DEAD_END, AWAY = (f"+151055506{n:02}" for n in range(7, 12))
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


async def test_one_person_is_rung_and_the_two_talk(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(DIRECT)
    ringing = await callees.rung()
    assert ringing.dialed == ANA
    await call.answered()
    await call.tone([440.0, 480.0])
    human = await ringing.answer()
    await talk(call, human)
    await human.hang_up()
    hung = time.monotonic()
    await call.ended(2.0)
    assert (call.signalling.ended or 0) - hung < 0.3
    found = await record(stack, sip_id(call), ending="served")
    assert found["hung_up_by"] == "human"
