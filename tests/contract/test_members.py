"""The members' contract, on memory and on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from gateway.calls.people.members import MISSES, PAUSE, REST, TTL, Member, Members, Place, Stage, Waiting
from gateway.calls.people.memory_members import MemoryMembers
from gateway.calls.people.redis_members import RedisMembers
from gateway.errors import Unavailable
from gateway.redis_client import PROTOCOL, open_client
from gateway.terms.call import CallId
from tests.e2e.servers import free_port

NOW = 1764000000.25
FIRST, SECOND, THIRD = CallId("SCL_1"), CallId("SCL_2"), CallId("SCL_3")
TEAM = ("ana", "ben", "chi")
DAY = "2025-11-24"


@dataclass
class Lab:
    """A store, and what makes calls live and end."""

    members: Members
    live: Callable[[CallId, bool], Awaitable[None]]

    async def enter(self, *calls: CallId, team: str = "desk", names: tuple[str, ...] = TEAM, at: float = NOW) -> None:
        for n, call in enumerate(calls):
            await self.live(call, True)
            assert await self.members.beat(call, 1, team, NOW + n, names, at)

    async def take(
        self,
        call: CallId,
        *order: str,
        at: float = NOW,
        team: str = "desk",
        everyone: bool = False,
        wrap_up: float = 60.0,
        epoch: int = 1,
        day: str = DAY,
    ) -> tuple[str, ...]:
        return await self.members.reserve(
            call, epoch, team, order or TEAM, at, everyone=everyone, wrap_up=wrap_up, day=day
        )

    async def free(
        self, call: CallId, name: str, at: float = NOW, *, took: bool = False, missed: bool = False, epoch: int = 1
    ) -> None:
        await self.members.release(call, epoch, "desk", name, at, took=took, missed=missed)

    async def stages(self, at: float = NOW, *names: str) -> list[Stage]:
        return [one.stage(at) for one in await self.members.look(names or TEAM, at)]

    async def beat(self, call: CallId, at: float, epoch: int = 1, since: float = NOW) -> Place:
        place = await self.members.beat(call, epoch, "desk", since, TEAM, at)
        assert place
        return place


def in_memory() -> Lab:
    alive: set[CallId] = set()

    async def live(call: CallId, lives: bool) -> None:
        (alive.add if lives else alive.discard)(call)

    return Lab(MemoryMembers(alive.__contains__), live)


def in_redis(client: Redis) -> Lab:
    async def live(call: CallId, lives: bool) -> None:
        await (client.sadd if lives else client.srem)("offhook:live", call)

    return Lab(RedisMembers(client), live)


@pytest.fixture(params=["memory", "redis", "redis-resp3-text"])
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    if request.param == "memory":
        yield in_memory()
        return
    options = {"protocol": 3, "decode_responses": True} if "resp3" in request.param else {"protocol": PROTOCOL}
    client = Redis.from_url(request.getfixturevalue("redis_url"), socket_timeout=None, **options)
    await client.flushall()
    yield in_redis(client)
    await client.aclose()


async def test_who_came_first_stands_first_wherever_they_are_asked_for(lab: Lab) -> None:
    await lab.enter(SECOND, FIRST, THIRD)
    places = [await lab.beat(call, NOW, since=NOW + n) for n, call in enumerate((SECOND, FIRST, THIRD))]
    assert [place.position for place in places] == [1, 2, 3]
    assert await lab.members.waiting("desk", NOW) == Waiting(3, NOW)
    assert await lab.members.waiting("empty", NOW) == Waiting(0, None)


async def test_of_two_who_came_at_once_one_is_first(lab: Lab) -> None:
    for call in (SECOND, FIRST):
        await lab.live(call, True)
        await lab.beat(call, NOW)
    assert [(await lab.beat(call, NOW)).position for call in (FIRST, SECOND)] == [1, 2]


async def test_who_is_rung_directly_is_nobody_elses_to_ring(lab: Lab) -> None:
    await lab.enter(FIRST)
    await lab.live(SECOND, True)
    assert await lab.members.hold(SECOND, 1, "ana", NOW, talks=False)
    assert await lab.stages() == [Stage.RINGING, Stage.FREE, Stage.FREE]
    assert await lab.take(FIRST, everyone=True) == ("ben", "chi")
    assert not await lab.members.hold(SECOND, 1, "ben", NOW, talks=False), "a team rings them"
    assert await lab.stages(NOW + TTL) == [Stage.FREE] * 3, "its job has died"
    assert await lab.members.hold(SECOND, 1, "ana", NOW + 1, talks=False)
    assert (await lab.stages(NOW + TTL))[0] is Stage.RINGING


async def test_a_direct_talk_lasts_as_long_as_its_call_and_counts_for_no_team(lab: Lab) -> None:
    await lab.enter(FIRST)
    await lab.live(SECOND, True)
    await lab.members.hold(SECOND, 1, "ana", NOW, talks=False)
    await lab.members.hold(SECOND, 1, "ana", NOW + 5, talks=True)
    assert await lab.members.hold(SECOND, 1, "ana", NOW + 9, talks=True)
    [ana] = await lab.members.look(["ana"], NOW + 3600)
    assert (ana.stage(NOW + 3600), ana.call, ana.since) == (Stage.TALKING, SECOND, NOW + 5)
    await lab.members.release(SECOND, 1, "", "ana", NOW + 3600, took=True, missed=False)
    [ana] = await lab.members.look(["ana"], NOW + 3600)
    assert ana == Member("ana", ended=NOW + 3600)
    assert (await lab.beat(FIRST, NOW + 3600)).talk is None


@pytest.mark.parametrize("talks", [False, True])
async def test_a_direct_call_that_ends_frees_whom_it_held(lab: Lab, talks: bool) -> None:
    await lab.live(FIRST, True)
    await lab.members.hold(FIRST, 1, "ana", NOW, talks=talks)
    await lab.members.forget(FIRST, NOW + 5)
    [ana] = await lab.members.look(["ana"], NOW + 5)
    assert (ana.stage(NOW + 5), ana.ended, ana.taken) == (Stage.FREE, NOW + 5 if talks else 0.0, 0)


async def test_a_job_that_was_replaced_and_a_call_that_is_over_hold_nobody(lab: Lab) -> None:
    assert not await lab.members.hold(FIRST, 1, "ana", NOW, talks=False)
    await lab.live(FIRST, True)
    assert await lab.members.hold(FIRST, 2, "ana", NOW, talks=False)
    assert not await lab.members.hold(FIRST, 1, "ben", NOW, talks=False)
    await lab.members.release(FIRST, 1, "", "ana", NOW, took=False, missed=False)
    assert await lab.stages(NOW, "ana", "ben") == [Stage.RINGING, Stage.FREE]
    await lab.members.release(FIRST, 2, "", "ana", NOW, took=False, missed=False)
    assert await lab.stages(NOW, "ana") == [Stage.FREE]


async def test_a_place_is_known_whole(lab: Lab) -> None:
    await lab.enter(FIRST)
    assert await lab.beat(FIRST, NOW) == Place(1, [Member(name) for name in TEAM])
    assert await lab.take(FIRST, "ben", "ana", at=NOW + 1) == ("ben",)
    place = await lab.beat(FIRST, NOW + 1)
    ben = Member("ben", call=FIRST)
    assert place == Place(1, [Member("ana"), ben, Member("chi")], frozenset({"ben"}), {"ben": 1}, "ben")


async def test_one_at_a_time_is_taken_in_order_and_never_twice(lab: Lab) -> None:
    await lab.enter(FIRST, SECOND)
    assert await lab.take(FIRST, "chi", "ana") == ("chi",)
    assert await lab.take(FIRST, "chi", "ana") == (), "it rings somebody already"
    assert await lab.take(SECOND, "chi", "ana") == ("ana",), "chi is another's"
    assert await lab.stages() == [Stage.RINGING, Stage.FREE, Stage.RINGING]


async def test_a_call_behind_gets_only_who_is_left_over(lab: Lab) -> None:
    await lab.enter(FIRST, SECOND, THIRD)
    assert await lab.take(THIRD, "ana", "ben") == (), "two are free, and two calls ahead need them"
    assert await lab.take(THIRD) == ("ana",), "three are free"
    assert await lab.take(SECOND, "ben") == (), "the first needs ben"
    assert await lab.take(FIRST, "ben") == ("ben",)
    assert await lab.take(SECOND, "ben", "chi") == ("chi",), "both ahead ring somebody"


async def test_all_who_are_free_ring_for_the_first(lab: Lab) -> None:
    await lab.enter(FIRST, SECOND)
    assert await lab.take(SECOND, everyone=True) == (), "the first rings nobody yet"
    assert await lab.take(FIRST, everyone=True) == TEAM
    assert await lab.take(SECOND, everyone=True) == ()
    await lab.free(FIRST, "ben")
    assert await lab.take(FIRST, everyone=True, at=NOW + REST) == ("ben",), "one who is free again rings, too"


async def test_of_many_replicas_one_reserves(lab: Lab) -> None:
    calls = [CallId(f"SCL_{n}") for n in range(8)]
    await lab.enter(*calls)
    found = await asyncio.gather(*(lab.take(call) for call in calls for _ in range(3)))
    names = [name for taken in found for name in taken]
    assert len(names) == len(set(names)) <= 3
    assert any("ana" in taken for taken in found[:3]), "the first gets somebody"


async def test_a_member_is_one_person_in_all_teams(lab: Lab) -> None:
    await lab.enter(FIRST)
    await lab.enter(SECOND, team="sales")
    assert await lab.take(FIRST, "ana") == ("ana",)
    assert await lab.take(SECOND, "ana", team="sales") == ()
    await lab.members.leave(FIRST, 1, "desk", NOW)
    assert await lab.take(SECOND, "ana", team="sales") == ()


async def test_nobody_is_reserved_for_a_call_that_is_not_in_the_line(lab: Lab) -> None:
    await lab.enter(FIRST)
    await lab.members.leave(FIRST, 1, "desk", NOW)
    assert await lab.take(FIRST) == ()
    assert await lab.take(SECOND) == ()


async def test_what_a_dead_job_held_goes_and_what_a_living_one_holds_stays(lab: Lab) -> None:
    await lab.enter(FIRST, SECOND)
    await lab.take(FIRST, "ana")
    await lab.take(SECOND, "ben")
    later = NOW + TTL - 1
    await lab.beat(SECOND, later, since=NOW + 1)
    assert await lab.stages(later) == [Stage.RINGING, Stage.RINGING, Stage.FREE]
    later = NOW + TTL + 1
    assert await lab.stages(later) == [Stage.FREE, Stage.RINGING, Stage.FREE]
    assert await lab.members.waiting("desk", later) == Waiting(1, NOW + 1)
    place = await lab.beat(FIRST, later)
    assert (place.position, place.mine) == (1, {"ana"}), "a job that takes over finds the old place"


async def test_who_lapsed_and_was_not_taken_is_kept_by_a_call_that_is_back(lab: Lab) -> None:
    await lab.enter(FIRST, SECOND)
    await lab.take(FIRST, "ana", "ben", everyone=True)
    later = NOW + TTL + 1
    await lab.beat(SECOND, later, since=NOW + 1)
    assert await lab.take(SECOND, "ben", at=later) == ("ben",)
    assert (await lab.beat(FIRST, later)).mine == {"ana"}
    assert await lab.stages(later) == [Stage.RINGING, Stage.RINGING, Stage.FREE]
    later += TTL + 1
    await lab.members.leave(FIRST, 1, "desk", later)
    [ana] = await lab.members.look(["ana"], later)
    assert (ana.stage(later), ana.since) == (Stage.TALKING, later)


async def test_a_talk_outlives_every_beat_and_ends_with_the_call(lab: Lab) -> None:
    await lab.enter(FIRST)
    await lab.take(FIRST, "ana")
    await lab.members.leave(FIRST, 1, "desk", NOW + 5)
    hours = NOW + 7200
    [ana] = await lab.members.look(["ana"], hours)
    assert (ana.stage(hours), ana.since, ana.call) == (Stage.TALKING, NOW + 5, FIRST)
    await lab.live(FIRST, False)
    assert await lab.stages(hours, "ana") == [Stage.FREE]


async def test_a_talk_is_followed_by_peace_and_counts(lab: Lab) -> None:
    await lab.enter(FIRST)
    await lab.take(FIRST, "ana", "ben", everyone=True)
    await lab.members.leave(FIRST, 1, "desk", NOW + 5)
    await lab.free(FIRST, "ben", NOW + 5)
    assert await lab.stages(NOW + 5) == [Stage.TALKING, Stage.FREE, Stage.FREE], "who lost is free at once"
    await lab.free(FIRST, "ana", NOW + 105, took=True)
    [ana] = await lab.members.look(["ana"], NOW + 105)
    assert ana == Member("ana", rest=NOW + 165, ended=NOW + 105, taken=1, day=DAY)
    assert [ana.stage(NOW + 164), ana.stage(NOW + 165)] == [Stage.WRAP_UP, Stage.FREE]
    assert (ana.taken_on(DAY), ana.taken_on("2025-11-25")) == (1, 0)
    await lab.free(FIRST, "ana", NOW + 110, took=True)
    assert await lab.members.look(["ana"], NOW + 105) == [ana], "it counts once"


async def test_calls_are_counted_by_the_day_and_talks_averaged(lab: Lab) -> None:
    for n, (day, talk) in enumerate(((DAY, 100.0), (DAY, 200.0), ("2025-11-25", 120.0))):
        call, at = CallId(f"SCL_{n}"), NOW + 1000 * n
        await lab.enter(call, at=at)
        assert await lab.take(call, "ana", at=at, day=day) == ("ana",)
        await lab.members.leave(call, 1, "desk", at)
        await lab.free(call, "ana", at + talk, took=True)
    [ana] = await lab.members.look(["ana"], NOW)
    assert (ana.taken, ana.day) == (1, "2025-11-25")
    await lab.enter(THIRD, at=NOW + 5000)
    assert (await lab.beat(THIRD, NOW + 5000)).talk == pytest.approx(120.0)


async def test_three_calls_missed_in_a_row_pause_a_member(lab: Lab) -> None:
    await lab.enter(FIRST)
    for n in range(MISSES):
        at = NOW + n * REST
        await lab.beat(FIRST, at)
        assert await lab.take(FIRST, "ana", at=at) == ("ana",)
        await lab.free(FIRST, "ana", at, missed=True)
        assert await lab.take(FIRST, "ana", at=at) == (), "not at once again"
    paused = NOW + 2 * REST
    assert await lab.stages(paused + PAUSE - 1, "ana") == [Stage.PAUSED]
    assert await lab.stages(paused + PAUSE, "ana") == [Stage.FREE]
    [ana] = await lab.members.look(["ana"], paused + PAUSE)
    assert ana.missed == 0


async def test_a_call_taken_between_two_missed_ones_counts_anew(lab: Lab) -> None:
    for n, missed in enumerate((True, True, False, True)):
        call, at = CallId(f"SCL_{n}"), NOW + 100 * n
        await lab.enter(call, at=at)
        assert await lab.take(call, "ana", at=at, wrap_up=0) == ("ana",)
        await lab.members.leave(call, 1, "desk", at)
        await lab.free(call, "ana", at, took=not missed, missed=missed)
    [ana] = await lab.members.look(["ana"], NOW + 1000)
    assert (ana.missed, ana.stage(NOW + 1000)) == (1, Stage.FREE)


async def test_a_busy_phone_rests_while_the_call_waits_on(lab: Lab) -> None:
    await lab.enter(FIRST)
    await lab.take(FIRST, "ana")
    await lab.free(FIRST, "ana")
    assert await lab.stages(NOW + REST - 0.5, "ana") == [Stage.WRAP_UP]
    assert await lab.take(FIRST, "ana", at=NOW + REST) == ("ana",)
    [ana] = await lab.members.look(["ana"], NOW + REST)
    assert ana.missed == 0


async def test_whom_a_call_does_not_hold_it_does_not_free(lab: Lab) -> None:
    await lab.enter(FIRST, SECOND)
    await lab.take(FIRST, "ana")
    await lab.free(SECOND, "ana", missed=True)
    assert await lab.members.look(["ana"], NOW) == [Member("ana", call=FIRST)]


async def test_an_ended_call_leaves_nothing_behind(lab: Lab) -> None:
    await lab.enter(FIRST, SECOND)
    await lab.take(FIRST, "ana")
    await lab.take(SECOND, "ben")
    await lab.members.leave(SECOND, 1, "desk", NOW + 5)
    for call in (FIRST, SECOND):
        await lab.live(call, False)
        await lab.members.forget(call, NOW + 65)
        await lab.members.forget(call, NOW + 70)
    assert await lab.members.waiting("desk", NOW + 1) == Waiting(0, None)
    ana, ben = await lab.members.look(["ana", "ben"], NOW + 65)
    assert ana == Member("ana"), "it rang and missed nothing"
    assert ben == Member("ben", rest=NOW + 125, ended=NOW + 65, taken=1, day=DAY)
    assert await lab.members.beat(FIRST, 1, "desk", NOW, TEAM, NOW + 65) is None, "an ended call waits no more"


async def test_a_call_that_no_store_knows_waits_nowhere(lab: Lab) -> None:
    assert await lab.members.beat(FIRST, 1, "desk", NOW, TEAM, NOW) is None
    assert await lab.members.waiting("desk", NOW) == Waiting(0, None)


async def test_a_call_is_its_newest_jobs_to_connect(lab: Lab) -> None:
    await lab.enter(FIRST)
    assert await lab.members.claim(FIRST, 1)
    assert await lab.members.claim(FIRST, 1), "once more, as somebody who is rung back"
    assert await lab.members.claim(FIRST, 2)
    assert not await lab.members.claim(FIRST, 1), "the job before is told"


async def test_who_is_rung_back_stays_the_calls(lab: Lab) -> None:
    await lab.enter(FIRST)
    await lab.enter(SECOND)
    await lab.take(FIRST, "ana")
    await lab.members.leave(FIRST, 1, "desk", NOW)
    assert await lab.members.claim(FIRST, 1)
    assert (await lab.stages())[0] is Stage.TALKING
    assert "ana" not in await lab.take(SECOND, "ana", everyone=True)


async def test_a_replaced_job_changes_nothing(lab: Lab) -> None:
    await lab.enter(FIRST)
    await lab.take(FIRST, "ana")
    await lab.beat(FIRST, NOW, epoch=2)
    assert await lab.members.beat(FIRST, 1, "desk", NOW, TEAM, NOW) is None
    assert await lab.take(FIRST, "ben", everyone=True) == ()
    await lab.free(FIRST, "ana")
    await lab.members.leave(FIRST, 1, "desk", NOW)
    assert await lab.stages() == [Stage.RINGING, Stage.FREE, Stage.FREE]
    assert await lab.members.waiting("desk", NOW) == Waiting(1, NOW)
    assert (await lab.beat(FIRST, NOW, epoch=2)).mine == {"ana"}


async def test_an_unreachable_store_is_unavailable() -> None:
    client = open_client(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable):
        await RedisMembers(client).beat(FIRST, 1, "desk", NOW, TEAM, NOW)
    await client.aclose()


Step = tuple[str, int, str, str, float]
_STEPS = ["beat", "one", "all", "leave", "took", "missed", "lost", "forget", "claim", "end", "open"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(_STEPS),
            st.integers(1, 2),
            st.sampled_from(["SCL_1", "SCL_2", "SCL_3"]),
            st.sampled_from(["ana", "ben", "chi"]),
            st.sampled_from([0.0, 0.4, 1.5, 8.0, 11.0, 301.0]),
        ),
        max_size=40,
    )
)
async def test_both_stores_do_the_same(steps: list[Step], redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        await client.flushall()
        both = [in_memory(), in_redis(client)]
        for lab in both:
            for call in (FIRST, SECOND, THIRD):
                await lab.live(call, True)
        now = NOW
        for step in steps:
            now += step[4]
            answers = [await _do(lab, step, now) for lab in both]
            assert answers[0] == answers[1], step
            seen = [await lab.members.look(TEAM, now) for lab in both]
            assert [_near(one) for one in seen[0]] == [_near(one) for one in seen[1]], step
            lines = [await lab.members.waiting("desk", now) for lab in both]
            assert lines[0] == lines[1], step


def _near(member: Member) -> Member:
    return replace(member, rest=round(member.rest, 6), paused=round(member.paused, 6))


async def _do(lab: Lab, step: Step, now: float) -> object:
    what, epoch, name, member, _ = step
    call = CallId(name)
    match what:
        case "beat":
            return await lab.members.beat(call, epoch, "desk", NOW + int(name[-1]), TEAM, now)
        case "one" | "all":
            order = (member, *(one for one in TEAM if one != member))
            return await lab.take(call, *order, at=now, everyone=what == "all", epoch=epoch)
        case "leave":
            return await lab.members.leave(call, epoch, "desk", now)
        case "took" | "missed" | "lost":
            return await lab.free(call, member, now, took=what == "took", missed=what == "missed", epoch=epoch)
        case "forget":
            return await lab.members.forget(call, now)
        case "claim":
            return await lab.members.claim(call, epoch)
        case _:
            return await lab.live(call, what == "open")
