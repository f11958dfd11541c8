"""A caller who wants never to be called again: kept for good and in force at once, or told plainly why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.calls.shared.spoken import MemorySpoken
from gateway.calls.store.memory import MemoryStore
from gateway.conduct.ledger import Ledger
from gateway.conduct.talk.stage import CallStage, Parts
from gateway.conduct.tell import Teller
from gateway.donotcall.port import Entry, MemoryDoNotCall
from gateway.errors import Unavailable
from gateway.terms.event import Kind
from gateway.terms.personal import Number
from tests.contract.calls import a_call


class Away(MemoryDoNotCall):
    async def add(self, entry: Entry) -> bool:
        raise Unavailable("Redis doesn't answer.")


@pytest.mark.parametrize("copy", [MemoryDoNotCall(), Away()], ids=["there", "away"])
async def test_it_is_told_once_and_in_force_at_once(copy: MemoryDoNotCall) -> None:
    store = MemoryStore(lambda: 0.0)
    call = replace(a_call(), caller=Number("+15105550142"))
    await store.open(call)
    async with Teller(store, call.id) as teller:
        stage = _stage(store, call, teller, copy)
        assert await stage.no_more_calls()
        assert await stage.no_more_calls()
    told = [one for one in await store.read("w", count=9, wait=0.0) if one.kind is Kind.NO_CALLS]
    assert {(one.data["number"], one.uid) for one in told} == {("+15105550142", f"{call.id} no_calls")}
    assert await copy.has(Number("+15105550142")) is (type(copy) is MemoryDoNotCall)


@pytest.mark.parametrize("caller", [None, Number("demo"), Number("+1911")])
async def test_whose_number_nobody_knows_cannot_be_entered(caller: Number | None) -> None:
    store = MemoryStore(lambda: 0.0)
    call = replace(a_call(), caller=caller)
    async with Teller(store, call.id) as teller:
        copy = MemoryDoNotCall()
        assert not await _stage(store, call, teller, copy).no_more_calls()
        assert list(await copy.listed()) == []


def _stage(store: MemoryStore, call: object, teller: Teller, copy: MemoryDoNotCall) -> CallStage:
    from typing import Any

    nothing: Any = None
    known: Any = call
    ledger = Ledger(store, teller, known, lambda: None)
    parts = Parts(known, nothing, nothing, teller, ledger, nothing, "", MemorySpoken(lambda: 0.0), copy)
    return CallStage(parts, known.brief)
