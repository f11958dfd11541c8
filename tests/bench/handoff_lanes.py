"""Many handoffs at once: callers who are given to humans side by side, each by a team of its own, and what came of each. A run
may be one of several whose outcomes add up.

Judged as `handoff` is: by the packets that each party receives. Whoever hears a tone that wasn't for them, of any lane, counts.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway.phone.call import Unmet
from gateway.phone.phone import Phone
from gateway.phone.ringing import Ringing
from gateway.tasks import cancelled
from tests.bench.figures import Figure, milliseconds
from tests.bench.handoff import LEAKED, sounds
from tests.bench.house_ears import Packets, amplitude, comes, is_tone, listen, settled, since, tone
from tests.e2e.gateway import running_gateway

TONES = tuple(1200.0 + 100.0 * number for number in range(18))
"""Hz; each party of each of up to six lanes has its own, and a packet tells them apart. Words and music are below LEAKED there."""
AGAIN = 1.0
"""Seconds between two handoffs of a lane."""


@dataclass(frozen=True)
class Outcome:
    """One handoff. Seconds; None for what didn't come about."""

    talk: float | None = None
    silence: float | None = None
    leaked: int = 0
    lost: str = ""
    """What went wrong, where something did."""


def plan(lanes: int) -> str:
    """A number, a route and a team of two for each lane."""
    numbers = ", ".join(f"+1 510 555 07{n:02}: sales-{n}" for n in range(lanes))
    people = ", ".join(f"{who}-{n}: {{call: {_of(n, place)}}}" for n in range(lanes) for place, who in enumerate("ab"))
    teams = "\n".join(f"  crew-{n}: {{members: [a-{n}, b-{n}], ring: ringall, for: 60s}}" for n in range(lanes))
    routes = "\n".join(
        f"  sales-{n}: {{agent: sales, greeting: Hello., handoff: crew-{n}, introduce: false}}" for n in range(lanes)
    )
    return (
        "offhook: 1\ntimezone: America/New_York\ncountry: US\nhuman: callback\n"
        f"numbers: {{{numbers}, otherwise: nobody}}\npeople: {{{people}}}\nteams:\n{teams}\nroutes:\n{routes}\n"
        "  nobody: {reject: 603}\n"
    )


def _of(lane: int, place: int) -> str:
    return f"+1510555{110 + lane * 2 + place:04}"


def measure(handoffs: int, lanes: int, outcomes: Path | None, seconds: float) -> list[Figure]:
    """`handoffs`: how many, over all lanes, as far as they begin within so many `seconds`. `outcomes`: a file to which this
    run's are added, and whose all are told."""
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as directory:
        plans = Path(directory, "plans")
        plans.mkdir()
        (plans / "main.yaml").write_text(plan(lanes))
        idle = {"OFFHOOK_IDLE_JOBS": str(lanes)}
        with running_gateway(Path(directory, "state"), plans, **idle) as stack:
            found = asyncio.run(_measure(stack.sip, stack.callees, handoffs, lanes, seconds))
    return told(_added(outcomes, found) if outcomes else found, lanes)


def told(found: Sequence[Outcome], lanes: int) -> list[Figure]:
    """The figures of these."""
    many = f"{lanes} at once"
    talk = [one.talk for one in found if one.talk is not None]
    silence = [one.silence for one in found if one.silence is not None]
    return [
        Figure(f"handoffs that came to a talk, {many}", len(talk), "of all", samples=len(found)),
        Figure(f"packets heard by whom they weren't for, {many}", sum(one.leaked for one in found), "packets", 0,
               samples=len(found)),
        *([milliseconds(f"human takes the call → two-way speech, {many}", talk, share) for share in (0.5, 0.95)] if talk else []),
        *([milliseconds(f"the caller hears nothing around it, {many}", silence, 0.95)] if silence else []),
    ]  # fmt: skip


def _added(file: Path, fresh: Sequence[Outcome]) -> list[Outcome]:
    before = [Outcome(**one) for one in json.loads(file.read_text())] if file.exists() else []
    every = [*before, *fresh]
    file.write_text(json.dumps([asdict(one) for one in every]) + "\n")
    return every


