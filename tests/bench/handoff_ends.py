"""Handoffs at their edges: ten phones that ring at once, nobody who answers, and what two who talk cost.

Judged by the packets and requests that each party receives, and by the kernel's counts of the jobs' processes.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.phone.phone import Phone
from tests.bench import house_cost
from tests.bench.figures import Figure, milliseconds, sampled
from tests.bench.handoff import last, sounds
from tests.bench.house_ears import Packets, comes, is_sound_beside, is_tone, listen, settled, since, tone
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.test_handoff import wants_a_person
from tests.e2e.test_house_kills import jobs

TEN, ALONE = "+15105550711", ("+15105550712", "+15105550713")
PHONES = 10
ANSWERED = 5
"""Of them, who have answered when one takes the call; the others ring still."""
RING_FOR = 6.0
"""Seconds."""
MISSED, TOGETHER = 3, 3
"""Calls that each who is alone doesn't answer, after which they are paused; and calls that ten phones ring for."""
OURS, THEIRS = 1500.0, 1800.0
"""Hz: of the caller and of whoever takes the call."""
PEOPLE = ", ".join(f"p{n}: {{call: +1 510 555 01{10 + n}}}" for n in range(PHONES))
PLAN = f"""
offhook: 1
timezone: America/New_York
country: US
human: callback
numbers: {{+1 510 555 0711: all, +1 510 555 0712: first, +1 510 555 0713: second, otherwise: nobody}}
people: {{{PEOPLE}, uma: {{call: +1 510 555 0120}}, vic: {{call: +1 510 555 0121}}}}
teams:
  ten: {{members: [{", ".join(f"p{n}" for n in range(PHONES))}], ring: ringall, for: 60s}}
  umas: {{members: [uma], for: {RING_FOR:g}s}}
  vics: {{members: [vic], for: {RING_FOR:g}s}}
routes:
  all: {{agent: sales, greeting: Hello., handoff: ten, introduce: false}}
  first: {{agent: sales, greeting: Hello., handoff: umas}}
  second: {{agent: sales, greeting: Hello., handoff: vics}}
  nobody: {{reject: 603}}
"""


def unanswered() -> list[Figure]:
    """Calls that nobody answers; about two minutes."""
    with _gateway() as stack:
        return asyncio.run(_unanswered(stack))


def ringall() -> list[Figure]:
    """Calls that ten phones ring for; about two and a half minutes."""
    with _gateway() as stack:
        return asyncio.run(_ringall(stack))


@contextmanager
def _gateway() -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as directory:
        plans = Path(directory, "plans")
        plans.mkdir()
        (plans / "main.yaml").write_text(PLAN)
        with running_gateway(Path(directory, "state"), plans) as stack:
            yield stack


async def _unanswered(stack: Stack) -> list[Figure]:
    late: list[float] = []
    back: list[float] = []
    async with Phone("127.0.0.1:9", port=stack.callees) as desk:
        await asyncio.sleep(5.0)  # workers get warm
        for number in range(MISSED * len(ALONE)):
            async with Phone(stack.sip, caller=f"+1415555{2000 + number}") as phone:
                await _no_answer(phone, desk, ALONE[number // MISSED], late, back)
            sampled(f"call {number}", {"off its time": late[-1], "agent heard after": back[-1]})
    off = max(late, key=abs)
    return [
        Figure("nobody answers → the phone stops ringing, off its time by at most", round(abs(off) * 1000, 1), "ms", 100.0,
               samples=len(late)),
        milliseconds("the phone has stopped ringing → the caller hears the agent", back, 0.5),
        milliseconds("the phone has stopped ringing → the caller hears the agent", back, 1.0),
    ]  # fmt: skip


async def _ringall(stack: Stack) -> list[Figure]:
    losers: list[float] = []
    ringing: list[float] = []
    cpu: list[float] = []
    async with Phone("127.0.0.1:9", port=stack.callees) as desk:
        await asyncio.sleep(5.0)  # workers get warm
        for number in range(TOGETHER):
            async with Phone(stack.sip, caller=f"+1415555{3000 + number}") as phone:
                silent, stopped, cost = await _ten(stack, phone, desk)
            sampled(
                f"call {number}",
                {
                    "losers silent by": max(silent),
                    "ringing stopped from": min(stopped),
                    "to": max(stopped),
                },
            )
            print(f"call {number}: CPU of the job in the talk {cost:.2%} of a core", flush=True)
            losers, ringing, cpu = [*losers, *silent], [*ringing, *stopped], [*cpu, cost]
    return [
        milliseconds(f"one of {PHONES} takes the call → the others who had answered hear nothing more", losers, 1.0, 300.0),
        milliseconds(f"one of {PHONES} takes the call → the others stop ringing", ringing, 1.0, 300.0),
        Figure("while the two talk: CPU of their job", round(max(cpu) * 100, 2), "% of a core", 1.0, samples=len(cpu)),
    ]  # fmt: skip


async def _no_answer(phone: Phone, desk: Phone, number: str, late: list[float], back: list[float]) -> None:
    """`back`: until the caller hears the agent; a pause in the hold music isn't one."""
    call = await wants_a_person(phone, number)
    ringing = await desk.rung()
    ours = listen(call)
    stopped = await ringing.given_up(RING_FOR + 5.0)
    late.append(stopped - ringing.at - RING_FOR)
    quiet = await _falls_silent(ours, stopped)
    back.append(await comes(ours, is_sound_beside(OURS), quiet) - stopped)
    await call.hang_up()
    await asyncio.sleep(2.0)


async def _falls_silent(packets: Packets, after: float, pause: float = 0.1) -> float:
    """When the first pause after a moment began."""
    async with asyncio.timeout(8.0):
        while True:
            began = None
            for packet in since(packets, after):
                if sounds(packet):
                    began = None
                elif began is None:
                    began = packet.at
                elif packet.at - began >= pause:
                    return began
            await asyncio.sleep(0.02)


async def _ten(stack: Stack, phone: Phone, desk: Phone) -> tuple[list[float], list[float], float]:
    """Seconds until each of the others who had answered heard nothing more, and until each other phone stopped ringing; and
    seconds of CPU a second while the two talk."""
    call = await wants_a_person(phone, TEN)
    rung = [await desk.rung() for _ in range(PHONES)]
    answered = [await one.answer() for one in rung[:ANSWERED]]
    heard = [listen(one) for one in answered]
    ours = listen(call)
    call.port.send(tone(OURS, 90.0))
    await asyncio.gather(
        *(comes(one, is_sound_beside(OURS), 0.0, 15.0) for one in heard)
    )  # each is told whose call it is
    await settled(ours, 1.0)
    winner, *others = answered
    pressed = time.monotonic()
    await winner.press("1")
    winner.port.send(tone(THEIRS, 60.0))
    await asyncio.gather(comes(ours, is_tone(THEIRS), pressed), comes(heard[0], is_tone(OURS), pressed))
    for one in others:
        await one.ended()
    silent = [
        last(packets, pressed) - pressed for packets in heard[1:] if any(map(sounds, since(packets, pressed - 0.2)))
    ]
    assert silent, "nobody was being told anything when the call was taken"
    stopped = [await still.given_up() - pressed for still in rung[ANSWERED:]]
    await asyncio.sleep(5.0)
    busy = jobs(stack)
    assert busy
    cost = await house_cost.cost(busy, 10.0)
    await call.hang_up()
    await winner.ended()
    await asyncio.sleep(3.0)  # the next call is rung for by all ten again
    return silent, stopped, cost.cpu * len(busy)
