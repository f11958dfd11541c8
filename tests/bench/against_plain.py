"""Calls to offhook's sales agent and to a plain livekit-agents agent, in turn, measured on the caller's own RTP."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from gateway.phone.phone import Phone
from gateway.records import store
from tests.bench import calls, figures
from tests.bench.calls import LINES, PLAIN_LINES, SALES, Setups
from tests.bench.figures import Figure
from tests.bench.plain import NUMBER, delays, engine_delays, plain_agent
from tests.e2e.gateway import Stack, running_gateway

SETTLE = 2.5
"""Seconds between two calls: what a job's process takes to be warm again on two cores."""


def measure(count: int, talks: int) -> list[Figure]:
    """Every figure of calls. `count`: calls that are only set up, of each; `talks`: conversations of each."""
    with (
        tempfile.TemporaryDirectory(prefix="offhook-bench-") as directory,
        running_gateway(Path(directory, "state")) as stack,
    ):
        return asyncio.run(_measure(stack, Path(directory), count, talks))


async def _measure(stack: Stack, directory: Path, count: int, talks: int) -> list[Figure]:
    ours, plain = Setups(), Setups()
    gaps: tuple[list[float], list[float]] = ([], [])
    ids = []
    async with Phone(stack.sip) as phone:
        for line in {*LINES, *PLAIN_LINES}:
            await phone.voice.speak(line)
        async with plain_agent(stack, directory) as turns:
            await asyncio.sleep(SETTLE)
            for _ in range(count):  # in pairs, so that the machine's moods hit both
                ours.add(await calls.set_up(phone, SALES, SETTLE))
                plain.add(await calls.set_up(phone, NUMBER, SETTLE))
            turns.unlink(missing_ok=True)
            for _ in range(talks):
                call_id, ours_now = await calls.converse(phone, SALES, LINES)
                ids.append(call_id)
                gaps[0].extend(ours_now)
                gaps[1].extend((await calls.converse(phone, NUMBER, PLAIN_LINES))[1])
            await asyncio.sleep(SETTLE)
            engines = [d for call_id in ids for d in await _ours(stack, call_id)], delays(turns)
        await asyncio.sleep(2 * SETTLE)
        ten = await calls.at_once(phone, SALES, 10)
    return [
        figures.milliseconds("INVITE→180", ours.ringing, 0.95, 50.0, plain.ringing),
        figures.milliseconds("INVITE→200, warm", ours.answer, 0.5, None, plain.answer),
        figures.milliseconds("INVITE→200, warm", ours.answer, 0.95, 500.0, plain.answer),
        figures.milliseconds("answer→first word", ours.first_word, 0.5, None, plain.first_word),
        figures.milliseconds("answer→first word", ours.first_word, 0.95, 300.0, plain.first_word),
        figures.milliseconds("turn's gap", gaps[0], 0.5, None, gaps[1]),
        figures.ratio("turn's gap, median against the plain agent's", gaps[0], gaps[1], 1.0),
        figures.milliseconds("of it the engines, as the framework tells", engines[0], 0.5, None, engines[1]),
        Figure("ten calls at once, served", float(len(ten.answer)), "calls"),
        figures.milliseconds("ten calls at once, INVITE→200", ten.answer, 1.0),
        Figure("offhook up, ready", round(stack.ready_after, 1), "s", 30.0),
    ]  # fmt: skip


async def _ours(stack: Stack, call_id: str) -> list[float]:
    async with store.reading(stack.run.database_url) as connection:
        assert connection is not None
        found = await store.record(connection, call_id)
    told = [(turn["speaker"] == "agent", turn["latencies"]) for turn in found.turns]
    return engine_delays([(is_agent, one) for is_agent, one in told if isinstance(one, dict)])
