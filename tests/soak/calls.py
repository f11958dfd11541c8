"""Places calls in bursts of ten a second, and finds out what came of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import psutil
from aiohttp import web
from google.protobuf import json_format
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.webhook import WebhookEvent
from sqlalchemy import func, select

from gateway.errors import PeerFault
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.records import store
from gateway.records.schema import ATTEMPTS, CALLS
from tests.e2e.gateway import Stack
from tests.e2e.records import sip_id
from tests.soak.judge import Placed

BURST, APART = 10, 0.1
"""Calls of a burst, and seconds between two of them."""
REST, RESTED = 0.35, 5.0
"""Share of the processors from which on the machine is busy, and seconds that a burst waits for it at most: each job is a
process, and the next ones must be warm."""
LEAST = 1.5
"""Seconds from a burst's last call's end to the next burst, at least."""
LASTS = 1.5
"""Seconds that a call goes on once it is answered."""
ANSWERED_WITHIN = 30.0
RECORDED_WITHIN = 20.0
TOLD = 100
"""Calls after which it is told how far it is."""
AGENT_EACH = 25
"""One call in so many is an agent's, who is heard to speak; the others are the line check's."""
ECHO, AGENT = "echo", "+15105550100"


@dataclass
class Tap:
    """When jobs came into rooms, as livekit-server tells: seconds since the epoch, by room, the first each."""

    joined: dict[str, float] = field(default_factory=dict)

    async def hook(self, request: web.Request) -> web.Response:
        """LiveKit's webhook: its signature needn't be checked here."""
        event = json_format.Parse(await request.text(), WebhookEvent(), ignore_unknown_fields=True)
        if event.event == "participant_joined" and event.participant.kind == ParticipantInfo.Kind.AGENT:
            self.joined.setdefault(event.room.name, time.time())
        return web.Response()


@asynccontextmanager
async def tapping(port: int) -> AsyncIterator[Tap]:
    """A tap that serves at the port."""
    tap, app = Tap(), web.Application()
    app.add_routes([web.post("/", tap.hook)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield tap
    finally:
        await runner.cleanup()


async def soak(stack: Stack, tap: Tap, count: int, ends: float) -> list[Placed]:
    """Place `count` calls, burst by burst; no burst begins after `ends` (monotonic). What came of them, by the callers'
    side, the records and the tap."""
    placed: list[tuple[Placed, str]] = []
    for first in range(0, count, BURST):
        if time.monotonic() > ends:
            break
        async with Phone(stack.sip) as phone:
            numbers = range(first, min(first + BURST, count))
            placed += await asyncio.gather(*(_call(phone, number, APART * (number - first)) for number in numbers))
        await asyncio.sleep(LEAST)
        await rested()
        if len(placed) % TOLD == 0 and len(placed) < count:
            failed = sum(bool(one.why) for one, _ in placed)
            print(f"{len(placed)} of {count} calls placed, {failed} failed", flush=True)
    known = await _recorded(stack, [call for _, call in placed if call])
    return [_with(one, known.get(call), tap) for one, call in placed]


async def _call(phone: Phone, number: int, later: float) -> tuple[Placed, str]:
    """One call, and its id in the records; "" when it wasn't answered."""
    await asyncio.sleep(later)
    dialed = AGENT if number % AGENT_EACH == AGENT_EACH - 1 else ECHO
    one = Placed(number, "agent" if dialed == AGENT else "echo")
    call = await phone.dial(dialed)
    try:
        await call.answered(ANSWERED_WITHIN)
        took = (call.signalling.answered or 0.0) - call.signalling.invited
        one = replace(one, answered=took)
        await call.wait(LASTS)
        await _end(call, number)
    except PeerFault as bad:
        one = replace(one, why=str(bad))
        await call.hang_up()
    return one, sip_id(call) if call.dialog else ""


async def _end(call: Call, number: int) -> None:
    """Every third caller lets the other side hang up. Raises Unmet."""
    if number % 3 == 0 and call.signalling.dialed == ECHO:
        await call.press("#")
        await call.ended(10.0)
    else:
        await call.hang_up()


async def rested() -> None:
    """Return once the machine has done what it was left with, or after RESTED seconds."""
    psutil.cpu_times_percent()
    ends = time.monotonic() + RESTED
    while time.monotonic() < ends:
        await asyncio.sleep(0.5)
        busy = psutil.cpu_times_percent()
        if busy.user + busy.system < 100 * REST:  # what runs at a lower priority doesn't count
            return


@dataclass(frozen=True, slots=True)
class _Known:
    room: str
    opened: float
    ending: str
    jobs: int


async def _recorded(stack: Stack, calls: Sequence[str]) -> Mapping[str, _Known]:
    """What the records have of the calls, once all are ended or RECORDED_WITHIN is over."""
    ends, found = time.monotonic() + RECORDED_WITHIN, dict[str, _Known]()
    jobs = select(ATTEMPTS.c.call, func.count().label("jobs")).group_by(ATTEMPTS.c.call).subquery()
    query = select(CALLS.c.id, CALLS.c.room, CALLS.c.opened, CALLS.c.ended, CALLS.c.ending, jobs.c.jobs)
    while True:
        async with store.reading(stack.run.database_url) as connection:
            rows = await connection.execute(query.join(jobs, jobs.c.call == CALLS.c.id)) if connection else ()
            found = {str(row.id): _Known(row.room, row.opened or 0.0, row.ending or "", row.jobs) for row in rows}
        if all(found[one].ending for one in calls if one in found) and found.keys() >= set(calls):
            return found
        if time.monotonic() > ends:
            return found
        await asyncio.sleep(0.5)


def _with(one: Placed, known: _Known | None, tap: Tap) -> Placed:
    if known is None:
        return one
    at = tap.joined.get(known.room)
    joined = at - known.opened if at is not None and known.opened else None
    return replace(one, joined=joined, jobs=known.jobs, ending=known.ending)
