"""Calls that the house takes, without an agent: how fast keys, answers and hang-ups work, and what a call costs.

Judged by the packets that each party receives, on one clock, and by the kernel's counts of the jobs' processes.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
import wave
from dataclasses import dataclass, field
from pathlib import Path

from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.phone.ringing import Ringing
from gateway.rtp import RATE, Samples
from tests.bench import house_cost
from tests.bench.bare_voice import ALIKE, DOCUMENTED, HEARING, THERE
from tests.bench.figures import Figure, milliseconds
from tests.bench.house_cost import MEGABYTE, Cost
from tests.bench.house_ears import Packets, comes, is_sound_beside, is_tone, listen, settled, stopped, tone
from tests.e2e.gateway import Stack, running_gateway

KEYS, DESK, DIRECT, HOLD, MENU = (f"+1510555070{n}" for n in range(1, 6))
PROMPT, OURS, THEIRS = 700.0, 600.0, 1000.0
"""Hz: of the first menu's prompt, of the caller and of whoever answers."""
AT_ONCE = 3
"""Calls whose cost is counted."""
PLAN = """
offhook: 1
timezone: America/New_York
country: US
human: callback
numbers: {+1 510 555 0701: keys, +1 510 555 0702: desk, +1 510 555 0703: direct, +1 510 555 0704: hold,
          +1 510 555 0705: menu, otherwise: nobody}
people: {ana: {call: +1 510 555 0111}, ben: {call: +1 510 555 0112}}
teams:
  crew: {members: [ana, ben], ring: ringall, for: 20s}
  slow: {members: [ana], ring: linear, for: 90s}
routes:
  keys: {menu: {say: prompt.wav, 1: second, silence: nobody, wait: 30s}}
  second: {menu: {say: "This is the second menu. Press one to hear the first one once more.", 1: keys, silence: nobody, wait: 30s}}
  menu: {menu: {say: prompt.wav, 1: second, silence: nobody, wait: 60s}}
  desk: {team: crew, wait: {at_most: 60s}, unanswered: nobody}
  direct: {dial: ana, ring: 20s, unanswered: nobody}
  hold: {team: slow, wait: {at_most: 120s, announce_every: 10m}, unanswered: nobody}
  nobody: {reject: 603}
"""


@dataclass
class Times:
    """Seconds each."""

    hushed: list[float] = field(default_factory=list)
    next: list[float] = field(default_factory=list)
    talk: list[float] = field(default_factory=list)
    losers: list[float] = field(default_factory=list)
    caller_hangs: list[float] = field(default_factory=list)
    human_hangs: list[float] = field(default_factory=list)


def measure(presses: int, answers: int, seconds: float) -> list[Figure]:
    """Every figure of the house. `presses`: keys; `answers`: calls that a human answers; `seconds`: for each cost."""
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as directory:
        plans = Path(directory, "plans")
        plans.mkdir()
        (plans / "main.yaml").write_text(PLAN)
        _write(plans / "prompt.wav", tone(PROMPT, 60.0))
        idle = {"OFFHOOK_IDLE_JOBS": str(AT_ONCE + 1)}
        with running_gateway(Path(directory, "state"), plans, **idle) as stack:
            return asyncio.run(_measure(stack, presses, answers, seconds))


async def _measure(stack: Stack, presses: int, answers: int, seconds: float) -> list[Figure]:
    times = Times()
    async with Phone(stack.sip) as phone, Phone("127.0.0.1:9", port=stack.callees) as callees:
        await settled_workers()
        await _press(phone, times, presses)
        for number in range(answers):
            await _answer(phone, callees, DESK if number % 2 else DIRECT, times, human_hangs=number % 4 < 2)
        costs = await _costs(stack, phone, callees, seconds)
    return [*_told(times), *costs]


async def settled_workers() -> None:
    """Give the workers time to be warm."""
    await asyncio.sleep(5.0)


async def _press(phone: Phone, times: Times, presses: int) -> None:
    """From one menu to the other and back, by a key each."""
    call = await phone.dial(KEYS)
    packets = listen(call)
    await call.answered()
    await comes(packets, is_tone(PROMPT), 0.0)
    for _ in range(presses):
        await settled(packets, 1.0)
        pressed = time.monotonic()
        await call.press("1")
        times.next.append(await comes(packets, is_sound_beside(PROMPT), pressed) - pressed)
        times.hushed.append((stopped(packets, PROMPT, pressed) or pressed) - pressed)
        await settled(packets, 1.0)
        pressed = time.monotonic()
        await call.press("1")
        times.next.append(await comes(packets, is_tone(PROMPT), pressed) - pressed)
    await call.hang_up()
    await asyncio.sleep(2.0)


