"""Edits under load: a plan is saved again and again while calls come in, and no call may go where no plan in force led.

Each edit makes every number lead to a route that rejects with a status of its own, and writes its number into the route's
name. What a caller hears must be what the version says that the call's record names, and that version must have been in
force when the call came.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from gateway.phone.phone import Phone
from gateway.records.schema import CALLS, PLAN_VERSIONS
from gateway.records.store import reading
from tests.e2e.gateway import Stack

NUMBERS = ("+15105550100", "+15105550101", "+15105550102")
STATUSES = (480, 481, 482, 483, 484, 485, 486, 487, 488, 489, 491, 493)
SLACK = 1.5
"""Seconds that an edit may take to count: a second, and what the look at it takes."""
_RECORDED = 20.0


def plan(edit: int) -> str:
    """The plan after so many edits; each number's status is another than the others'."""
    statuses = [STATUSES[(edit + place) % len(STATUSES)] for place in range(len(NUMBERS))]
    numbers = "".join(f"  {number}: e{edit}n{place}\n" for place, number in enumerate(NUMBERS))
    routes = "".join(f"  e{edit}n{place}: {{reject: {status}}}\n" for place, status in enumerate(statuses))
    return f"offhook: 1\ncountry: US\nnumbers:\n{numbers}routes:\n{routes}"


def expected(route: str) -> int:
    """The status that a route of such a plan rejects with."""
    edit, _, place = route[1:].partition("n")
    return STATUSES[(int(edit) + int(place)) % len(STATUSES)]


@dataclass
class Outcome:
    """What came of it."""

    edits: int = 0
    calls: int = 0
    wrong: list[str] = field(default_factory=list)
    """Calls that went another way, in words."""
    lost: int = 0
    """Calls that got no answer, or another than a plan's."""
    slowest: float = 0.0
    """Seconds from a save to its version."""


async def run(stack: Stack, plans: Path, edits: int, *, pause: float, callers: int, seed: int) -> Outcome:
    """Save `edits` plans, one every `pause` seconds, while `callers` dial without end."""
    rng, outcome, ends = random.Random(seed), Outcome(), asyncio.Event()
    heard: list[tuple[str, str, float, int | None]] = []
    saved: dict[int, float] = {}

    async def dialing(number: int) -> None:
        caller = f"+1415555{number:04}"
        while not ends.is_set():
            async with Phone(stack.sip, caller=caller) as phone:  # its ports are its own until it ends
                dialed, began = rng.choice(NUMBERS), time.time()
                call = await phone.dial(dialed)
                await call.ended(20)
                heard.append((caller, dialed, began, call.signalling.status))

    async with asyncio.TaskGroup() as tasks:
        for number in range(callers):
            tasks.create_task(dialing(number))
        for edit in range(1, edits + 1):
            (plans / "main.yaml").write_text(plan(edit))
            saved[edit] = time.time()
            await asyncio.sleep(pause * rng.uniform(0.5, 1.5))
        await asyncio.sleep(SLACK)
        ends.set()
    outcome.edits, outcome.calls = edits, len(heard)
    outcome.lost = sum(status not in STATUSES for *_, status in heard)
    await _judge(stack, heard, saved, outcome)
    return outcome


async def _judge(
    stack: Stack, heard: Sequence[tuple[str, str, float, int | None]], saved: Mapping[int, float], outcome: Outcome
) -> None:
    """Hold every call against its record, and against the versions of the time."""
    rows, versions = await _recorded(stack, len(heard))
    in_force = {str(row["content"]): float(str(row["effective"])) for row in versions}
    left: dict[tuple[str, str], list[Mapping[str, object]]] = {}
    for row in rows:
        left.setdefault((str(row["caller"]), str(row["dialed"])), []).append(row)
    for caller, dialed, began, status in heard:
        same = left.get((caller, dialed), [])
        if not same:
            outcome.wrong.append(f"a call to {dialed} has no record")
            continue
        row = same.pop(0)
        route, version = str(row["route"]), str(row["plan"])
        if status != expected(route):
            outcome.wrong.append(f"{route} should reject with {expected(route)}, the caller got {status}")
        if NUMBERS[int(route.partition("n")[2])] != dialed:
            outcome.wrong.append(f"{dialed} went to {route}")
        since = in_force.get(version)
        if since is None or since > float(str(row["opened"])) + 0.1:
            outcome.wrong.append(f"a call of {began:.1f} was routed by version {version}, not yet in force")
        newer = [edit for edit, at in saved.items() if at + SLACK < float(str(row["opened"]))]
        if newer and int(route[1:].partition("n")[0]) < max(newer):
            outcome.wrong.append(f"{route} was old: edit {max(newer)} had been saved for more than {SLACK} s")
    first = {str(row["content"]): float(str(row["made"])) for row in reversed(versions)}
    outcome.slowest = max(
        (min(first.values(), key=lambda made: abs(made - at)) - at for at in saved.values()), default=0.0
    )


async def _recorded(stack: Stack, wanted: int) -> tuple[list[Mapping[str, object]], list[Mapping[str, object]]]:
    """The records of all calls, oldest first, once they are written, and the versions, newest first."""
    ends = time.monotonic() + _RECORDED
    while True:
        async with reading(stack.run.database_url) as connection:
            assert connection is not None
            query = select(CALLS).where(CALLS.c.reject_status.is_not(None)).order_by(CALLS.c.opened)
            rows = [dict(row) for row in (await connection.execute(query)).mappings()]
            listed = select(PLAN_VERSIONS).order_by(PLAN_VERSIONS.c.number.desc())
            versions = [dict(row) for row in (await connection.execute(listed)).mappings()]
        if len(rows) >= wanted or time.monotonic() > ends:
            return rows, versions
        await asyncio.sleep(0.3)
