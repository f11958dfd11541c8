"""Which way a call takes by the plan, as it arrives and wherever it goes on, written to the store. No job is sent here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import structlog

from gateway.calls.store.port import CallStore, Full
from gateway.dialplan.plan import Plan
from gateway.dialplan.state import State
from gateway.dispatch import admission, decide, redial, stops, telling
from gateway.dispatch.decide import Arrival
from gateway.dispatch.redial import Line
from gateway.terms.act import Onward
from gateway.terms.call import Call, Phase, Pool
from gateway.terms.event import Event, Kind
from gateway.terms.kept import LIVE_FOR

log = structlog.get_logger(__name__)


class Routing:
    """Opens calls and leads them on; where a limit is reached, by way of the plan's `full`. The store makes one winner
    of several that do it at the same time."""

    def __init__(
        self,
        store: CallStore,
        plan: Callable[[], Plan],
        *,
        plan_of: Callable[[str], Awaitable[Plan | None]] | None,
        state: Callable[[float], State],
        slots: Callable[[], Mapping[Pool, int]],
        line: Callable[[Call], Awaitable[Line]],
        clock: Callable[[], float],
    ) -> None:
        """As of `Dispatcher`; `line`: what is known of a caller's."""
        self._store, self._plan, self._plan_of, self._line = store, plan, plan_of, line
        self._state, self._slots, self._clock = state, slots, clock

    async def open(self, plan: Plan, arrival: Arrival) -> tuple[Call, bool] | None:
        """Route the call and open it; whether it is a new one. None when it is to be turned away and nobody is there yet:
        the webhook tells of them in a moment. Raises Unavailable."""
        now = self._clock()
        state = self._state(now)
        while True:
            call, limits = decide.arrived(plan, arrival, now, state)
            if call.reject and not arrival.joined:
                return None
            if not call.reject:
                limits = {**limits, **admission.bounds(call, None, self._slots(), opens=True)}
            call = await self._resumed(call)
            try:
                return call, await self._store.open(call, telling.opened(call, arrival, plan.country), limits)
            except Full as bad:
                if bad.route == admission.counted(Pool.HOUSE):
                    return await self._no_room(replace(call, reject=decide.NO_JOB, why="every line is taken"), arrival)
                # The route leads elsewhere now, so that this ends after as many turns as there are routes.
                state = admission.fuller(state, bad.route, limits)

    async def _no_room(self, call: Call, arrival: Arrival) -> tuple[Call, bool] | None:
        """Not even the house can speak to the caller: their carrier may know another way."""
        if not arrival.joined:
            return None
        return call, await self._store.open(call, telling.opened(call, arrival, self._plan().country))

    async def _resumed(self, call: Call) -> Call:
        """The call, going on with the one that its caller was cut off from, if they were."""
        if not (key := redial.key(call)):
            return call
        last = await self._store.last(key)
        known = await self._store.get(last) if last is not None and last != call.id else None
        if known is None:
            return call
        line = await self._line(known)
        return replace(call, resumes=redial.goes_on(call, known, await self._store.kept(known.id), line))

    async def name(self, call: Call) -> None:
        """Name the call as the last of its caller's, for who dials again; of callers who share a number, and call at once, none
        is. Raises Unavailable."""
        if not (key := redial.key(call)):
            return
        before = await self._store.name_last(key, call.id, LIVE_FOR)
        if before is None or before in (call.id, *call.resumes):
            return
        known = await self._store.get(before)
        if before == redial.SHARED or (known is not None and known.phase is not Phase.ENDED):
            await self._store.name_last(key, redial.SHARED, redial.SHARED_FOR)

    async def begin(self, call: Call, told: Event) -> bool:
        """Open a call of the gateway's own; whether it wasn't yet. Raises Unavailable, and Full where not even the house
        has room for it."""
        return await self._store.open(call, told, admission.bounds(call, None, self._slots(), opens=True))

    async def lead(self, call: Call, onward: Onward, job: Pool | None = None) -> Call | None:
        """Put the call at its next stop, and tell of it; None when another was faster. `job`: whose job asks; None where
        none does. Raises Unavailable."""
        plan, now = await self._of(call), self._clock()
        state = self._state(now)
        if job is Pool.AGENTS:
            state = replace(state, overloaded="")  # they have an agent
        while True:
            led, limits = stops.led(plan, call, onward, now, state)
            limits = {**limits, **admission.bounds(led, job, self._slots())}
            try:
                if not await self._store.lead(led, limits):
                    return None
                break
            except Full as bad:
                state = admission.fuller(state, bad.route, limits)
        stop = {"number": led.stop, "route": led.route, "act": stops.name_of(led.act), "because": led.because}
        await self._store.tell(Event(led.id, Kind.STOP, now, stop))
        log.info("call led on", call=call.id, because=onward.because.value, route=led.route, stop=led.stop)
        return led

    async def _of(self, call: Call) -> Plan:
        """The plan that routed the call; the one in force where that is kept no more."""
        plan = self._plan()
        if plan.version == call.plan or self._plan_of is None:
            return plan
        return await self._plan_of(call.plan) or plan
