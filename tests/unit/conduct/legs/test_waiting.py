"""A call's place in a line, on the memory members, which the contract holds to what Redis does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from gateway.calls.acts.cues import Offered, Standing
from gateway.calls.acts.deeds import Enter, Release
from gateway.calls.people.members import Member, Place, Stage, Waiting
from gateway.calls.people.memory_members import MemoryMembers
from gateway.calls.people.roster import MemoryRosters, Roster
from gateway.conduct.legs import waiting
from gateway.conduct.legs.waiting import FRESH, LOST, Line, standing
from gateway.errors import OurFault, Unavailable
from gateway.terms.act import Callee
from gateway.terms.call import CallId

START = 1764000000.25
ANA, BEN = Callee("ana", "+15105550111"), Callee("ben", "sip:ben@pbx")
EVE = Callee("eve", "")
DESK = Roster("desk", (ANA, BEN), "linear", 15.0, 60.0)
CALL, OTHER = CallId("SCL_1"), CallId("SCL_2")


class Members(MemoryMembers):
    """A store that can be down, or slow to tell what it has reserved."""

    down = False
    slow: asyncio.Event | None = None

    async def beat(
        self, call: CallId, epoch: int, team: str, since: float, names: Sequence[str], now: float
    ) -> Place | None:
        if self.down:
            raise Unavailable("down")
        return await super().beat(call, epoch, team, since, names, now)

    async def release(
        self, call: CallId, epoch: int, team: str, name: str, now: float, *, took: bool, missed: bool
    ) -> None:
        if self.down:
            raise Unavailable("down")
        await super().release(call, epoch, team, name, now, took=took, missed=missed)

    async def reserve(self, call: CallId, epoch: int, team: str, order: Sequence[str], now: float, **how: object) -> tuple[str, ...]:  # type: ignore[override] # fmt: skip
        got = await super().reserve(call, epoch, team, order, now, **how)  # type: ignore[arg-type]
        if self.slow is not None and got:
            self.slow.set()
            await asyncio.sleep(0)
        return got


@dataclass
class Lab:
    """One line, and what it has told."""

    members: Members
    rosters: MemoryRosters
    live: set[str]
    now: float = START
    told: asyncio.Queue[Standing | Offered] = field(default_factory=asyncio.Queue)

    def line(self, call: CallId = CALL, epoch: int = 1) -> Line:
        self.live.add(call)
        told = self.told if call == CALL else asyncio.Queue()
        return Line(self.members, self.rosters, call, epoch, told.put_nowait, clock=lambda: self.now)

    async def next(self, kind: type[Standing | Offered]) -> Standing | Offered:
        async with asyncio.timeout(5):
            while not isinstance(one := await self.told.get(), kind):
                pass
        return one

    async def until(self, *stages: Stage) -> None:
        async with asyncio.timeout(5):
            while tuple([one.stage(self.now) for one in await self.members.look(["ana", "ben"], self.now)]) != stages:
                await asyncio.sleep(0)


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    monkeypatch.setattr(waiting, "LOOK", 0.005)
    live: set[str] = set()
    lab = Lab(Members(live.__contains__), MemoryRosters(), live)
    await lab.rosters.put({"desk": DESK})
    yield lab


async def test_a_caller_is_told_the_place_and_gets_whose_turn_it_is(lab: Lab) -> None:
    async with lab.line() as line:
        line.enter(Enter("desk", START))
        assert await lab.next(Standing) == Standing(1, 0.0)
        assert await lab.next(Offered) == Offered((ANA,), 15.0)
        await lab.until(Stage.RINGING, Stage.FREE)


async def test_a_missed_call_goes_to_the_next(lab: Lab) -> None:
    async with lab.line() as line:
        line.enter(Enter("desk", START))
        await lab.next(Offered)
        line.release(Release("desk", "ana", took=False, missed=True))
        assert await lab.next(Offered) == Offered((BEN,), 15.0)
        [ana] = await lab.members.look(["ana"], START)
        assert (ana.missed, ana.stage(START)) == (1, Stage.WRAP_UP)


async def test_all_ring_at_once_where_the_plan_says_so(lab: Lab) -> None:
    await lab.rosters.put({"desk": replace(DESK, ring="ringall")})
    async with lab.line() as line:
        line.enter(Enter("desk", START))
        assert await lab.next(Offered) == Offered((ANA, BEN), 15.0)


async def test_a_talk_is_kept_until_it_is_released(lab: Lab) -> None:
    async with lab.line() as line:
        line.enter(Enter("desk", START))
        await lab.next(Offered)
        line.exit("desk")
        await lab.until(Stage.TALKING, Stage.FREE)
        assert await lab.members.waiting("desk", START) == Waiting(0, None)
        lab.now += 3600
        line.release(Release("desk", "ana", took=True))
        await lab.until(Stage.WRAP_UP, Stage.FREE)


async def test_who_is_rung_back_stays_the_calls_while_another_leg_is_connected(lab: Lab) -> None:
    async with lab.line() as line, lab.line(OTHER) as other:
        line.enter(Enter("desk", START))
        await lab.next(Offered)
        assert await line.claim()
        line.exit("desk")
        await lab.until(Stage.TALKING, Stage.FREE)
        assert await line.claim()
        other.enter(Enter("desk", START))
        await lab.until(Stage.TALKING, Stage.RINGING)
        line.release(Release("desk", "ana", took=True))
        await lab.until(Stage.WRAP_UP, Stage.RINGING)


async def test_what_is_asked_for_at_the_end_is_done(lab: Lab) -> None:
    async with lab.line() as line:
        line.enter(Enter("desk", START))
        await lab.next(Offered)
        line.exit("desk")
        line.release(Release("desk", "ana", took=False))
    assert await lab.members.look(["ana"], START) == [Member("ana")]
    assert await lab.members.waiting("desk", START) == Waiting(0, None)


async def test_it_ends_as_soon_as_what_was_asked_for_is_done(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LOOK", 60.0)
    async with lab.line() as line:
        line.enter(Enter("desk", START))
        await lab.next(Offered)
        line.exit("desk")
        line.release(Release("desk", "ana", took=False))
        leaves = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - leaves < waiting.LEAVE_WITHIN / 2
    await lab.until(Stage.FREE, Stage.FREE)


async def test_a_job_that_goes_leaves_the_place_to_the_next(lab: Lab) -> None:
    async with lab.line() as line:
        line.enter(Enter("desk", START))
        await lab.next(Offered)
    assert await lab.members.waiting("desk", START) == Waiting(1, START)
    async with lab.line(epoch=2) as line:
        line.enter(Enter("desk", START))
        assert await lab.next(Offered) == Offered((ANA,), 15.0), "whom the call holds is told again"


async def test_a_replaced_job_is_told_nothing_more(lab: Lab) -> None:
    async with lab.line() as old:
        old.enter(Enter("desk", START))
        await lab.next(Offered)
        await lab.members.beat(CALL, 2, "desk", START, [], START)
        assert not await old.claim()
        old.release(Release("desk", "ana", took=False))
    await lab.until(Stage.RINGING, Stage.FREE)


async def test_who_is_reserved_while_the_caller_leaves_is_given_back(lab: Lab) -> None:
    lab.members.slow = asyncio.Event()
    async with lab.line() as line:
        line.enter(Enter("desk", START))
        async with asyncio.timeout(5):
            await lab.members.slow.wait()
        line.exit("desk")
    await lab.until(Stage.FREE, Stage.FREE)
    assert all(isinstance(lab.told.get_nowait(), Standing) for _ in range(lab.told.qsize())), "nobody was offered"


async def test_a_standing_is_told_when_it_changes_and_from_time_to_time(lab: Lab) -> None:
    await lab.rosters.put({"desk": replace(DESK, members=(ANA,))})
    async with lab.line(OTHER) as other, lab.line() as line:
        other.enter(Enter("desk", START - 10))
        await lab.until(Stage.RINGING, Stage.FREE)
        line.enter(Enter("desk", START))
        assert await lab.next(Standing) == Standing(2, None)
        assert lab.told.empty()
        lab.now += FRESH
        assert await lab.next(Standing) == Standing(2, None)
        other.exit("desk")
        assert await lab.next(Standing) == Standing(1, None)


async def test_nobody_on_duty_is_told(lab: Lab) -> None:
    await lab.rosters.put({"desk": replace(DESK, members=())})
    async with lab.line() as line:
        line.enter(Enter("desk", START))
        assert await lab.next(Standing) == Standing(1, None, staffed=False)


async def test_a_team_without_a_roster_counts_as_nobodys_after_a_while(lab: Lab) -> None:
    await lab.rosters.put({})
    async with lab.line() as line:
        line.enter(Enter("desk", START))
        async with asyncio.timeout(5):
            while (await lab.members.waiting("desk", START)).calls == 0:
                await asyncio.sleep(0)
        assert lab.told.empty()
        lab.now += LOST
        assert await lab.next(Standing) == Standing(1, None, staffed=False)
        await lab.rosters.put({"desk": DESK})
        assert await lab.next(Offered) == Offered((ANA,), 15.0)


async def test_a_roster_that_cannot_be_read_is_none(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(team: str) -> Roster | None:
        raise OurFault(team)

    monkeypatch.setattr(lab.rosters, "get", broken)
    async with lab.line() as line:
        line.enter(Enter("desk", START))
        async with asyncio.timeout(5):
            while (await lab.members.waiting("desk", START)).calls == 0:
                await asyncio.sleep(0)


async def test_what_the_store_cannot_do_is_done_when_it_answers_again(lab: Lab) -> None:
    async with lab.line() as line:
        line.enter(Enter("desk", START))
        await lab.next(Offered)
        lab.members.down = True
        line.release(Release("desk", "ana", took=False, missed=True))
        await lab.until(Stage.RINGING, Stage.FREE)
        lab.members.down = False
        assert await lab.next(Offered) == Offered((BEN,), 15.0)


async def test_a_line_ends_in_time_though_the_store_does_not_answer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LEAVE_WITHIN", 0.02)
    async with asyncio.timeout(5), lab.line() as line:
        line.enter(Enter("desk", START))
        await lab.next(Offered)
        lab.members.down = True
        line.release(Release("desk", "ana", took=False))


async def test_a_cancelled_owner_leaves_no_task_behind(lab: Lab) -> None:
    begun = asyncio.Event()

    async def own() -> None:
        async with lab.line() as line:
            line.enter(Enter("desk", START))
            begun.set()
            await asyncio.Event().wait()

    before = asyncio.all_tasks()
    owner = asyncio.create_task(own())
    async with asyncio.timeout(5):
        await begun.wait()
        owner.cancel()
        await asyncio.wait([owner])
    assert owner.cancelled()
    assert asyncio.all_tasks() == before


def test_a_standing_counts_who_serves_and_who_is_free() -> None:
    talking, ringing = Member("ana", call="c", since=1.0), Member("ben", call="d")
    paused = Member("chi", paused=START + 1)
    assert standing(Place(3, [talking, ringing], talk=120.0), 0.0, START) == Standing(3, 120.0)
    assert standing(Place(1, [talking, paused], talk=120.0), 0.0, START) == Standing(1, 120.0)
    assert standing(Place(1, [paused], talk=120.0), 0.0, START) == Standing(1, None, staffed=False)
    assert standing(Place(1, [talking], talk=120.0), 60.0, START) == Standing(1, 180.0), (
        "members are busy in wrap-up too"
    )
    assert standing(Place(1, [talking]), 60.0, START) == Standing(1, None), "nobody knows before the first talk"


async def test_who_came_first_stays_first_though_the_store_was_away_for_longer_than_it_keeps_places(lab: Lab) -> None:
    """The first that finds it again finds nobody before it."""
    lab.members.down = True
    async with lab.line() as line:
        line.enter(Enter("desk", START + 1))
        await asyncio.sleep(0.02)
        lab.members.down = False
        await lab.next(Standing)
        assert await lab.members.look(["ana", "ben"], lab.now) == [Member("ana"), Member("ben")], "nobody is taken yet"
        await lab.rosters.put({"desk": replace(DESK, members=(ANA,))})
        lab.live.add(OTHER)
        async with Line(
            lab.members, lab.rosters, OTHER, 1, (others := asyncio.Queue[Standing | Offered]()).put_nowait,
            clock=lambda: lab.now,
        ) as other:  # fmt: skip
            other.enter(Enter("desk", START))
            async with asyncio.timeout(5):
                while not isinstance(await others.get(), Offered):
                    pass
            lab.now += waiting.SETTLED
            assert await lab.next(Standing) == Standing(2, None)


async def test_a_line_that_offers_each_once_tells_when_nobody_is_left(lab: Lab) -> None:
    async with lab.line() as line:
        line.enter(Enter("desk", START, once=True))
        assert await lab.next(Standing) == Standing(1, 0.0, free=2)
        assert await lab.next(Offered) == Offered((ANA,), 15.0)
        assert await lab.next(Standing) == Standing(1, 0.0, free=1)
        line.release(Release("desk", "ana", took=False))
        assert await lab.next(Offered) == Offered((BEN,), 15.0)
        assert await lab.next(Standing) == Standing(1, 0.0, free=0)
        line.release(Release("desk", "ben", took=False))
        lab.now += 10.0
        await lab.until(Stage.FREE, Stage.FREE)
        await asyncio.sleep(0.05)
        assert lab.told.empty() or all(isinstance(lab.told.get_nowait(), Standing) for _ in range(lab.told.qsize()))


async def test_whoever_was_rung_before_another_job_took_over_isnt_offered_again(lab: Lab) -> None:
    async with lab.line() as line:
        line.enter(Enter("desk", START, once=True, past=("ana",)))
        assert await lab.next(Standing) == Standing(1, 0.0, free=1)
        assert await lab.next(Offered) == Offered((BEN,), 15.0)


@pytest.mark.parametrize(("browsers", "offered"), [((), BEN), (("eve",), EVE)])
async def test_who_has_no_phone_is_offered_to_those_who_can_reach_them(
    lab: Lab, browsers: tuple[str, ...], offered: Callee
) -> None:
    await lab.rosters.put({"desk": replace(DESK, members=(EVE, BEN))})
    async with lab.line() as line:
        line.enter(Enter("desk", START, once=True, browsers=browsers))
        assert await lab.next(Offered) == Offered((offered,), 15.0)
