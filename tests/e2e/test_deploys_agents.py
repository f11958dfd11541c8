"""Workers of agents, and controls, that are replaced while callers talk with agents and new ones dial all the while: no
call fails, none is cut, and who talks for longer than the deadline goes on with another worker's agent."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import psutil
import pytest

from agents.words.lines import Say, line_of
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.records import record, sip_id
from tests.e2e.servers import until
from tests.e2e.test_calls import SALES, converse
from tests.e2e.test_deploys import AT_ONCE, Load, another, child, loaded, other, readies

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.speech, pytest.mark.timeout(380)]

DRAIN = 16.0
"""Seconds after which a worker leaves its calls to others: longer than a load's call, shorter than a long one."""
GONE_WITHIN = DRAIN + 30.0
ENDING = "ending: no new calls"
AGENTS = ("worker", "--pool", "agents")
STAYS = 6.0
"""Seconds between two keys by which a caller shows that they are there."""
NOTICE, LOST = line_of(Say.NOTICE, "en-US"), line_of(Say.AGAIN, "en-US")
TAKEN = re.compile(r"the call is taken(?=.*? call=(SCL_\S+))(?=.*? epoch=(\d+))")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway whose processes are replaced here."""
    state = tmp_path_factory.mktemp("agents")
    with running_gateway(state, OFFHOOK_DRAIN_SECONDS=str(DRAIN), OFFHOOK_IDLE_JOBS="2") as found:
        yield found


class Talks(Load):
    """Callers of an agent who dial again and again, say one thing, hear the answer and hang up."""

    callers = 2
    begins = "+1510555018"

    async def serve(self, phone: Phone, number: int) -> Call:
        """See Load."""
        call = await phone.dial(SALES)
        await call.answered(20)
        await converse(phone, call, ["We need a new phone system."])
        await call.talking(0.3, 25)
        assert call.signalling.ended is None, "cut"
        await call.hang_up()
        return call


@asynccontextmanager
async def staying(call: Call) -> AsyncIterator[None]:
    """The caller shows now and then that they are there, and mustn't lose the line."""

    async def stay() -> None:
        while True:
            await call.wait(STAYS)
            await call.press("#")

    task = asyncio.create_task(stay())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert call.signalling.ended is None, call.signalling


@asynccontextmanager
async def talk(stack: Stack) -> AsyncIterator[tuple[Phone, Call]]:
    """A caller who has begun to talk with an agent, and stays."""
    async with Phone(stack.sip, caller="+15105550190") as phone:
        call = await phone.dial(SALES)
        await call.answered(20)
        await converse(phone, call, ["We need a new phone system."])
        yield phone, call


async def say(phone: Phone, call: Call, line: str) -> None:
    """The caller says it, and hears an answer."""
    await phone.say(call, line)
    await call.spoken(25, 0.8)


async def replaced(stack: Stack, process: psutil.Process, address: str, log: str) -> tuple[float, str]:
    """End a worker in order: when it said that it takes no calls (seconds since the epoch), and what it logged from then
    until it was gone."""
    process.send_signal(signal.SIGTERM)
    sent = time.monotonic()
    await readies(address, ENDING, AT_ONCE)
    said, before = time.time(), len(stack.log(log))
    print(f"{log} said after {time.monotonic() - sent:.2f} s that it ends")
    await until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, GONE_WITHIN, 0.05)
    print(f"and was gone after {time.monotonic() - sent:.1f} s")
    return said, stack.log(log)[before:]


async def records(stack: Stack, ids: list[str]) -> list[dict[str, Any]]:
    return [await record(stack, one, ending="served", hung_up_by="caller") for one in ids]


def greeted_once(found: Mapping[str, Any]) -> None:
    agent = [turn["text"] for turn in found["turns"] if turn["speaker"] == "agent"]
    assert sum(NOTICE in text for text in agent) == 1, agent
    assert agent.count(LOST) == len(found["attempts"]) - 1, (agent, found["attempts"])


async def test_agents_workers_are_replaced_one_after_the_other_under_load(own: Stack) -> None:
    async with another(own, *AGENTS, drain=DRAIN) as (second, address), talk(own) as (phone, call):
        async with loaded(Talks(own)) as load:
            async with staying(call):
                worker, where = child(own, "worker --pool agents"), own.run.http["worker-agents"]
                ends = [await replaced(own, worker, where, "worker-agents")]
                await readies(where)
            await say(phone, call, "My name is John Smith.")
            async with staying(call):
                ends.append(await replaced(own, psutil.Process(second.pid), address, other(*AGENTS)))
            await say(phone, call, "I work for Acme Software.")
        await call.hang_up()
        short, [long] = await records(own, load.served), await records(own, [sip_id(call)])
        for one in (*short, long):
            greeted_once(one)
        lead = long["lead"]["fields"]
        assert (lead["name"], lead["company"]) == ("John Smith", "Acme Software")
        assert "phone system" in lead["need"]
        print(
            "jobs of the long call:",
            len(long["attempts"]),
            [one["about"] for one in long["notes"] if one["kind"] == "left"],
        )
        assert len(long["attempts"]) > 1, "both workers are gone"
        kept_alive(short, [at for at, _ in ends])
        calls = {one["id"]: one for one in (*short, long)}
        for at, log in ends:
            none_came(calls, at, log)
        assert "workers are gone without a word" not in own.log("control"), "a deploy is no alarm"


def kept_alive(short: Sequence[Mapping[str, Any]], ends: Sequence[float]) -> None:
    """Some of the load's calls went on, with the job they had, while a worker ended."""
    amid = [one for one in short if any(_at(one["answered"]) < at < _at(one["hung_up"]) for at in ends)]
    through = sum(len(one["attempts"]) == 1 for one in amid)
    print(f"calls of the load amid which a worker was told to end: {len(amid)}, with one job to their end: {through}")
    assert through


def none_came(calls: Mapping[str, Mapping[str, Any]], ended: float, log: str) -> None:
    """The worker took no call that was sent for after it had said that it takes none."""
    for call, epoch in TAKEN.findall(log):
        sent = [one["dispatched"] for one in calls[call]["attempts"] if one["epoch"] == int(epoch)]
        assert _at(sent[0]) <= ended, "the call was under way before"


def _at(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()


async def test_controls_are_replaced_while_callers_talk_with_agents(own: Stack) -> None:
    async with another(own, "control") as (second, address), talk(own) as (phone, call):
        async with loaded(Talks(own)) as load, staying(call):
            first = child(own, "gateway control")
            first.send_signal(signal.SIGTERM)
            await readies(own.run.http["control"], None, AT_ONCE)
            await until(lambda: not first.is_running(), 20.0)
            await readies(own.run.http["control"])
            count = len(load.served)
            await until(lambda: len(load.served) > count + load.callers, 60.0)
            second.terminate()
            await readies(address, None, AT_ONCE)
            assert second.wait(20) == 0
            count = len(load.served)
            await until(lambda: len(load.served) > count + load.callers, 60.0)
        await say(phone, call, "My name is John Smith.")
        await call.hang_up()
        for one in await records(own, [*load.served, sip_id(call)]):
            greeted_once(one)
