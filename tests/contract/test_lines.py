"""Many callers in one line, each with a job's machine and line of its own, on memory and on a real Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from redis.asyncio import Redis

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.queue import Queue
from gateway.calls.people.members import Members, Stage, Waiting
from gateway.calls.people.memory_members import MemoryMembers
from gateway.calls.people.redis_members import RedisMembers
from gateway.calls.people.redis_roster import RedisRosters
from gateway.calls.people.roster import MemoryRosters, Roster, Rosters
from gateway.conduct.legs import waiting
from gateway.conduct.legs.waiting import Line
from gateway.terms.act import Callee, Onward, Over, Wait
from gateway.terms.call import CallId

NAMES = ("ana", "ben", "chi")
DESK = Roster("desk", tuple(Callee(name, f"sip:{name}@pbx") for name in NAMES), "ringall", 20.0)
WAIT = Wait("desk", at_most=60.0, press="1")


@dataclass
class Phones:
    """The members' phones: one call at a time, answered after a few turns of the loop."""

    answers: frozenset[str] = frozenset(NAMES)
    busy: dict[str, str] = field(default_factory=dict)
    clashes: int = 0
    rung: list[str] = field(default_factory=list)


class Caller:
    """One job: a machine, a line, and the phones it rings."""

    def __init__(self, call: CallId, members: Members, rosters: Rosters, phones: Phones, talk: asyncio.Event) -> None:
        self.call, self.phones, self.talk = call, phones, talk
        self.events: asyncio.Queue[cues.Event] = asyncio.Queue()
        self.line = Line(members, rosters, call, 1, self.events.put_nowait)
        self.machine = Queue(WAIT)
        self.names: dict[str, str] = {}
        self.connected = 0.0
        self.outcome: Onward | Over | None = None
        self.phoning: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        async with self.line:
            await self._on(cues.Begun())
            while self.outcome is None:
                await self._on(await self.events.get())
        for one in self.phoning:
            one.cancel()

    async def _on(self, event: cues.Event) -> None:
        self.machine, effects = self.machine.on(event, time.time())
        for effect in effects:
            await self._do(effect)

    async def _do(self, effect: deeds.Effect) -> None:
        match effect:
            case deeds.Enter():
                self.line.enter(effect)
            case deeds.Exit(team):
                self.line.exit(team)
            case deeds.Release():
                self.line.release(effect)
            case deeds.Dial(leg, callee):
                self.names[leg] = callee.name
                self.phones.rung.append(callee.name)
                if callee.name in self.phones.busy:
                    self.phones.clashes += 1
                self.phones.busy[callee.name] = leg
                if callee.name in self.phones.answers:
                    self.phoning.add(asyncio.create_task(self._answer(leg)))
            case deeds.Drop(leg):
                self._hang_up(leg)
            case deeds.Connect(leg):
                assert await self.line.claim()
                self.connected = time.monotonic()
                self.phoning.add(asyncio.create_task(self._talk(leg)))
            case deeds.Finish(outcome):
                self.outcome = outcome

    async def _answer(self, leg: str) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        if self.phones.busy.get(self.names[leg]) == leg:
            self.events.put_nowait(cues.LegAnswered(leg))

    async def _talk(self, leg: str) -> None:
        await self.talk.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        self._hang_up(leg)
        self.events.put_nowait(cues.LegLeft(leg))

    def _hang_up(self, leg: str) -> None:
        if self.phones.busy.get(self.names[leg]) == leg:
            del self.phones.busy[self.names[leg]]


@dataclass
class Lab:
    """One store, and who calls."""

    members: Members
    rosters: Rosters
    redis: Redis | None
    live: set[str]
    phones: Phones = field(default_factory=Phones)
    talk: asyncio.Event = field(default_factory=asyncio.Event)

    async def caller(self, n: int) -> Caller:
        call = CallId(f"SCL_{n:02}")
        self.live.add(call)
        if self.redis is not None:
            await self.redis.sadd("offhook:live", call)
        return Caller(call, self.members, self.rosters, self.phones, self.talk)


