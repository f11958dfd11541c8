"""A hostile model calls every tool that a talking agent has, whatever they are, with the worst arguments; a hostile caller
keys in the worst numbers. What comes of it goes on to whatever dials: nothing is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.engines import chains as engines
from agents.line import telephony
from agents.registry import definition
from agents.runner import TalkingRunner
from gateway.calls.shared.spoken import MemorySpoken
from gateway.conduct.ledger import Ledger
from gateway.conduct.talk.stage import CallStage, Parts
from gateway.conduct.tell import Teller
from gateway.config import Settings
from gateway.terms.act import Because
from tests.unit.agents.runner_scene import Prompts, Room, Session, Voice
from tests.unit.guard.test_hostile import OPEN, STRICT, Gateway, Store, gateway
from tests.unit.guard.tricks import NAMED, is_let_out, tricks

__all__ = ["gateway"]
AGENTS = ("sales", "support")
CALLS = 120


def worst_of(schema: Mapping[str, Any], draw: Random, worst: Iterator[str]) -> dict[str, object]:
    """Arguments that the schema knows, of any kind, and some that it doesn't."""
    names = [*schema.get("parameters", {}).get("properties", {}), draw.choice(("to", "number", "phone", "extra"))]
    kinds = (
        lambda: next(worst),
        lambda: [next(worst)],
        lambda: {"to": next(worst)},
        lambda: draw.randrange(10**15),
        lambda: None,
    )
    return {name: (kinds[0] if draw.random() < 0.8 else draw.choice(kinds))() for name in names}


def texts(data: object) -> Iterator[str]:
    """Every text in it."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from texts(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from texts(value)


async def one(gateway: Gateway, number: int, draw: Random, worst: Iterator[str], patch: pytest.MonkeyPatch) -> set[str]:
    """A call with one of the agents; the names of the tools that were called."""
    call = gateway.arrives(number, draw.choice((STRICT, OPEN)), draw.choice(("", "+15105550177", next(worst))))
    session, store, called = Session(), Store(), set[str]()
    patch.setattr(telephony, "session", lambda *_: session)
    settings = Settings.model_validate({"LIVEKIT_API_SECRET": "secret", "LIVEKIT_API_KEY": "key"})
    runner = TalkingRunner(
        definition(AGENTS[number % len(AGENTS)]), settings, engines.Warm(*cast(Any, (None, None, None, None)))
    )
    async with Teller(store, call.id) as teller:
        ledger, nothing = Ledger(store, teller, call, lambda: None), cast(Any, Prompts())
        parts = Parts(
            call, cast(Any, Voice()), cast(Any, Room()), teller, ledger, nothing, "", MemorySpoken(time.monotonic),
            lets_out=gateway.lets_out,
        )  # fmt: skip
        stage = CallStage(parts, call.brief)
        await runner.prepare(stage)
        runner._early = None
        try:
            for tool in session.agent.tools:
                schema = tool.info.raw_schema
                called.add(schema["name"])
                context = (
                    {"context": SimpleNamespace(wait_for_playout=asyncio.sleep)} if schema["name"] == "end_call" else {}
                )
                if context:
                    context["context"].wait_for_playout = lambda: asyncio.sleep(0)
                await tool(raw_arguments=worst_of(schema, draw, worst), **context)
            runner._to_person.number_wanted = True
            for key in [*(sign for sign in next(worst) if sign in "0123456789*"), "#"]:
                runner.digit(key)
            while runner._tasks:
                await asyncio.wait(runner._tasks, timeout=5)
        finally:
            await runner.close()
    if stage.onward is not None and stage.onward.because is Because.TRANSFER:
        await gateway.goes_on(call, stage.onward)
    for saved in {text for event in store.told for text in texts(dict(event.data))}:
        # A plain number, however it was said, may be called where its country may; and whom the plan names.
        if saved != NAMED and not is_let_out(saved):
            await gateway.calls_back(call, saved)
    return called


async def hostile(gateway: Gateway, calls: int, patch: pytest.MonkeyPatch) -> None:
    draw, worst, called = Random(calls), tricks(calls), set[str]()
    for number in range(calls):
        called |= await one(gateway, number, draw, worst, patch)
    assert gateway.exchange.asked == []
    assert {"save_lead", "save_ticket", "ask_for_person", "transfer_call", "end_call"} <= called
    assert gateway.refused > calls


async def test_every_tool_of_an_agent_with_the_worst_arguments(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hostile(gateway, CALLS, monkeypatch)


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_of_10000_calls_of_every_tool_none_gets_through(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = time.monotonic()
    await hostile(gateway, 10_000, monkeypatch)
    print(f"10000 calls, {gateway.refused} refusals, 0 dialed: {time.monotonic() - started:.0f} s")