async def _measure(sip: str, callees: int, handoffs: int, lanes: int, seconds: float) -> list[Outcome]:
    until = time.monotonic() + seconds
    async with Phone("127.0.0.1:9", port=callees) as desk, _by_number(desk) as rings:
        await asyncio.sleep(5.0)  # workers get warm
        share = [handoffs // lanes + (lane < handoffs % lanes) for lane in range(lanes)]
        found = await asyncio.gather(*(_lane(sip, rings, lane, share[lane], until) for lane in range(lanes)))
    return [one for of_lane in found for one in of_lane]


@asynccontextmanager
async def _by_number(desk: Phone) -> AsyncIterator[defaultdict[str, asyncio.Queue[Ringing]]]:
    """The calls that ring, by the number that was dialed."""
    rings: defaultdict[str, asyncio.Queue[Ringing]] = defaultdict(asyncio.Queue)

    async def sort() -> None:
        while True:
            ringing = await desk.rung(3600.0)
            rings[ringing.dialed].put_nowait(ringing)

    sorting = asyncio.create_task(sort())
    try:
        yield rings
    finally:
        await cancelled(sorting)


async def _lane(
    sip: str, rings: defaultdict[str, asyncio.Queue[Ringing]], lane: int, handoffs: int, until: float
) -> list[Outcome]:
    found = []
    await asyncio.sleep(lane * 2.0)
    for number in range(handoffs):
        if time.monotonic() >= until:
            break
        async with Phone(sip, caller=f"+1415555{1000 + 1000 * lane + number}") as phone:
            try:
                async with asyncio.timeout(60.0):
                    found.append(await _handoff(phone, rings, lane, answered=number % 2 == 0))
            except (Unmet, TimeoutError) as bad:
                found.append(Outcome(lost=str(bad) or type(bad).__name__))
                print(f"lane {lane}, handoff {number}: {found[-1].lost}", flush=True)
        for queue in (rings[_of(lane, place)] for place in range(2)):  # of a handoff that went wrong
            while not queue.empty():
                queue.get_nowait()
        await asyncio.sleep(AGAIN)
    return found


async def _handoff(
    phone: Phone, rings: defaultdict[str, asyncio.Queue[Ringing]], lane: int, *, answered: bool
) -> Outcome:
    """`answered`: the one who doesn't take the call has answered too."""
    ours_hz, theirs_hz, others_hz = (TONES[(3 * lane + place) % len(TONES)] for place in range(3))
    call = await phone.dial(f"+151055507{lane:02}")
    await call.answered()
    await call.talking(0.5)
    await call.press("0")
    rung = [await rings[_of(lane, place)].get() for place in range(2)]
    ours = listen(call)
    call.port.send(tone(ours_hz, 60.0))
    human = await rung[0].answer()
    theirs = listen(human)
    human.port.send(tone(theirs_hz, 2.0))
    other = await rung[1].answer() if answered else None
    others = listen(other) if other is not None else None
    if other is not None:
        other.port.send(tone(others_hz, 2.0))
    await settled(ours, 3.0)
    leaked = _heard(ours, ours_hz) + _heard(theirs, theirs_hz)
    pressed = time.monotonic()
    await human.press("1")
    spoke = time.monotonic()
    human.port.send(tone(theirs_hz, 10.0))
    at_caller, at_human = await asyncio.gather(
        comes(ours, is_tone(theirs_hz), pressed), comes(theirs, is_tone(ours_hz), pressed)
    )
    if other is None or others is None:
        await rung[1].given_up()
    else:
        await other.ended()
        leaked += _heard(others, others_hz)
    await settled(ours, 1.0)
    leaked += _heard(ours, theirs_hz, at_caller) + _heard(theirs, ours_hz, at_human)
    before = [one.at for one in ours.came if one.at < at_caller and sounds(one)]
    await call.hang_up()
    await human.ended()
    return Outcome(max(at_caller - spoke, at_human - pressed), at_caller - max(before, default=at_caller), leaked)


def _heard(packets: Packets, own: float, after: float = 0.0) -> int:
    """Packets with the tone of a party of any lane. `own`: of the one whom they may hear from `after` on, or their own."""
    return sum(
        any(amplitude(one.samples, hertz) >= LEAKED for hertz in TONES if hertz != own) for one in since(packets, after)
    )