async def _answer(phone: Phone, callees: Phone, number: str, times: Times, *, human_hangs: bool) -> None:
    """Somebody is rung and answers; both speak all the while."""
    call = await phone.dial(number)
    ours = listen(call)
    rung = [await callees.rung() for _ in range(2 if number == DESK else 1)]
    await call.answered()
    call.port.send(tone(OURS, 30.0))
    await settled(ours, 1.0)
    answered = time.monotonic()
    human, theirs = await _pick_up(rung[0])
    both = [comes(ours, is_tone(THEIRS), answered), comes(theirs, is_tone(OURS), answered)]
    times.talk.append(max(await asyncio.gather(*both)) - answered)
    for loser in rung[1:]:
        times.losers.append(await loser.given_up() - answered)
    await settled(ours, 1.0)
    one, other, into = (human, call, times.human_hangs) if human_hangs else (call, human, times.caller_hangs)
    await one.hang_up()
    await other.ended()
    into.append((other.signalling.ended or 0.0) - (one.signalling.ended or 0.0))
    await asyncio.sleep(1.5)


async def _pick_up(ringing: Ringing) -> tuple[Call, Packets]:
    human = await ringing.answer()
    packets = listen(human)
    human.port.send(tone(THEIRS, 30.0))
    return human, packets


async def _costs(stack: Stack, phone: Phone, callees: Phone, seconds: float) -> list[Figure]:
    await asyncio.sleep(4.0)
    warm = await house_cost.cost(house_cost.jobs(stack)[1], seconds / 2)
    bare = {how: await _bare(stack, how, seconds) for how in (DOCUMENTED, ALIKE, HEARING, THERE)}
    documented = bare[DOCUMENTED][0]
    figures = [
        Figure("an idle warm process of the house, its own", _mb(warm.uss), "MB"),
        Figure("a bare participant as documented: CPU", round(documented.cpu * 100, 2), "% of a core", samples=AT_ONCE),
    ]
    for what, number, beside in (("plays a prompt", MENU, HEARING), ("waits in line, music", HOLD, ALIKE)):
        calls = [await _up(phone, number) for _ in range(AT_ONCE)]
        if number == HOLD:
            await callees.rung()  # the first in line; nobody answers
        figures += await _cost(stack, what, warm, bare[beside], 3.0, seconds)
        for call in calls:
            await call.hang_up()
        await asyncio.sleep(6.0)
    pairs = [await _two(phone, callees) for _ in range(AT_ONCE)]
    figures += await _cost(stack, "two humans talk", warm, bare[THERE], 1.0, seconds)
    for call, _ in pairs:
        await call.hang_up()
    return figures


async def _bare(stack: Stack, how: str, seconds: float) -> tuple[Cost, float]:
    """What bare participants cost that do so, and the bytes of one before it joins."""
    async with house_cost.bare(stack, AT_ONCE + 1, how) as (processes, before):
        await asyncio.sleep(5.0)
        return await house_cost.cost(processes, seconds), before


async def _up(phone: Phone, number: str) -> Call:
    call = await phone.dial(number)
    await call.answered()
    await call.heard()
    return call


async def _two(phone: Phone, callees: Phone) -> tuple[Call, Call]:
    call = await phone.dial(DIRECT)
    ringing = await callees.rung()
    await call.answered()
    human = await ringing.answer()
    call.port.send(tone(OURS, 60.0))
    human.port.send(tone(THEIRS, 60.0))
    return call, human


async def _cost(
    stack: Stack, what: str, warm: Cost, beside: tuple[Cost, float], limit: float, seconds: float
) -> list[Figure]:
    await asyncio.sleep(5.0)
    busy = house_cost.jobs(stack)[0]
    assert len(busy) == AT_ONCE, f"{len(busy)} jobs with a call"
    found, (bare, before) = await house_cost.cost(busy, seconds), beside
    bare_cpu = round(bare.cpu * 100, 2)
    return [
        Figure(f"{what}: CPU", round(found.cpu * 100, 2), "% of a core", limit, bare_cpu, AT_ONCE, "bare participant"),
        Figure(
            f"{what}: memory beyond a warm process's",
            _mb(found.uss - warm.uss),
            "MB",
            10.0,
            _mb(bare.uss - before),
            AT_ONCE,
            "bare participant",
        ),
        Figure(f"{what}: the process's own memory", _mb(found.uss), "MB", None, _mb(bare.uss), AT_ONCE, "bare participant"),
        Figure(f"{what}: with its share of what is shared", _mb(found.pss), "MB", samples=AT_ONCE),
    ]  # fmt: skip


def _write(path: Path, samples: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def _mb(size: float) -> float:
    return round(size / MEGABYTE, 1)


def _told(times: Times) -> list[Figure]:
    return [
        _median("digit → prompt silent", times.hushed),
        milliseconds("digit → prompt silent", times.hushed, 0.95, 120.0),
        _median("digit → next prompt", times.next),
        milliseconds("digit → next prompt", times.next, 0.95, 300.0),
        _median("human answers → two-way speech", times.talk),
        milliseconds("human answers → two-way speech", times.talk, 0.95, 250.0),
        _median("first of two answers → the other stops ringing", times.losers),
        milliseconds("first of two answers → the other stops ringing", times.losers, 0.95, 300.0),
        milliseconds("caller hangs up → human's call ends", times.caller_hangs, 0.95, 300.0),
        milliseconds("human hangs up → caller's call ends", times.human_hangs, 0.95, 300.0),
    ]


def _median(name: str, seconds: list[float]) -> Figure:
    return Figure(f"{name}, p50", round(statistics.median(seconds) * 1000, 1), "ms", samples=len(seconds))
