"""A gateway that has no more slots: who still gets what, and how those who talk are left alone."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import pytest

from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.records import record, sip_id
from tests.e2e.test_calls import SALES

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(180)]

AT_ONCE = 4.0
"""Seconds within which a caller is answered or refused, on a busy machine: nobody is tried in vain first."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway whose pools bear one call each."""
    with running_gateway(tmp_path_factory.mktemp("small"), OFFHOOK_CALLS_AT_ONCE="1") as found:
        yield found


async def shown(stack: Stack, **calls: int) -> None:
    """Return once `offhook status` shows so many calls of these pools. Nobody who talks waits for it meanwhile."""
    async with asyncio.timeout(20):
        while True:
            told = json.loads(await asyncio.to_thread(stack.offhook, "status", "--json"))["pools"]
            assert {(told[pool]["slots"], told[pool]["workers"]) for pool in calls} == {(1, 1)}
            if {pool: told[pool]["calls"] for pool in calls} == calls:
                return


async def test_when_every_agent_talks_the_house_speaks_and_when_it_does_callers_are_refused(small: Stack) -> None:
    async with Phone(small.sip, caller="+15105550171") as phone:
        first = await phone.dial(SALES)
        await first.answered(20)
        await first.talking(0.5)
        began = time.monotonic()
        second = await phone.dial(SALES)
        await second.answered(AT_ONCE)
        full = asyncio.create_task(shown(small, agents=1, house=1))
        await second.talking(0.5, 10)
        third = await phone.dial(SALES)
        await third.ended(AT_ONCE)
        assert third.signalling.status == 503
        print(f"the second answered and the third refused after {time.monotonic() - began:.1f} s")
        await full
        assert first.signalling.ended is None
        await second.hang_up()
        await first.hang_up()
        served, promised = await record(small, sip_id(first)), await record(small, sip_id(second))
        assert [(one["route"], one["act"]) for one in served["stops"]] == [("sales", "talk")]
        assert [one["act"] for one in promised["stops"]] == ["promise"]
        assert len(promised["attempts"]) == 1, "no agent was tried in vain"
        await shown(small, agents=0)
        again = await phone.dial(SALES)
        await again.answered(20)
        await again.talking(0.5)
        await again.hang_up()
        assert (await record(small, sip_id(again)))["agent"] == "sales"