@pytest.fixture(params=["memory", "redis"])
async def lab(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    monkeypatch.setattr(waiting, "LOOK", 0.02)
    live: set[str] = set()
    if request.param == "memory":
        yield Lab(MemoryMembers(live.__contains__), MemoryRosters(), None, live)
        return
    async with Redis.from_url(request.getfixturevalue("redis_url"), socket_timeout=None) as client:
        await client.flushall()
        yield Lab(RedisMembers(client), RedisRosters(client), client, live)


async def served(lab: Lab, callers: list[Caller]) -> None:
    """Let the callers come one after the other, each when the one before stands in the line or talks, and be served."""
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for n, caller in enumerate(callers, start=1):
            group.create_task(caller.run())
            while await arrived(lab, callers) < n:
                await asyncio.sleep(0)
        lab.talk.set()


async def arrived(lab: Lab, callers: list[Caller]) -> int:
    in_line = (await lab.members.waiting("desk", time.time())).calls
    return in_line + sum(bool(one.connected) for one in callers)


async def test_one_member_serves_a_whole_line_in_its_order(lab: Lab) -> None:
    await lab.rosters.put({"desk": replace(DESK, members=DESK.members[:1], ring="linear")})
    callers = [await lab.caller(n) for n in range(6)]
    await served(lab, callers)
    times = [caller.connected for caller in callers]
    assert all(before < after for before, after in pairwise(times)), "first come, first served"
    assert lab.phones.clashes == 0
    [ana] = await lab.members.look(["ana"], time.time())
    assert (ana.stage(time.time()), ana.taken) == (Stage.FREE, 6)


@pytest.mark.parametrize("ring", ["ringall", "linear", "rrmemory", "leastrecent", "fewestcalls", "random"])
async def test_everybody_is_served_and_no_phone_rings_twice_at_once(lab: Lab, ring: str) -> None:
    await lab.rosters.put({"desk": replace(DESK, ring=ring)})
    callers = [await lab.caller(n) for n in range(9)]
    lab.talk.set()
    await served(lab, callers)
    assert {type(caller.outcome) for caller in callers} == {Over}
    assert lab.phones.clashes == 0
    assert lab.phones.busy == {}
    members = await lab.members.look(NAMES, time.time())
    assert sum(one.taken for one in members) == 9
    assert [one.stage(time.time()) for one in members] == [Stage.FREE] * 3
    assert await lab.members.waiting("desk", time.time()) == Waiting(0, None)
    assert (await lab.members.look(["ana"], time.time()))[0].missed == 0


async def test_rrmemory_shares_the_calls_evenly(lab: Lab) -> None:
    await lab.rosters.put({"desk": replace(DESK, ring="rrmemory")})
    for n in range(6):
        lab.talk.set()
        await served(lab, [await lab.caller(n)])
    assert lab.phones.rung == [*NAMES, *NAMES]


async def test_a_caller_who_leaves_by_a_key_frees_who_rang(lab: Lab) -> None:
    await lab.rosters.put({"desk": DESK})
    lab.phones.answers = frozenset()
    caller = await lab.caller(1)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(caller.run())
        while len(lab.phones.busy) < 3:
            await asyncio.sleep(0)
        caller.events.put_nowait(cues.Key("1"))
    assert isinstance(caller.outcome, Onward)
    assert lab.phones.busy == {}
    assert {one.stage(time.time()) for one in await lab.members.look(NAMES, time.time())} == {Stage.FREE}


@pytest.mark.parametrize(("first", "rung"), [(True, {"chi"}), (False, set(NAMES))])
async def test_whoever_has_talked_with_the_caller_last_is_rung_first_where_the_team_says_so(
    lab: Lab, first: bool, rung: set[str]
) -> None:
    async def owner() -> str:
        return "chi"

    await lab.rosters.put({"desk": replace(DESK, owner_first=first)})
    caller = await lab.caller(1)
    caller.line = Line(lab.members, lab.rosters, caller.call, 1, caller.events.put_nowait, owner=owner)
    await served(lab, [caller])
    assert set(lab.phones.rung) == rung
