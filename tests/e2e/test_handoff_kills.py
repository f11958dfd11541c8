"""Processes that are killed while an agent's caller is given to a human, at each phase: what comes of it all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis import Redis
from redis.asyncio import Redis as Client

from gateway.calls.store.redis_store import RedisStore
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.phone.call import Unmet
from gateway.phone.phone import Phone
from gateway.tasks import cancelled
from gateway.terms.act import Handoff
from gateway.terms.call import CallId
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.test_handoff import CHOOSE, KILLED, PROMISE, apart, callees, caller, came, rung_back, wants_a_person
from tests.e2e.test_house import said, talk
from tests.e2e.test_house_kills import control_dies, control_is_back, job, killed

__all__ = ["callees", "caller"]

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]


@asynccontextmanager
async def no_roster(stack: Stack) -> AsyncIterator[None]:
    """Nobody is rung meanwhile: who is in the team is lost from Redis, again and again, as control puts it back."""
    with Redis.from_url(stack.run.redis_url) as store:

        async def lose() -> None:
            while store.delete("offhook:roster:patient") is not None:
                await asyncio.sleep(0.02)

        losing = asyncio.create_task(lose())
        try:
            yield
        finally:
            await cancelled(losing)


async def test_a_job_that_dies_before_anybody_is_rung_leaves_it_to_another(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    """Who is in the team is lost from Redis, so that nobody is rung yet: control puts it back again and again."""
    async with no_roster(stack):
        call = await wants_a_person(caller, KILLED)
        await until_act(stack, sip_id(call), Handoff)
        await killed(stack)
    human = await (await callees.rung(40)).answer()
    await said(callees, human, CHOOSE, 40.0)
    await human.press("1")
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert came(found) == ["taken"]


async def until_act(stack: Stack, call: str, kind: type, within: float = 10.0) -> None:
    """Wait until the call's act is one of that kind, and its job has begun it."""
    async with Client.from_url(stack.run.redis_url) as redis, asyncio.timeout(within):
        store = RedisStore(redis)
        while True:
            found = await store.get(CallId(call))
            if found is not None and isinstance(found.act, kind) and found.checkpoint:
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("phase", ["promised", "ringing", "whispering", "deciding", "bridged"])
async def test_a_job_that_dies_amid_it_leaves_it_to_another(
    stack: Stack, caller: Phone, callees: Phone, phase: str
) -> None:
    call = await wants_a_person(caller, KILLED)
    ringing = await callees.rung()
    if phase == "promised":
        await killed(stack)
        await said(caller, call, PROMISE, 40.0)
        with pytest.raises(Unmet):
            await callees.rung(2.0)  # it rings on
    if phase == "ringing":
        await said(caller, call, PROMISE)
        await killed(stack)
    human = await ringing.answer()
    if phase == "whispering":
        await human.talking(0.5)
        await killed(stack)
    await said(callees, human, CHOOSE, 40.0)
    if phase == "deciding":
        await killed(stack)
        await said(callees, human, CHOOSE, 40.0)
    if phase != "bridged":
        await apart(call, human)
    await human.press("1")
    await talk(call, human)
    if phase == "bridged":
        before = await killed(stack)
        await talk(call, human)
        await job(stack, before)
        await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert came(found) == ["taken"]


async def test_who_is_cut_off_while_no_job_is_there_is_rung_back_by_the_next(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await wants_a_person(caller, KILLED)
    human = await (await callees.rung()).answer()
    await said(callees, human, CHOOSE)
    await human.press("1")
    await talk(call, human)
    await killed(stack)
    await human.hang_up("Q.850;cause=41")
    await rung_back(stack, caller, call, callees)


@pytest.mark.parametrize("phase", ["offering", "ringing", "whispering", "deciding", "bridged", "parting"])
async def test_nobody_notices_that_control_dies_amid_it(
    stack: Stack, caller: Phone, callees: Phone, phase: str
) -> None:
    async def dies(at: str) -> None:
        if at == phase:
            await control_dies(stack)

    call = await wants_a_person(caller, KILLED)
    await until_act(stack, sip_id(call), Handoff)
    await dies("offering")
    ringing = await callees.rung()
    await dies("ringing")
    human = await ringing.answer()
    await human.talking(0.5)
    await dies("whispering")
    await said(callees, human, CHOOSE)
    await dies("deciding")
    if phase == "parting":
        await call.hang_up()
        await dies("parting")
        await said(callees, human, word(HandoffWord.CALLER_LEFT, "en-US"))
        await human.ended()
    else:
        await apart(call, human)
        await human.press("1")
        await talk(call, human)
        await dies("bridged")
        await talk(call, human)
        await human.hang_up()
        await call.ended()
    await control_is_back(stack)
    assert came(await record(stack, sip_id(call))) == ["the caller hung up first" if phase == "parting" else "taken"]


async def test_a_human_isnt_left_alone_where_the_job_dies_as_the_caller_hangs_up(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await wants_a_person(caller, KILLED)
    human = await (await callees.rung()).answer()
    await said(callees, human, CHOOSE)
    one = await job(stack)
    await call.hang_up()
    one.kill()
    await human.ended(30.0)
    assert came(await record(stack, sip_id(call))) in ([], ["the caller hung up first"]), "as far as the job has told"
