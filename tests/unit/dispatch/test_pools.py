"""Whether agents can be had: believed until the contrary is known, and then until it has changed."""

from __future__ import annotations

from gateway.dialplan.state import State
from gateway.dispatch.pools import STARTING, Pools
from gateway.terms.call import Pool


class There:
    """A presence of so many workers."""

    def __init__(self) -> None:
        self.agents = 0

    async def workers(self, pool: Pool, now: float) -> int:
        assert pool is Pool.AGENTS
        return self.agents


async def test_callers_are_sent_to_agents_while_a_gateway_starts_and_not_when_none_is_left() -> None:
    there, now = There(), [100.0]
    pools = Pools(there, lambda _: State(elsewhere=3), lambda: now[0])  # type: ignore[arg-type]  # of a Presence
    await pools.look()
    assert pools.state(now[0]) == State(elsewhere=3)
    there.agents = 1
    await pools.look()
    there.agents = 0
    await pools.look()
    assert pools.state(now[0]).no_agent
    there.agents = 2
    await pools.look()
    assert not pools.state(now[0]).no_agent


async def test_workers_that_never_come_are_none() -> None:
    there, now = There(), [100.0]
    pools = Pools(there, lambda _: State(), lambda: now[0])  # type: ignore[arg-type]  # of a Presence
    now[0] += STARTING
    await pools.look()
    assert pools.state(now[0]).no_agent
