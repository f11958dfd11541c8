"""The call store's contract for a call's way, on memory and on a real Redis: what its job asks, where it is led, how far
its act has come."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.calls.store.port import Asked, CallStore, Full
from gateway.terms.act import TALK, Act, Because, Callee, Choose, Dismiss, Onward, Promise, Record, Ring, Wait
from gateway.terms.call import Brief, Left, Pool
from gateway.terms.event import Event, Kind
from tests.contract.calls import a_call

ACTS: list[Act] = [
    TALK,
    Choose("For billing, press 1.", "1#", speech=True, wait=3.5),
    Wait("desk", press="1"),
    Ring(Callee("ana", "+15105550111"), 12.0),
    Ring(None),
    Record("Please speak.", notify=("mailto:desk@acme.example", "slack://a/b/c"), because="closed"),
    Promise("the team is closed"),
    Dismiss("nothing is left"),
    Dismiss("the route's minutes were up", "minutes"),
]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: type(act).__name__)
async def test_a_call_is_led_to_its_next_stop_and_nothing_of_the_last_is_left(store: CallStore, act: Act) -> None:
    call = a_call()
    await store.open(call)
    assert await store.keep(call.id, 1, 1, '{"tries": 2}', "leg-1")
    assert await store.get(call.id) == replace(call, checkpoint='{"tries": 2}', bridged="leg-1")
    led = replace(
        call,
        stop=2,
        route="desk",
        pool=Pool.HOUSE,
        brief=Brief(""),
        act=act,
        because="human",
        ends=1764000300.5,
        noticed=("We move.",),
    )
    assert await store.lead(led)
    assert await store.get(call.id) == replace(led, tries=1)
    assert not await store.lead(led), "the same answer, of another control"
    assert not await store.keep(call.id, 1, 1, "late", ""), "the last stop's"


async def test_the_next_job_knows_how_whoever_talked_with_the_caller_has_left(store: CallStore) -> None:
    call = a_call()
    left = Left("leg-1", 1764000300.25, lost=True)
    assert not await store.left(call.id, left), "nobody knows the call"
    await store.open(call)
    assert not await store.left(call.id, left), "nobody talks with them"
    assert await store.keep(call.id, 1, 1, "{}", "leg-1")
    assert not await store.left(call.id, replace(left, leg="leg-2"))
    assert await store.left(call.id, left)
    raised = await store.raise_epoch(call.id, 1, 2.0)
    assert raised is not None
    assert raised.parted == left
    assert await store.keep(call.id, 2, 1, "{}", "leg-2")
    known = await store.get(call.id)
    assert known is not None
    assert known.parted is None, "whoever talks with them now is there"
    assert await store.lead(replace(known, stop=2))
    known = await store.get(call.id)
    assert known is not None
    assert known.left is None
    assert await store.restore(replace(known, epoch=3, bridged="leg-3", left=replace(left, leg="leg-3")), "job", 3)
    known = await store.get(call.id)
    assert known is not None
    assert known.parted == replace(left, leg="leg-3"), "also of a call that was put back"
    await store.end(call.id)
    assert not await store.left(call.id, replace(left, leg="leg-3"))


async def test_the_number_of_the_last_key_stays_the_calls_and_never_gets_less(store: CallStore) -> None:
    call = a_call()
    await store.open(call)

    async def last_key() -> int:
        known = await store.get(call.id)
        assert known is not None
        return known.last_key

    async def told(kind: Kind, number: int) -> int:
        await store.tell(Event(call.id, kind, 1764000001.0, {"last_key": number}))
        return await last_key()

    assert await last_key() == 0
    assert await store.keep(call.id, 1, 1, "{}", "", 9)
    assert await store.keep(call.id, 1, 1, "{}", "")
    assert await last_key() == 9
    assert await store.lead(replace(call, stop=2))
    raised = await store.raise_epoch(call.id, 1, 2.0)
    assert raised is not None
    assert raised.last_key == 9, "the next job has to know"
    assert not await store.keep(call.id, 1, 2, "late", "", 10)
    assert await told(Kind.HEARD, 10) == 10
    assert await told(Kind.TURN, 11) == 11
    assert await told(Kind.HEARD, 3) == 11, "what is told again, or late"
    assert await told(Kind.LEG, 12) == 11, "no key's"
    assert await store.restore(replace(raised, epoch=3, last_key=12), "job", 3)
    assert await last_key() == 12, "also of a call that was put back"
    unknown = replace(Event(call.id, Kind.HEARD, 1764000001.0, {"last_key": 1}), call=a_call().id)
    await store.tell(unknown)
    assert await store.get(unknown.call) is None


async def test_a_job_of_another_epoch_keeps_and_leads_nothing(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    await store.raise_epoch(call.id, 1, 0.0)
    assert not await store.keep(call.id, 1, 1, "late", "")
    assert not await store.lead(replace(call, stop=2))


async def test_what_is_asked_is_heard_once_and_the_answer_comes_at_once(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    asked = Asked(call.id, 1, 1, Onward(Because.KEY, "#"), Pool.HOUSE)
    waiting = asyncio.ensure_future(store.led(call.id, 1, 5.0))
    hearing = asyncio.ensure_future(store.asked(5.0))
    await store.ask(asked)
    heard = await hearing
    assert heard == asked
    assert 0 <= heard.age < 1
    assert await store.asked(0.05) is None
    why = Asked(call.id, 1, 1, Onward(Because.UNANSWERED, why='it\'s "busy"'), Pool.AGENTS)
    await store.ask(why)
    assert await store.asked(1.0) == why
    assert await store.lead(replace(call, stop=2))
    assert await asyncio.wait_for(waiting, 1.0) == replace(call, stop=2, tries=1)


async def test_nobody_is_led_whom_nobody_leads(store: CallStore) -> None:
    call = a_call()
    await store.open(call)
    assert await store.led(call.id, 1, 0.05) is None
    await store.end(call.id)
    assert await store.led(call.id, 0, 5.0) is None


async def test_a_call_that_is_led_on_counts_where_it_is(store: CallStore) -> None:
    first, second = a_call(), a_call()
    await store.open(first, limits={"menu": 1})
    with pytest.raises(Full):
        await store.open(second, limits={"menu": 1})
    assert await store.lead(replace(first, stop=2), {"desk": 1, "menu": 1}), "it needn't wait for itself"
    assert await store.lead(replace(first, stop=3), {"desk": 1})
    assert await store.open(second, limits={"menu": 1})
    with pytest.raises(Full):
        await store.lead(replace(second, stop=2), {"desk": 1})
    found = await store.get(second.id)
    assert found is not None
    assert found.stop == 1
    await store.end(first.id)
    assert await store.lead(replace(second, stop=2), {"desk": 1})
