"""The call store in one process's memory: for tests of what uses a store, and a gateway that may forget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TypeVar

from gateway.calls.store.port import FORGET_AFTER, PROMISED_FOR, Asked, Full, Lost, Standing
from gateway.terms.call import Call, CallId, Left, Phase
from gateway.terms.event import JOBS, Event, Kind, epoch_of, last_key, latency
from gateway.terms.kept import ENDED_FOR, KEPT, TURNS, Kept, kept_of

Item = TypeVar("Item")


@dataclass(slots=True)
class _Lease:
    epoch: int
    job: str
    until: float


class MemoryStore:
    """Implements `gateway.calls.store.port.CallStore`; `clock` tells seconds, never going back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls: dict[CallId, Call] = {}
        self._ended: dict[CallId, float] = {}
        self._leases: dict[CallId, _Lease] = {}
        self._promised: dict[CallId, tuple[int, str, float]] = {}
        self._events: dict[int, Event] = {}
        self._reader: dict[int, str] = {}
        self._kept: dict[CallId, dict[Kind, list[Event]]] = {}
        self._last: dict[str, tuple[CallId, float]] = {}
        self._told = 0
        self._latencies: list[tuple[float, float]] = []
        self._more = asyncio.Event()
        self._asks: asyncio.Queue[tuple[Asked, float]] = asyncio.Queue()
        self._lost: asyncio.Queue[Lost] = asyncio.Queue()
        self._moved = asyncio.Event()

    async def open(self, call: Call, told: Event | None = None, limits: Mapping[str, int] | None = None) -> bool:
        """See the port."""
        self._forget()
        if call.id in self._calls:
            return False
        self._calls[call.id] = replace(call, counted=await self._count(call.id, limits or {}), done={})
        if told is not None:
            await self.tell(told)
        return True

    async def get(self, call: CallId) -> Call | None:
        """See the port."""
        self._forget()
        return self._calls.get(call)

    async def live(self) -> Sequence[Call]:
        """See the port."""
        return [call for call in self._calls.values() if call.phase is not Phase.ENDED]

    async def dispatched(self, call: CallId, epoch: int, dispatch: str, at: float) -> bool:
        """See the port."""
        known = self._at(call, epoch)
        if known is None:
            return False
        self._calls[call] = replace(known, dispatch=dispatch, dispatched=at, tries=known.tries + 1)
        return True

    async def raise_epoch(
        self, call: CallId, seen: int, at: float, *, afresh: bool = False, late: int = 0, falls: int = 0
    ) -> Call | None:
        """See the port."""
        known = self._at(call, seen)
        if known is None:
            return None
        self._leases.pop(call, None)
        fresh = replace(known, epoch=seen + 1, phase=Phase.ROUTED, dispatch="", dispatched=at)
        raised = replace(fresh, tries=0 if afresh else known.tries, late=late, falls=falls)
        self._calls[call] = raised
        return raised

    async def end(self, call: CallId, told: Event | None = None) -> bool:
        """See the port."""
        known = self._calls.get(call)
        if known is None or known.phase is Phase.ENDED:
            return False
        self._calls[call] = replace(known, phase=Phase.ENDED)
        self._ended[call] = self._clock()
        self._leases.pop(call, None)
        if told is not None:
            await self.tell(told)
        return True

    async def take(self, call: CallId, epoch: int, job: str, ttl: float, stop: int = 0) -> bool:
        """See the port."""
        known = self._at(call, epoch)
        if known is None or known.stop < stop or await self.holder(call) not in (None, job):
            return False
        self._leases[call] = _Lease(epoch, job, self._clock() + ttl)
        self._calls[call] = replace(known, phase=Phase.TAKEN)
        return True

    async def restore(self, call: Call, job: str, ttl: float) -> bool:
        """See the port."""
        known = self._calls.get(call.id)
        if known is not None:
            if known.phase is Phase.ENDED or known.epoch > call.epoch:
                return False
            if known.epoch == call.epoch and await self.holder(call.id) not in (None, job):
                return False
        if known is None or (known.epoch, known.stop) < (call.epoch, call.stop):
            told, done = (known.told, known.done) if known is not None else (frozenset(), {})
            known = replace(call, told=call.told | told, done=done)
        self._calls[call.id] = replace(known, phase=Phase.TAKEN, done={**call.done, **known.done})
        self._leases[call.id] = _Lease(call.epoch, job, self._clock() + ttl)
        return True

    async def standing(self) -> Standing:
        """See the port."""
        return Standing("memory", float("inf"), self._clock())

    async def release(self, call: CallId, epoch: int, job: str, *, silent: bool = False) -> None:
        """See the port."""
        if self._at(call, epoch) is not None and await self.holder(call) in (None, job):
            self._leases.pop(call, None)
            self._lost.put_nowait(Lost(call, epoch, silent))

    async def lost(self, wait: float) -> Lost | None:
        """See the port."""
        return await _next(self._lost, wait)

    async def holder(self, call: CallId) -> str | None:
        """See the port."""
        lease = self._leases.get(call)
        return lease.job if lease is not None and lease.until > self._clock() else None

    async def promise(self, call: CallId, epoch: int, worker: str) -> None:
        """See the port."""
        self._promised[call] = (epoch, worker, self._clock() + PROMISED_FOR)

    async def promised(self, call: CallId, epoch: int) -> str | None:
        """See the port."""
        taken, worker, until = self._promised.get(call, (0, "", 0.0))
        return worker if taken == epoch and until > self._clock() else None

    async def ask(self, asked: Asked) -> None:
        """See the port."""
        self._asks.put_nowait((asked, self._clock()))

    async def asked(self, wait: float) -> Asked | None:
        """See the port."""
        found = await _next(self._asks, wait)
        return replace(found[0], age=self._clock() - found[1]) if found is not None else None

    async def lead(self, call: Call, limits: Mapping[str, int] | None = None) -> bool:
        """See the port."""
        known = self._at(call.id, call.epoch)
        if known is None or known.stop != call.stop - 1:
            return False
        counted = await self._count(call.id, limits or {})
        names = ("route", "pool", "brief", "act", "stop", "because", "ends", "noticed")
        way = {name: getattr(call, name) for name in names}
        fresh = replace(known, checkpoint="", bridged="", left=None, tries=1, falls=0)
        self._calls[call.id] = replace(fresh, **way, counted=counted)
        self._moved.set()
        self._moved = asyncio.Event()
        return True

    async def led(self, call: CallId, stop: int, wait: float) -> Call | None:
        """See the port."""
        try:
            async with asyncio.timeout(wait):
                while (known := self._calls.get(call)) is not None and known.phase is not Phase.ENDED:
                    if known.stop > stop:
                        return known
                    await self._moved.wait()
        except TimeoutError:
            pass
        return None

    async def keep(self, call: CallId, epoch: int, stop: int, checkpoint: str, bridged: str, last_key: int = 0) -> bool:
        """See the port."""
        known = self._at(call, epoch)
        if known is None or known.stop != stop:
            return False
        last_key = max(known.last_key, last_key)
        self._calls[call] = replace(known, checkpoint=checkpoint, bridged=bridged, last_key=last_key)
        return True

    async def left(self, call: CallId, left: Left) -> bool:
        """See the port."""
        known = self._calls.get(call)
        if known is None or known.phase is Phase.ENDED or known.bridged != left.leg:
            return False
        self._calls[call] = replace(known, left=left)
        return True

    async def tell(self, event: Event) -> None:
        """See the port."""
        if event.kind in KEPT:
            kept = self._kept.setdefault(event.call, {}).setdefault(event.kind, [])
            if not any((one.at, one.data) == (event.at, event.data) for one in kept):
                kept.append(event)  # told again after an answer that came too late, it is still one turn
        if (known := self._calls.get(event.call)) is not None:
            self._calls[event.call] = replace(known, last_key=max(known.last_key, last_key(event)))
        if event.kind is Kind.HEARD:
            return
        self._told += 1
        self._events[self._told] = replace(event, id=f"{self._told}-0")
        self._more.set()
        if (took := latency(event)) is not None:
            self._latencies.append((event.at, took))
        known = self._calls.get(event.call)
        if known is not None and event.kind in JOBS:
            heard = max(known.heard, epoch_of(event)) if event.kind is Kind.ANSWERED else known.heard
            self._calls[event.call] = replace(known, told=known.told | {event.kind.value}, heard=heard)

    async def latencies(self, since: float) -> Sequence[float]:
        """See the port."""
        return [took for at, took in self._latencies if at >= since]

    async def once(self, event: Event, epoch: int, key: str, result: str) -> str | None:
        """See the port."""
        known = self._calls.get(event.call)
        if known is not None and known.epoch != epoch:
            return None
        if known is not None and key in known.done:
            return known.done[key]
        if known is not None:
            self._calls[event.call] = replace(known, done={**known.done, key: result})
        await self.tell(event)
        return result

    async def kept(self, call: CallId) -> Kept:
        """See the port."""
        if self._clock() - self._ended.get(call, inf) >= ENDED_FOR:
            self._kept.pop(call, None)
        kept = self._kept.get(call, {})
        others: dict[Kind, Event] = {kind: told[-1] for kind, told in kept.items() if kind is not Kind.TURN}
        return kept_of(kept.get(Kind.TURN, [])[-TURNS:], others)

    async def name_last(self, key: str, call: CallId, within: float) -> CallId | None:
        """See the port."""
        before = await self.last(key)
        self._last[key] = call, self._clock() + within
        return before

    async def last(self, key: str) -> CallId | None:
        """See the port."""
        call, until = self._last.get(key, (None, 0.0))
        return call if until > self._clock() else None

    async def read(self, consumer: str, *, count: int, wait: float) -> Sequence[Event]:
        """See the port."""
        mine = [entry for entry, reader in self._reader.items() if reader == consumer]
        if not mine:
            mine = await self._unread(wait)
            self._reader.update(dict.fromkeys(mine[:count], consumer))
        return [self._events[entry] for entry in mine[:count]]

    async def ack(self, events: Sequence[Event]) -> None:
        """See the port."""
        for event in events:
            entry = int(event.id.removesuffix("-0"))
            self._events.pop(entry, None)
            self._reader.pop(entry, None)

    async def _count(self, call: CallId, limits: Mapping[str, int]) -> frozenset[str]:
        others = [one for one in await self.live() if one.id != call]
        for route, limit in limits.items():
            if sum(route in one.counted for one in others) >= limit:
                raise Full(route)
        return frozenset(limits)

    async def _unread(self, wait: float) -> list[int]:
        try:
            async with asyncio.timeout(wait):
                while not (unread := [entry for entry in self._events if entry not in self._reader]):
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            return []
        return unread

    def _at(self, call: CallId, epoch: int) -> Call | None:
        known = self._calls.get(call)
        return known if known is not None and known.phase is not Phase.ENDED and known.epoch == epoch else None

    def _forget(self) -> None:
        old = [call for call, at in self._ended.items() if self._clock() - at >= FORGET_AFTER]
        for call in old:
            del self._ended[call], self._calls[call]
            self._kept.pop(call, None)


async def _next(queue: asyncio.Queue[Item], wait: float) -> Item | None:
    try:
        async with asyncio.timeout(wait):
            return await queue.get()
    except TimeoutError:
        return None
