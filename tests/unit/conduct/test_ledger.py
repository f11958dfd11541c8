"""A job's effects, on the memory store, which the contract holds to what Redis does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.calls.store.memory import MemoryStore
from gateway.conduct import ledger
from gateway.conduct.ledger import Ledger
from gateway.conduct.tell import Teller
from gateway.errors import Unavailable
from gateway.terms.event import Event, Kind
from tests.unit.conduct.test_lease import a_call

CALL = a_call()
ARGUMENTS: Mapping[str, object] = {"number": "+15105550177"}


class Slow(MemoryStore):
    """Takes an effect, and doesn't come to say so."""

    slow = False

    async def once(self, event: Event, epoch: int, key: str, result: str) -> str | None:
        done = await super().once(event, epoch, key, result)
        if self.slow:
            await asyncio.Event().wait()
        return done


async def booked(store: MemoryStore, epoch: int, result: str = "done", lost: list[str] | None = None) -> str:
    call = await store.get(CALL.id)
    assert call
    async with Teller(store, CALL.id) as teller:
        book = Ledger(store, teller, replace(call, epoch=epoch), lambda: lost.append("lost") if lost else None)
        return await book.once("callback", ARGUMENTS, Kind.CALLBACK, ARGUMENTS, result)


async def test_the_next_job_is_answered_with_the_firsts_result() -> None:
    store = MemoryStore(time.monotonic)
    await store.open(CALL)
    assert await booked(store, 1, "the first's") == "the first's"
    await store.raise_epoch(CALL.id, 1, 1.0)
    assert await booked(store, 2, "the second's") == "the first's"
    assert [event.kind for event in await store.read("r", count=10, wait=0.1)] == [Kind.CALLBACK]


async def test_a_ghost_does_nothing_and_hears_that_it_is_one() -> None:
    store, lost = MemoryStore(time.monotonic), ["…"]
    await store.open(CALL)
    await store.raise_epoch(CALL.id, 1, 1.0)
    with pytest.raises(Unavailable):
        await booked(store, 1, lost=lost)
    assert lost == ["…", "lost"]
    assert await store.read("r", count=10, wait=0.01) == []


async def test_what_a_slow_store_may_have_taken_is_told_by_the_same_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "WITHIN", 0.01)
    store = Slow(time.monotonic)
    await store.open(CALL)
    store.slow = True
    assert await booked(store, 1) == "done"
    told = await store.read("r", count=10, wait=0.1)
    assert len(told) == 2
    assert told[0].uid == told[1].uid != "", "the record takes it once"


class Empty(MemoryStore):
    """Was away, and has lost its ledger since."""

    away = False

    async def once(self, event: Event, epoch: int, key: str, result: str) -> str | None:
        if self.away:
            raise Unavailable("away")
        return await super().once(event, epoch, key, result)


async def test_a_job_does_nothing_again_that_it_did_while_the_store_was_away() -> None:
    store = Empty(time.monotonic)
    await store.open(CALL)
    async with Teller(store, CALL.id) as teller:
        book = Ledger(store, teller, CALL, lambda: None)
        store.away = True
        first = await book.once("callback", ARGUMENTS, Kind.CALLBACK, ARGUMENTS, "the first's")
        store.away = False
        assert await book.once("callback", ARGUMENTS, Kind.CALLBACK, ARGUMENTS, "the second's") == first
    assert [event.kind for event in await store.read("r", count=10, wait=0.1)] == [Kind.CALLBACK]
    assert await store.restore(replace(CALL, done=book.done), "job", 3)
    assert await booked(store, 1, "another job's") == first
