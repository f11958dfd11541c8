"""A store that has lost calls gets them back from the jobs that conduct them, on each adapter: as they stood, with what they
count towards and what was done for them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from gateway.calls.store.port import CallStore, Full
from gateway.calls.store.redis_store import RedisStore
from gateway.terms.call import Call, Phase
from gateway.terms.event import Event, Kind
from tests.contract.calls import a_call


async def test_a_call_that_the_store_has_lost_is_put_back_by_its_job_alone(store: CallStore) -> None:
    call = replace(a_call(), epoch=2, stop=3, checkpoint="so far", bridged="leg", told=frozenset({"turn"}))
    assert await store.restore(call, "one", 3)
    assert await store.get(call.id) == replace(call, phase=Phase.TAKEN)
    assert [one.id for one in await store.live()] == [call.id]
    assert await store.holder(call.id) == "one"
    assert not await store.restore(call, "two", 3), "it is lost no more"
    assert await store.restore(call, "one", 3)
    assert await store.take(call.id, 2, "one", 3, stop=3)


async def test_a_call_is_put_back_over_an_older_epoch_or_stop_and_no_other(store: CallStore) -> None:
    old = a_call()
    await store.open(old)
    assert await store.take(old.id, 1, "ghost", 3)
    await store.tell(Event(old.id, Kind.MESSAGE, 1764000000.0, {}))
    now = replace(old, epoch=2, stop=2, checkpoint="so far")
    assert await store.restore(now, "job", 3)
    put = replace(now, phase=Phase.TAKEN, told=frozenset({"message"}))
    assert await store.get(old.id) == put
    assert not await store.take(old.id, 1, "ghost", 3)
    assert not await store.restore(replace(now, epoch=1), "ghost", 3)
    assert await store.keep(old.id, 2, 2, "further", "")
    assert await store.restore(now, "job", 3), "whose lease it is"
    assert await store.get(old.id) == replace(put, checkpoint="further"), "and nothing is undone"
    await store.release(old.id, 2, "job")
    assert await store.restore(replace(now, stop=1), "job", 3), "one that nobody holds"
    assert await store.get(old.id) == replace(put, checkpoint="further")


async def test_a_call_that_has_ended_isnt_put_back(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    await store.end(call.id)
    assert not await store.restore(replace(call, epoch=9, stop=9), "job", 3)
    assert await store.holder(call.id) is None


async def test_of_many_jobs_one_puts_the_call_back(store: CallStore) -> None:
    call = a_call()
    put = await asyncio.gather(*(store.restore(call, f"AJ_{n}", 3) for n in range(10)))
    assert sum(put) == 1


async def counts(store: CallStore, route: str) -> bool:
    """Whether one call counts towards the route."""
    try:
        await store.open(other := a_call(), limits={route: 1})
    except Full:
        return True
    await store.end(other.id)
    return False


async def test_a_call_that_is_put_back_counts_as_it_did(store: CallStore) -> None:
    call = replace(a_call(), counted=frozenset({"sales", "pool:agents"}))
    assert not await counts(store, "sales")
    assert await store.restore(call, "one", 3)
    assert await store.get(call.id) == replace(call, phase=Phase.TAKEN)
    assert await counts(store, "sales")
    assert await counts(store, "pool:agents")
    assert not await counts(store, "support")
    second = replace(a_call(), counted=call.counted)
    assert await store.restore(second, "two", 3), "over a limit, too: there they are"
    await store.end(call.id)
    assert await counts(store, "sales"), "the second"
    await store.end(second.id)
    assert not await counts(store, "sales")
    assert not await counts(store, "pool:agents")


async def test_a_call_that_was_led_on_before_the_loss_counts_where_it_is(store: CallStore) -> None:
    call = a_call()
    await store.open(call, limits={"first": 1})
    assert await counts(store, "first")
    assert await store.restore(replace(call, stop=2, counted=frozenset({"second"})), "job", 3)
    assert not await counts(store, "first")
    assert await counts(store, "second")
    assert await store.lead(replace(call, stop=3), {"third": 1})
    assert not await counts(store, "second")
    assert await counts(store, "third")
    assert await store.restore(replace(call, stop=2, counted=frozenset({"second"})), "job", 3), "and undoes nothing"
    assert not await counts(store, "second")
    assert await counts(store, "third")


async def test_a_ledger_that_is_put_back_keeps_effects_from_being_done_again(store: CallStore) -> None:
    call = replace(a_call(), done={"book": "booked", "mail": "sent"})
    assert await store.restore(call, "one", 3)
    event = Event(call.id, Kind.CALLBACK, 1764000000.5, {"number": None}, uid=f"{call.id} book")
    assert await store.once(event, 1, "book", "booked again") == "booked"
    assert await store.read("r", count=9, wait=0.05) == []
    known = await store.get(call.id)
    assert known is not None
    assert known.done == {"book": "booked", "mail": "sent"}
    raised = await store.raise_epoch(call.id, 1, 2.0)
    assert raised is not None
    assert raised.done == known.done, "the next job knows it, too"


async def test_a_store_that_was_only_away_learns_what_was_done_meanwhile(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    assert await store.take(call.id, 1, "one", 3)
    event = Event(call.id, Kind.CALLBACK, 1764000000.5, {})
    assert await store.once(event, 1, "first", "the store's") == "the store's"
    assert await store.restore(replace(call, done={"first": "the job's", "second": "meanwhile"}), "one", 3)
    assert await store.once(event, 1, "second", "again") == "meanwhile"
    assert await store.once(event, 1, "first", "again") == "the store's", "what stands, stands"
    assert not await store.restore(replace(call, done={"third": "a ghost's"}), "two", 3)
    assert await store.once(event, 1, "third", "ours") == "ours"


async def test_a_redis_that_was_emptied_gets_all_of_a_call_from_what_its_job_knows(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        store, call = RedisStore(client), a_call()
        await store.open(call, limits={"sales": 1})
        await store.take(call.id, 1, "job", 3)
        await store.once(Event(call.id, Kind.CALLBACK, 1764000000.5, {}), 1, "book", "booked")
        known = await store.get(call.id)
        assert isinstance(known, Call)
        await client.flushall()
        assert not await store.take(call.id, 1, "job", 3)
        assert await store.restore(known, "job", 3)
        assert await store.get(call.id) == known
        with pytest.raises(Full):
            await store.open(a_call(), limits={"sales": 1})
