"""Whether workers take calls for agents, as decisions have to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from gateway.calls.presence import Presence
from gateway.dialplan.state import State
from gateway.terms.call import Pool

STARTING = 60.0
"""Seconds that workers may take to say that they are there, when a whole gateway starts at once."""

log = structlog.get_logger(__name__)


class Pools:
    """Whether there is anybody to talk: part of what decisions are made by."""

    def __init__(self, presence: Presence, state: Callable[[float], State], clock: Callable[[], float]) -> None:
        """`state`: what operators override at a time. `clock`: seconds since the epoch."""
        self._presence, self._state, self._clock = presence, state, clock
        self._no_agent = False
        """As long as nobody knows, callers are sent to agents."""
        self._patient_until = clock() + STARTING

    async def look(self) -> None:
        """Ask who is there. Raises Unavailable; what was known is believed on."""
        now = self._clock()
        there = await self._presence.workers(Pool.AGENTS, now)
        if there:
            self._patient_until = 0.0
        no_agent = not there and now >= self._patient_until
        if no_agent is not self._no_agent:
            log.warning("no worker takes calls for agents" if no_agent else "workers take calls for agents")
        self._no_agent = no_agent

    def state(self, now: float) -> State:
        """What a decision has to know at a time."""
        return replace(self._state(now), no_agent=self._no_agent)
