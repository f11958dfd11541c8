"""Agents whom nobody answers, and agents that fail where the plan says what comes instead."""

from __future__ import annotations

import asyncio

import psutil
import pytest

from agents.words.lines import Say, line_of
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack
from tests.e2e.test_calls import record, sip_id
from tests.e2e.test_house import said

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]

SALES, WITHOUT_AI = "+15105550715", "+15105550791"


async def test_an_agent_asks_a_silent_caller_and_hangs_up(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(SALES)
    await call.answered()
    await call.ended(90)
    found = await record(stack, sip_id(call), ending="served")
    assert (found["hung_up_by"], found["hung_up_reason"]) == ("agent", "the caller was silent")
    said = [turn["text"] for turn in found["turns"]]
    assert said[-3:] == [line_of(say, "en") for say in (Say.STILL_THERE, Say.STILL_THERE_AGAIN, Say.GOODBYE)]


async def test_an_agent_that_fails_leads_where_the_plan_says(stack: Stack, caller: Phone) -> None:
    """Also what is said then needs no AI."""
    call = await caller.dial(WITHOUT_AI)
    await call.answered()
    await call.talking(0.5)
    speech = next(one for one in psutil.Process(stack.pid).children() if "speech" in one.cmdline())
    speech.kill()
    await said(caller, call, "Please speak.", 40)
    await call.tone([1000.0], 15, 0.2)
    await caller.say(call, "Please call me back")
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="message")
    assert [(stop["act"], stop["because"]) for stop in found["stops"]][-1] == ("record", "no_agent")
    async with asyncio.timeout(30):
        while f"{'speech':<15} is back" not in (stack.state / "screen").read_text():
            await asyncio.sleep(0.1)
