"""Whether the gateway can do with one more call. Pure.

Two things bound it. Slots: each pool's workers say how many calls they bear, and calls are counted towards their pool
as they are towards their route, so that agents never use up what the house has, on whichever machine. And how long
callers wait for an agent's answer now: one more call would make all of them wait longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.calls.shared.working import Working
from gateway.dialplan.state import State
from gateway.terms.call import Call, Pool

WINDOW = 30.0
"""Seconds for which a turn's latency counts."""
ENOUGH = 8
"""Turns in that time below which they say nothing. They are fewer the longer each takes: agents that are too slow already stay
so by any two, or a few callers' slow answers would let new ones in every half minute."""
SPARED = 1
"""The slowest of them that says nothing alone, however few there are: some callers' questions take long. Answers that are all
slow are noticed one answer later for it, and in time where there are 11 and more."""
EASES = 0.75
"""Part of the bound below which it must fall until calls are admitted again: else it would go to and fro."""
ANY = 1_000_000
"""A bound for calls that are counted and never refused."""
ALL_TALK = "every agent has a call"


@dataclass(frozen=True, slots=True)
class Load:
    """A pool's workers together."""

    workers: int = 0
    """Those that take calls."""
    calls: int = 0
    slots: int = 0
    """Calls that they bear; of workers that end, those that they have."""


def load(workers: Sequence[Working]) -> Load:
    """What they make together."""
    return Load(
        sum(one.ready for one in workers),
        sum(one.calls for one in workers),
        sum(one.slots if one.ready else one.calls for one in workers),
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """How long callers wait for an agent's answer."""

    p90: float = 0.0
    """Seconds that nine of ten answers stay below, and all but SPARED of fewer; 0 where there are too few."""
    turns: int = 0
    slow: bool = False
    """Longer than it may be: new calls don't go to agents."""

    def next(self, latencies: Sequence[float], at_most: float) -> Pace:
        """The pace by the latencies of the WINDOW, in seconds. `at_most`: the bound; 0 for none."""
        if len(latencies) < (SPARED + 1 if self.slow else ENOUGH):
            return Pace(turns=len(latencies))
        p90 = sorted(latencies)[min(int(len(latencies) * 0.9), len(latencies) - 1 - SPARED)]
        bound = at_most * (EASES if self.slow else 1.0)
        return Pace(p90, len(latencies), slow=at_most > 0 and p90 >= bound)

    @property
    def why(self) -> str:
        """Why new calls don't go to agents, or ""."""
        return f"callers wait {self.p90:.1f} s for an answer" if self.slow else ""


def counted(pool: Pool) -> str:
    """The name under which a pool's calls are counted; no route has such a name."""
    return f"pool:{pool.value}"


def bounds(call: Call, job: Pool | None, slots: Mapping[Pool, int], *, opens: bool = False) -> Mapping[str, int]:
    """What a call counts towards at its stop beside its routes. `job`: the pool of the job that conducts it and goes on
    if it can; None where another is sent. `opens`: it has only just come. `slots`: of each pool; where it is 0 or
    missing nobody knows (`State.nobody` says where no worker is there at all).

    A caller who is in the gateway is never refused the house, nor an agent that they have.
    """
    pool = job if job is not None and not call.needs_another(job) else call.pool
    refused = pool is not job and (opens or pool is Pool.AGENTS)
    return {counted(pool): slots.get(pool, 0) or ANY if refused else ANY}


def fuller(state: State, full: str, limits: Mapping[str, int]) -> State:
    """The state once it is known that what is counted as `full` bears no more."""
    if full == counted(Pool.AGENTS):
        return replace(state, overloaded=ALL_TALK)
    return replace(state, calls={**state.calls, full: limits[full]})
