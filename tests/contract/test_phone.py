"""The phone calls itself: what it tells of calls that come in is what a callee does."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.phone.call import Unmet
from gateway.phone.phone import Phone
from gateway.rtp import RATE, Samples

CALLER, CALLEE = 600.0, 900.0


def tone(frequency: float, seconds: float = 0.6) -> Samples:
    return (np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE) * 8000).astype(np.int16)


async def test_a_call_is_answered_both_talk_and_the_callee_hangs_up() -> None:
    async with Phone("127.0.0.1:9") as callee, Phone("{}:{}".format(*callee.address), caller="+15105550177") as caller:
        out = await caller.dial("+15105550100", headers={"X-Why": "a test"})
        ringing = await callee.rung()
        assert (ringing.caller, ringing.dialed, ringing.header("X-Why")) == ("+15105550177", "+15105550100", "a test")
        back = await ringing.answer()
        await out.answered()
        await out.say(tone(CALLER))
        await back.tone([CALLER])
        await back.say(tone(CALLEE))
        await out.tone([CALLEE])
        await back.press("5#")
        await out.pressed("5#")
        await back.hang_up()
        await out.ended(2.0)
        assert out.signalling.ended_by == "them"


async def test_a_caller_hangs_up_on_an_answered_callee() -> None:
    async with Phone("127.0.0.1:9") as callee, Phone("{}:{}".format(*callee.address)) as caller:
        out = await caller.dial("100")
        back = await (await callee.rung()).answer()
        await out.answered()
        await out.hang_up()
        await back.ended(2.0)


@pytest.mark.parametrize("status", [486, 603, 480])
async def test_a_callee_rejects(status: int) -> None:
    async with Phone("127.0.0.1:9") as callee, Phone("{}:{}".format(*callee.address)) as caller:
        out = await caller.dial("100")
        (await callee.rung()).reject(status)
        await out.ended(2.0)
        assert out.signalling.status == status


async def test_a_caller_gives_up_and_the_callee_can_answer_no_more() -> None:
    async with Phone("127.0.0.1:9") as callee, Phone("{}:{}".format(*callee.address)) as caller:
        out = await caller.dial("100")
        ringing = await callee.rung()
        await out.hang_up()
        assert await ringing.given_up(2.0) >= ringing.at
        with pytest.raises(Unmet, match="doesn't ring"):
            await ringing.answer()


async def test_a_phone_that_nobody_calls_says_so() -> None:
    async with Phone("127.0.0.1:9") as phone:
        with pytest.raises(Unmet, match="to ring within"):
            await phone.rung(0.05)
