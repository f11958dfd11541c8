"""The call store's contract, on memory and on a real Redis."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from gateway.calls.store.memory import MemoryStore
from gateway.calls.store.port import CallStore, Full, Lost, Standing
from gateway.calls.store.redis_store import RedisStore
from gateway.errors import Unavailable
from gateway.redis_client import open_client
from gateway.terms.act import Dismiss
from gateway.terms.call import Call, CallId, Phase
from gateway.terms.event import Event, Kind
from gateway.terms.kept import ENDED_FOR, KEPT, LIVE_FOR, TURNS, Heard, Kept, heard_data
from gateway.terms.personal import Words
from gateway.terms.turn import Speaker, Turn, turn_data
from tests.contract.calls import a_call
from tests.e2e.servers import free_port


async def test_a_call_is_opened_and_ended_together_with_what_is_told_of_it(store: CallStore) -> None:
    call = a_call()
    opened, ended = (Event(call.id, kind, 1764000000.5, {"why": "…"}) for kind in (Kind.OPENED, Kind.ENDED))
    assert await store.open(call, opened)
    assert not await store.open(call, opened)
    assert await store.get(call.id) == call
    assert await store.end(call.id, ended)
    assert not await store.end(call.id, ended)
    assert [replace(event, id="") for event in await store.read("r", count=10, wait=0.5)] == [opened, ended]


async def test_a_call_is_read_as_it_was_opened(store: CallStore) -> None:
    call = a_call()
    assert await store.open(call)
    assert await store.get(call.id) == call
    assert list(await store.live()) == [call]


async def test_a_caller_without_a_number_stays_without(store: CallStore) -> None:
    call = replace(a_call(), caller=None)
    await store.open(call)
    assert await store.get(call.id) == call


async def test_of_many_hints_one_opens_the_call(store: CallStore) -> None:
    call = a_call()
    opened = await asyncio.gather(*(store.open(replace(call, route=str(n))) for n in range(10)))
    assert sum(opened) == 1


async def test_a_route_bears_as_many_calls_as_its_limit_and_is_free_when_they_end(store: CallStore) -> None:
    first, second, third = a_call(), a_call(), a_call()
    told = Event(second.id, Kind.OPENED, 1764000000.5, {})
    assert await store.open(first, limits={"sales": 1})
    with pytest.raises(Full) as full:
        await store.open(second, told, {"desk": 9, "sales": 1})
    assert full.value.route == "sales"
    assert await store.get(second.id) is None, "nothing is changed"
    assert list(await store.read("r", count=10, wait=0.1)) == [], "nothing is told"
    assert await store.open(third, limits={"desk": 1}), "the call that wasn't opened counts nowhere"
    assert not await store.open(first, limits={"sales": 1}), "a second hint of a call is no second call"
    await store.end(first.id)
    assert await store.open(second, told, {"sales": 1})


async def test_of_many_calls_at_once_a_route_takes_as_many_as_it_bears(store: CallStore) -> None:
    for limit in (3, 5):
        found = await asyncio.gather(
            *(store.open(a_call(), limits={"sales": limit}) for _ in range(12)), return_exceptions=True
        )
        assert sum(one is True for one in found) == (limit if limit == 3 else 2), "those before count on"
        assert all(one is True or isinstance(one, Full) for one in found)


async def test_calls_without_a_limit_do_not_count(store: CallStore) -> None:
    for _ in range(3):
        assert await store.open(a_call())
    assert await store.open(a_call(), limits={"sales": 1})


async def test_an_ended_call_is_known_but_not_live_and_opens_no_more(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    assert await store.end(call.id)
    assert not await store.end(call.id)
    assert await store.live() == []
    assert await store.get(call.id) == replace(call, phase=Phase.ENDED)
    assert not await store.open(call)


async def test_nothing_comes_of_a_call_nobody_opened(store: CallStore) -> None:
    call = CallId("SCL_none")
    assert await store.get(call) is None
    assert not await store.end(call)
    assert not await store.take(call, 1, "job", 3)
    assert not await store.dispatched(call, 1, "AD_1", 1.0)
    assert await store.raise_epoch(call, 1, 1.0) is None
    assert await store.holder(call) is None


async def test_a_dispatch_is_noted_for_its_epoch_only(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    assert await store.dispatched(call.id, 1, "AD_1", 7.5)
    assert not await store.dispatched(call.id, 2, "AD_2", 8.5)
    assert await store.get(call.id) == replace(call, dispatch="AD_1", dispatched=7.5, tries=1)


async def test_of_many_jobs_one_holds_the_lease(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    jobs = [f"AJ_{n}" for n in range(10)]
    taken = await asyncio.gather(*(store.take(call.id, 1, job, 3) for job in jobs))
    assert sum(taken) == 1
    holder = jobs[taken.index(True)]
    assert await store.holder(call.id) == holder
    assert await store.take(call.id, 1, holder, 3), "the holder renews it"
    found = await store.get(call.id)
    assert found is not None
    assert found.phase is Phase.TAKEN


async def test_a_lease_expires(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    assert await store.take(call.id, 1, "one", 0.02)
    async with asyncio.timeout(5):
        while not await store.take(call.id, 1, "two", 3):
            assert await store.holder(call.id) in ("one", None)
    assert await store.holder(call.id) == "two"


async def test_whose_job_is_to_come_is_known_of_the_last_dispatch(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    assert await store.promised(call.id, 1) is None
    await store.promise(call.id, 1, "host-1")
    assert await store.promised(call.id, 1) == "host-1"
    assert await store.promised(call.id, 2) is None
    await store.promise(call.id, 2, "host-2")
    assert await store.promised(call.id, 1) is None
    assert await store.promised(call.id, 2) == "host-2"


async def test_a_lease_is_given_back_by_its_holder_only(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    await store.take(call.id, 1, "one", 3)
    await store.release(call.id, 1, "two")
    await store.release(call.id, 2, "one")
    assert await store.holder(call.id) == "one"
    await store.release(call.id, 1, "one")
    assert await store.holder(call.id) is None


async def test_a_lease_isnt_renewed_where_the_store_has_lost_the_last_stop(store: CallStore) -> None:
    call = replace(a_call(), stop=2)
    await store.open(call)
    assert await store.take(call.id, 1, "job", 3, stop=2)
    assert not await store.take(call.id, 1, "job", 3, stop=3)


async def test_a_redis_that_tells_nothing_of_itself_is_taken_as_it_is(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        await client.acl_setuser(
            "plain", enabled=True, nopass=True, categories=["+@all"], commands=["-info"], keys=["*"], channels=["*"]
        )
        async with Redis.from_url(redis_url, username="plain", password="x") as plain:
            assert await RedisStore(plain).standing() == Standing("", float("inf"))


async def test_a_store_says_since_when_it_answers(store: CallStore) -> None:
    one, other = await store.standing(), await store.standing()
    assert one.run == other.run
    assert one.run
    assert other.age >= one.age >= 0
    assert other.clock >= one.clock
    if isinstance(store, RedisStore):
        assert 0 < other.clock - one.clock < 1, "in seconds, finer than one"


async def test_a_call_that_is_given_back_is_told_to_one_reader(store: CallStore) -> None:
    call, other = a_call(), a_call()
    for one in (call, other):
        await store.open(one)
    await store.take(call.id, 1, "one", 3)
    await store.release(call.id, 1, "two")
    await store.release(call.id, 2, "one")
    assert await store.lost(0.05) is None, "it is another's"
    reading = asyncio.create_task(store.lost(5))
    await asyncio.sleep(0)
    await store.release(call.id, 1, "one")
    assert await reading == Lost(call.id, 1)
    await store.release(other.id, 1, "one", silent=True)
    assert await store.lost(1) == Lost(other.id, 1, silent=True), "its job came to nothing before it took the lease"
    await store.end(call.id)
    await store.release(call.id, 1, "one")
    assert await store.lost(0.05) is None


async def test_a_steady_jobs_loss_counts_as_the_first(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    for epoch, afresh, tries in ((1, False, 1), (2, False, 2), (3, True, 0), (4, False, 1)):
        await store.dispatched(call.id, epoch, "AD", 8.0)
        raised = await store.raise_epoch(call.id, epoch, 9.0, afresh=afresh)
        assert raised
        assert raised.tries == tries


async def test_a_job_that_livekit_was_not_asked_for_counts_as_none(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    await store.dispatched(call.id, 1, "AD", 8.0)
    for epoch in range(1, 4):
        raised = await store.raise_epoch(call.id, epoch, 9.0)
        assert raised
        assert raised.tries == 1
    assert not await store.dispatched(call.id, 1, "AD_late", 10.0)
    known = await store.get(call.id)
    assert known
    assert known.tries == 1


async def test_a_raised_epoch_ends_the_lease_and_shuts_the_old_job_out(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    await store.dispatched(call.id, 1, "AD_1", 5.0)
    await store.take(call.id, 1, "one", 3)
    raised = await store.raise_epoch(call.id, 1, 9.0, late=1)
    assert raised == replace(call, epoch=2, dispatch="", dispatched=9.0, tries=1, late=1)
    assert await store.get(call.id) == raised
    assert await store.holder(call.id) is None
    assert not await store.take(call.id, 1, "one", 3)
    assert await store.take(call.id, 2, "two", 3)
    await store.release(call.id, 1, "one")
    assert await store.holder(call.id) == "two"


async def test_the_last_epoch_that_the_caller_heard_is_known(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    for told, heard in ((2, 2), (3, 3), (1, 3)):  # the last is what a job that was replaced had on its disk
        await store.tell(Event(call.id, Kind.ANSWERED, 1.0, {"epoch": told}))
        known = await store.get(call.id)
        assert known
        assert known.heard == heard
    raised = await store.raise_epoch(call.id, 1, 9.0, falls=2)
    assert raised
    assert (raised.heard, raised.falls) == (3, 2)
    assert await store.lead(replace(raised, stop=2))
    led = await store.get(call.id)
    assert led
    assert led.falls == 0


async def test_of_many_replicas_one_raises_the_epoch(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    raised = await asyncio.gather(*(store.raise_epoch(call.id, 1, float(n)) for n in range(10)))
    assert [one.epoch for one in raised if one] == [2]


async def test_an_ended_call_has_no_job(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    await store.take(call.id, 1, "one", 3)
    await store.end(call.id)
    assert await store.holder(call.id) is None
    assert not await store.take(call.id, 1, "one", 3)
    assert await store.raise_epoch(call.id, 1, 1.0) is None


async def test_a_call_knows_what_jobs_told_of_it(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    for kind in (Kind.OPENED, Kind.ANSWERED, Kind.TURN, Kind.TURN):
        await store.tell(Event(call.id, kind, 1.0))
    assert await store.get(call.id) == replace(call, told=frozenset({"answered", "turn"}), heard=1)
    await store.tell(Event(CallId("SCL_none"), Kind.TURN, 1.0))
    assert await store.get(CallId("SCL_none")) is None


def an_event(n: int) -> Event:
    return Event(CallId("SCL_1"), Kind.TURN, 1764000000.5 + n, {"seq": n, "text": "żółć", "latencies": {"a": 0.25}})


async def test_how_long_callers_have_waited_for_agents_is_known_by_when_they_did(store: CallStore) -> None:
    def answer(at: float, **told: object) -> Event:
        return Event(CallId("SCL_1"), Kind.TURN, at, {"speaker": "agent", "latencies": told})

    began = 1764000000.5
    await store.tell(answer(began, e2e_latency=9.0))
    await store.tell(answer(began + 10, e2e_latency=1.25))
    await store.tell(answer(began + 11, tts_node_ttfb=0.25))
    await store.tell(Event(CallId("SCL_1"), Kind.IN_VAIN, began + 12, {"after": 8.5}))
    await store.tell(Event(CallId("SCL_2"), Kind.IN_VAIN, began + 13, {"after": 0.5}))
    assert sorted(await store.latencies(began + 5)) == [1.25, 8.5]


async def test_events_are_read_in_order_until_acknowledged(store: CallStore) -> None:
    told = [an_event(n) for n in range(5)]
    for event in told:
        await store.tell(event)
    first = await store.read("a", count=2, wait=0.2)
    assert [replace(event, id="") for event in first] == told[:2]
    assert await store.read("a", count=2, wait=0.2) == first, "what was not acknowledged comes again"
    await store.ack(first)
    rest = await store.read("a", count=10, wait=0.2)
    assert [event.data["seq"] for event in rest] == [2, 3, 4]
    await store.ack(rest)
    assert await store.read("a", count=10, wait=0.02) == []


async def test_what_makes_an_event_one_is_read_with_it(store: CallStore) -> None:
    await store.tell(replace(an_event(1), uid="me-1"))
    assert [event.uid for event in await store.read("a", count=2, wait=0.2)] == ["me-1"]


async def test_an_entry_that_cant_be_read_is_put_aside_and_keeps_no_other_out(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        store = RedisStore(client)
        await client.delete("offhook:events", "offhook:events:unreadable")
        await store.tell(an_event(1))
        await client.xadd("offhook:events", {"call": "SCL_1", "kind": "of another version", "at": "1", "data": "{}"})
        await store.tell(an_event(2))
        read = await store.read("a", count=10, wait=0.2)
        assert [event.data["seq"] for event in read] == [1, 2]
        await store.ack(read)
        assert await store.read("b", count=10, wait=0.02) == []
        assert await client.xlen("offhook:events") == 0
        assert await client.xlen("offhook:events:unreadable") == 1


async def test_two_readers_share_the_stream(store: CallStore) -> None:
    for n in range(4):
        await store.tell(an_event(n))
    one, two = await store.read("a", count=2, wait=0.2), await store.read("b", count=10, wait=0.2)
    assert [event.data["seq"] for event in [*one, *two]] == [0, 1, 2, 3]


async def test_what_is_told_of_a_conversation_is_kept_for_the_next_job(store: CallStore) -> None:
    call, other = a_call(), a_call()
    for one in (call, other):
        await store.open(one)
    said = [Turn(seq, Speaker.CALLER, Words(f"word {seq}"), 1.5, latencies={"e2e": 0.25}) for seq in range(1, 4)]
    for turn in said:
        await store.tell(Event(call.id, Kind.TURN, turn.at, turn_data(turn)))
        await store.tell(
            Event(call.id, Kind.FACTS, 1.0, {"kind": "lead", "fields": {"n": turn.seq}, "complete": False})
        )
    for words in ("so", "so far"):
        heard = Heard(Words(words), Speaker.CALLER, 3)
        await store.tell(Event(call.id, Kind.HEARD, 2.0, heard_data(heard)))
    assert await store.kept(call.id) == Kept(said, {"n": 3}, heard=heard)
    assert await store.kept(other.id) == Kept([])
    kinds = [event.kind for event in await store.read("r", count=100, wait=0.1)]
    assert Kind.HEARD not in kinds, "it is no matter of the record"
    assert kinds.count(Kind.TURN) == 3
    await store.end(call.id)
    assert len((await store.kept(call.id)).turns) == 3, "for whoever dials again"


async def test_an_effect_is_told_once_and_answered_with_the_firsts_result(store: CallStore) -> None:
    call, other = a_call(), a_call()
    for one in (call, other):
        await store.open(one)
    event = Event(call.id, Kind.CALLBACK, 1764000000.5, {"number": None})
    done = await asyncio.gather(*(store.once(event, 1, "book", f"by {n}") for n in range(5)))
    assert len(set(done)) == 1
    assert await store.once(event, 1, "another", "other") == "other"
    assert await store.once(replace(event, call=other.id), 1, "book", "its own") == "its own"
    assert await store.once(event, 2, "third", "of another epoch") is None
    await store.raise_epoch(call.id, 1, 2.0)
    assert await store.once(event, 1, "third", "of a ghost") is None
    assert await store.once(event, 2, "book", "by the next job") == done[0]
    await store.end(call.id)
    assert await store.once(event, 2, "fourth", "after the end") == "after the end"
    assert await store.once(replace(event, call=CallId("lost")), 2, "fifth", "of a lost call") == "of a lost call"
    told = [one.call for one in await store.read("r", count=100, wait=0.1)]
    assert told == [call.id, call.id, other.id, call.id, "lost"]
    found = await store.get(call.id)
    assert found
    assert "callback" in found.told


async def test_a_callers_last_call_is_known_for_a_while(store: CallStore) -> None:
    assert await store.last("a") is None
    assert await store.name_last("a", CallId("SCL_1"), 5) is None
    await store.name_last("b", CallId("SCL_2"), 5)
    assert await store.name_last("a", CallId("SCL_3"), 5) == "SCL_1"
    assert (await store.last("a"), await store.last("b")) == ("SCL_3", "SCL_2")


async def test_a_turn_that_is_told_again_is_kept_once(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    said = [Turn(seq, Speaker.CALLER, Words("yes"), 1.0 + seq) for seq in range(3)]
    for turn in (*said, said[1], said[2]):
        await store.tell(Event(call.id, Kind.TURN, turn.at, turn_data(turn), uid=f"job-{turn.seq}"))
    assert (await store.kept(call.id)).turns == said


async def test_as_many_turns_are_kept_as_a_model_is_told(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    for seq in range(1, TURNS + 4):
        await store.tell(Event(call.id, Kind.TURN, 1.0, turn_data(Turn(seq, Speaker.AGENT, Words("…"), 1.0))))
    kept = (await store.kept(call.id)).turns
    assert [kept[0].seq, kept[-1].seq, len(kept)] == [4, TURNS + 3, TURNS]


async def test_nothing_is_kept_for_ever(redis_url: str) -> None:
    call = a_call()
    async with Redis.from_url(redis_url) as client:
        store = RedisStore(client)
        await store.open(call)
        for kind in KEPT:
            await store.tell(Event(call.id, kind, 1.0, {}))
        keys = [f"offhook:call:{call.id}:{kind.value}" for kind in KEPT]
        assert all(0 < left <= LIVE_FOR for left in [await client.ttl(key) for key in keys])
        await store.end(call.id)
        assert all(0 < left <= ENDED_FOR for left in [await client.ttl(key) for key in keys])
        await store.tell(Event(call.id, Kind.TURN, 1.0, {}))
        assert 0 < await client.ttl(f"offhook:call:{call.id}:turn") <= ENDED_FOR


async def test_a_reader_that_waits_gets_the_event_at_once(store: CallStore) -> None:
    reading = asyncio.create_task(store.read("a", count=10, wait=5))
    await asyncio.sleep(0)
    started = time.monotonic()
    await store.tell(an_event(1))
    assert [event.data["seq"] for event in await reading] == [1]
    assert time.monotonic() - started < 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["take", "release", "raise", "dispatched", "end", "open", "lead", "keep", "restore"]),
            st.integers(1, 3),
            st.sampled_from(["one", "two"]),
        ),
        max_size=25,
    )
)
async def test_both_stores_do_the_same(steps: list[tuple[str, int, str]], redis_url: str) -> None:
    call = a_call()
    async with Redis.from_url(redis_url) as client:
        both: list[CallStore] = [MemoryStore(lambda: 0.0), RedisStore(client)]
        for step, epoch, job in steps:
            answers = [await _do(store, call, step, epoch, job) for store in both]
            assert answers[0] == answers[1], step
            assert await both[0].get(call.id) == await both[1].get(call.id)
            assert await both[0].holder(call.id) == await both[1].holder(call.id)


async def _do(store: CallStore, call: Call, step: str, epoch: int, job: str) -> object:
    match step:
        case "open":
            return await store.open(call)
        case "take":
            return await store.take(call.id, epoch, job, 60, stop=epoch - 1)
        case "restore":
            return await store.restore(replace(call, epoch=epoch, stop=epoch, told=frozenset({job})), job, 60)
        case "release":
            return await store.release(call.id, epoch, job)
        case "raise":
            return await store.raise_epoch(call.id, epoch, 5.0)
        case "dispatched":
            return await store.dispatched(call.id, epoch, "AD", 6.0)
        case "lead":
            return await store.lead(replace(call, epoch=1, stop=epoch + 1, act=Dismiss(job)))
        case "keep":
            return await store.keep(call.id, 1, epoch, job, "")
        case _:
            return await store.end(call.id)


async def test_memory_forgets_a_call_an_hour_after_its_end() -> None:
    now = 0.0
    store, call = MemoryStore(lambda: now), a_call()
    await store.open(call)
    await store.end(call.id)
    now = 3599.0
    assert await store.get(call.id) is not None
    now = 3600.0
    assert await store.get(call.id) is None


async def test_redis_forgets_a_call_an_hour_after_its_end(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        store, call = RedisStore(client), a_call()
        await store.open(call)
        assert await client.ttl(f"offhook:call:{call.id}") == -1
        await store.end(call.id)
        assert 3590 < await client.ttl(f"offhook:call:{call.id}") <= 3600


async def test_an_unanswering_redis_is_said_to_be_unavailable() -> None:
    async with Redis.from_url(f"redis://127.0.0.1:{free_port()}") as client:
        store = RedisStore(client)
        with pytest.raises(Unavailable, match="Redis"):
            await store.open(a_call())
        with pytest.raises(Unavailable, match="Redis"):
            await store.read("a", count=1, wait=0.1)


async def test_a_stream_that_redis_has_forgotten_begins_anew(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        store = RedisStore(client)
        await store.read("a", count=1, wait=0.01)
        await client.flushall()
        await store.tell(an_event(3))
        assert [event.data["seq"] for event in await store.read("a", count=1, wait=0.2)] == [3]


async def test_what_a_dead_reader_left_is_anothers(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.calls.store.redis_store._DEAD_AFTER", 0)
    async with Redis.from_url(redis_url) as client:
        await client.flushall()
        store = RedisStore(client)
        await store.tell(an_event(8))
        left = await store.read("dead", count=1, wait=0.2)
        assert await store.read("living", count=1, wait=0.2) == left


async def test_reading_ends_whenever_it_is_cancelled(redis_url: str) -> None:
    client = open_client(redis_url)
    store = RedisStore(client)

    async def read() -> None:
        while True:
            await store.get(CallId("SCL_x"))

    for turns in range(200):
        reading = asyncio.create_task(read())
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading], timeout=1)
        assert reading.cancelled(), f"cancelled after {turns} turns of the loop, it read on"
    await client.aclose()


async def test_a_call_of_another_version_hides_no_other(redis_url: str) -> None:
    client = open_client(redis_url)
    await client.flushall()
    store = RedisStore(client)
    known, strange, forgotten = (replace(a_call(), id=CallId(f"SCL_{name}")) for name in ("known", "strange", "gone"))
    for call in (known, strange, forgotten):
        assert await store.open(call)
    way = json.loads((await client.hget("offhook:call:SCL_known", "way")) or "")
    newer = {**way, "brief": {**way["brief"], "mood": "glad"}}
    await client.hset("offhook:call:SCL_known", "way", json.dumps(newer))
    await client.hset("offhook:call:SCL_strange", "phase", "dreaming")
    await client.delete("offhook:call:SCL_gone")
    assert await store.live() == [known]
    assert await client.smembers("offhook:live") == {b"SCL_known", b"SCL_strange"}, "what is forgotten is no live call"
    await client.aclose()
