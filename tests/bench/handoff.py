"""Calls that an agent gives to a human: how fast the two hear each other once the human takes the call, how long the caller hears
nothing meanwhile, how soon the others fall silent, and whether anybody hears whom they mustn't.

Judged by the packets that each party receives, on one clock.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.rtp import Arrival, Samples
from tests.bench.figures import Figure, milliseconds, sampled
from tests.bench.house_ears import HEARD, Packets, amplitude, comes, is_tone, listen, settled, since, tone
from tests.e2e.gateway import running_gateway

SALES = "+15105550711"
OURS, THEIRS, OTHERS = 600.0, 1000.0, 1500.0
"""Hz: of the caller, of whoever takes the call, of whoever doesn't."""
LEAKED = 4000.0
"""Amplitude, of the 8000 that are sent, from which a tone is another party's, and not of the music or the words."""
PLAN = """
offhook: 1
timezone: America/New_York
country: US
human: callback
numbers: {+1 510 555 0711: sales, otherwise: nobody}
people: {ana: {call: +1 510 555 0111}, ben: {call: +1 510 555 0112}}
teams:
  crew: {members: [ana, ben], ring: ringall, for: 60s}
routes:
  sales: {agent: sales, greeting: Hello., handoff: crew, introduce: false}
  nobody: {reject: 603}
"""


@dataclass
class Found:
    """Seconds each, and packets."""

    rings: list[float] = field(default_factory=list)
    words: list[float] = field(default_factory=list)
    talk: list[float] = field(default_factory=list)
    silence: list[float] = field(default_factory=list)
    losers: list[float] = field(default_factory=list)
    leaked: int = 0


def measure(handoffs: int) -> list[Figure]:
    """Every figure. `handoffs`: calls that are given to a human; each takes about a quarter of a minute."""
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as directory:
        plans = Path(directory, "plans")
        plans.mkdir()
        (plans / "main.yaml").write_text(PLAN)
        with running_gateway(Path(directory, "state"), plans) as stack:
            found = asyncio.run(_measure(stack.sip, stack.callees, handoffs))
    return [
        milliseconds("0 → the first word", found.words, 0.5, None),
        milliseconds("0 → the team's first phone rings", found.rings, 0.5, None),
        milliseconds("0 → the team's first phone rings", found.rings, 0.95, None),
        milliseconds("human takes the call → two-way speech", found.talk, 0.5, None),
        milliseconds("human takes the call → two-way speech", found.talk, 0.95, 150.0),
        milliseconds("the caller hears nothing around it, at most", found.silence, 1.0, 300.0),
        milliseconds("human takes the call → the others hear nothing more", found.losers, 0.95, 300.0),
        Figure("packets heard by whom they weren't for", found.leaked, "packets", 0, samples=handoffs),
    ]


async def _measure(sip: str, callees: int, handoffs: int) -> Found:
    found = Found()
    async with Phone("127.0.0.1:9", port=callees) as desk:
        await asyncio.sleep(5.0)  # workers get warm
        for number in range(handoffs):
            # Each calls for the first time: nobody of the team knows them.
            async with Phone(sip, caller=f"+1415555{1000 + number}") as phone:
                await _handoff(phone, desk, found, answered=number % 2 == 0)
            latest = {
                "rings": found.rings[-1],
                "words": found.words[-1],
                "talk": found.talk[-1],
                "silence": found.silence[-1],
                "loser": found.losers[-1],
            }
            sampled(f"handoff {number}", latest)
    return found


async def _handoff(phone: Phone, desk: Phone, found: Found, *, answered: bool) -> None:
    """`answered`: the one who doesn't take the call has answered too."""
    call = await phone.dial(SALES)
    await call.answered()
    await call.talking(0.5)
    await _silent(ours := listen(call))
    zero = time.monotonic()
    await call.press("0")
    rung = [await desk.rung()]
    found.rings.append(time.monotonic() - zero)
    rung.append(await desk.rung())
    found.words.append(await comes(ours, lambda samples: loud(samples) >= HEARD, zero) - zero)
    call.port.send(tone(OURS, 60.0))
    human = await rung[0].answer()
    theirs = listen(human)
    human.port.send(tone(THEIRS, 3.0))
    other = await rung[1].answer() if answered else None
    others = listen(other) if other is not None else None
    if other is not None:
        other.port.send(tone(OTHERS, 3.0))
    await settled(ours, 4.0)
    pressed = time.monotonic()
    found.leaked += _heard(ours, THEIRS, 0.0) + _heard(ours, OTHERS, 0.0) + _heard(theirs, OURS, 0.0)
    await human.press("1")
    spoke = time.monotonic()  # once the key was sent
    human.port.send(tone(THEIRS, 20.0))
    at_caller, at_human = await asyncio.gather(
        comes(ours, is_tone(THEIRS), pressed), comes(theirs, is_tone(OURS), pressed)
    )
    found.talk.append(max(at_caller - spoke, at_human - pressed))
    found.silence.append(_quiet(ours, at_caller))
    if other is None or others is None:
        found.losers.append(await rung[1].given_up() - pressed)
    else:
        await other.ended()
        found.losers.append(last(others, pressed) - pressed)
        found.leaked += _heard(others, OURS, 0.0) + _heard(others, THEIRS, 0.0)
    await settled(ours, 1.0)
    found.leaked += _heard(ours, OTHERS, 0.0)
    await _end(call, human)


async def _end(call: Call, human: Call) -> None:
    await call.hang_up()
    await human.ended()
    await asyncio.sleep(2.0)


def _heard(packets: Packets, hertz: float, after: float) -> int:
    """Packets with the tone in them: music and words have the same frequencies, but none as loud."""
    return sum(amplitude(packet.samples, hertz) >= LEAKED for packet in since(packets, after))


async def _silent(packets: Packets) -> None:
    """Return once the agent has said what it begins with."""
    async with asyncio.timeout(30.0):
        while not packets.came or time.monotonic() - last(packets, packets.came[0].at) < 1.0:
            await asyncio.sleep(0.02)


def sounds(packet: Arrival) -> bool:
    """Whether anything is heard in it."""
    return loud(packet.samples) >= HEARD / 8


def loud(samples: Samples) -> float:
    """How loud they are."""
    return float(np.sqrt(2 * np.mean(samples.astype(np.float64) ** 2)))


def _quiet(packets: Packets, at: float) -> float:
    """How long nothing was heard before the packet that came then."""
    before = [packet.at for packet in packets.came if packet.at < at and sounds(packet)]
    return at - max(before) if before else 0.0


def last(packets: Packets, after: float) -> float:
    """When something was heard last."""
    return max((packet.at for packet in since(packets, after) if sounds(packet)), default=after)
