"""How the pools of workers stand, as decisions have to know: whether anybody is there, how many calls they bear, and how
long callers wait for an agent's answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

from gateway.calls.shared.missing import Missing
from gateway.calls.shared.presence import Presence
from gateway.calls.store.port import CallStore
from gateway.dialplan.state import State
from gateway.dispatch.admission import WINDOW, Load, Pace, load
from gateway.errors import Unavailable
from gateway.metrics import gauge
from gateway.terms.call import Pool

STARTING = 60.0
"""Seconds that workers may take to say that they are there, when a whole gateway starts at once."""
ABSENT = 2.5
"""Seconds without any worker until it is believed: Redis may have forgotten them for a moment."""
P90 = gauge("turn_p90_seconds", "What nine of ten answers of agents stayed below lately; 0 where there were few")
SLOTS = gauge("slots", "Calls that the workers of a pool bear at once", "pool")

log = structlog.get_logger(__name__)


class Pools:
    """What is known of them: part of what decisions are made by."""

    def __init__(
        self,
        presence: Presence,
        store: CallStore,
        state: Callable[[float], State],
        clock: Callable[[], float],
        *,
        slow: float = 0.0,
        back: Callable[[Pool], None] = lambda _: None,
    ) -> None:
        """`state`: what operators override at a time. `clock`: seconds since the epoch. `slow`: seconds that callers may
        wait for an agent's answer before new ones get none; 0 for ever. `back` hears of a pool that has workers again.
        """
        self._presence, self._store, self._state, self._clock = presence, store, state, clock
        self._slow, self._back = slow, back
        self._loads: dict[Pool, Load] = {}
        self._pace = Pace()
        self._no_agent, self._nobody = False, False
        """As long as nobody knows, callers are sent to agents."""
        self._agents = self._anybody = Missing(ABSENT, clock() + STARTING)
        """Workers for agents, and of any pool."""

    async def look(self) -> None:
        """Ask who is there. Raises Unavailable; what was known is believed on."""
        now = self._clock()
        try:
            said = {pool: await self._presence.there(pool) for pool in Pool}
        except Unavailable:
            # They can't have said anything either.
            self._agents, self._anybody = self._agents.unsure(), self._anybody.unsure()
            raise
        for pool in Pool:
            before, self._loads[pool] = self._loads.get(pool), load(said[pool])
            if before is not None and not before.workers and self._loads[pool].workers:
                self._back(pool)
            SLOTS.labels(pool.value).set(self._loads[pool].slots)
        there = self._loads[Pool.AGENTS].workers
        self._agents = self._agents.looked(there > 0, now)
        # Workers that were there and say that they take no calls, or whose jobs say so for them, aren't forgotten.
        told = self._agents.once and bool(said[Pool.AGENTS])
        no_agent = not there and (told or self._agents.sure(now))
        if no_agent is not self._no_agent:
            log.warning("no worker takes calls for agents" if no_agent else "workers take calls for agents")
        self._no_agent = no_agent
        # Workers that take no calls for a moment, as while LiveKit is away, are somebody.
        self._anybody, before_nobody = self._anybody.looked(any(said.values()), now), self._nobody
        self._nobody = self._anybody.sure(now)
        if self._nobody and not before_nobody:
            log.error("no worker is there; callers are turned away")
        await self._look_at_pace(now)

    async def _look_at_pace(self, now: float) -> None:
        before = self._pace
        self._pace = before.next(await self._store.latencies(now - WINDOW), self._slow)
        P90.set(self._pace.p90)
        if self._pace.slow is not before.slow:
            what = (
                "agents are too slow: new calls don't go to them" if self._pace.slow else "agents are fast enough again"
            )
            log.warning(what, p90=round(self._pace.p90, 2))

    def state(self, now: float) -> State:
        """What a decision has to know at a time."""
        return replace(self._state(now), no_agent=self._no_agent, nobody=self._nobody, overloaded=self._pace.why)

    def slots(self) -> Mapping[Pool, int]:
        """How many calls each pool bears at once."""
        return {pool: one.slots for pool, one in self._loads.items()}

    def told(self) -> Mapping[str, object]:
        """How they stand, for operators; JSON."""
        pools = {
            pool.value: {"workers": one.workers, "calls": one.calls, "slots": one.slots}
            for pool, one in self._loads.items()
        }
        return {**pools, "p90": round(self._pace.p90, 3), "slow": self._pace.why}
