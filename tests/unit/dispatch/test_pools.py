"""Whether agents can be had: believed until the contrary is known, and then until it has changed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.calls.shared.working import Working
from gateway.calls.store.memory import MemoryStore
from gateway.dialplan.state import State
from gateway.dispatch.pools import ABSENT, STARTING, Pools
from gateway.errors import Unavailable
from gateway.terms.call import CallId, Pool
from gateway.terms.event import Event, Kind


class There:
    """A presence of so many workers of agents, who have slots, and one of the house's."""

    def __init__(self) -> None:
        self.agents = 0
        self.idle = 0
        """Those that take no calls."""
        self.house = 1
        self.away = False

    async def there(self, pool: Pool) -> Sequence[Working]:
        idle = [Working(False)] * (self.idle if pool is Pool.AGENTS else 0)
        if self.away:
            raise Unavailable("down")
        return [*idle, *([Working(True, 1, 20)] * (self.agents if pool is Pool.AGENTS else self.house))]


def store() -> MemoryStore:
    return MemoryStore(lambda: 0.0)


async def test_callers_are_sent_to_agents_while_a_gateway_starts_and_not_when_none_is_left() -> None:
    there, now = There(), [100.0]
    pools = Pools(there, store(), lambda _: State(elsewhere=3), lambda: now[0])  # type: ignore[arg-type]  # of a Presence
    await pools.look()
    assert pools.state(now[0]) == State(elsewhere=3)
    there.agents = 1
    await pools.look()
    there.agents = 0
    await pools.look()
    assert not pools.state(now[0]).no_agent, "it may be Redis that has forgotten them"
    now[0] += ABSENT
    await pools.look()
    assert pools.state(now[0]).no_agent
    there.agents = 2
    await pools.look()
    assert not pools.state(now[0]).no_agent


async def test_workers_that_say_that_they_take_no_calls_are_believed_at_once() -> None:
    there, now = There(), [100.0]
    pools = Pools(there, store(), lambda _: State(), lambda: now[0])  # type: ignore[arg-type]  # of a Presence
    there.idle = 1
    await pools.look()
    assert not pools.state(now[0]).no_agent, "the gateway starts"
    there.agents = 1
    await pools.look()
    there.agents = 0
    await pools.look()
    assert pools.state(now[0]).no_agent


async def test_workers_that_never_come_are_none() -> None:
    there, now = There(), [100.0]
    pools = Pools(there, store(), lambda _: State(), lambda: now[0])  # type: ignore[arg-type]  # of a Presence
    for seconds in (0.0, STARTING - 0.1):
        now[0] += seconds
        await pools.look()
        assert not pools.state(now[0]).no_agent
    now[0] += 0.1
    await pools.look()
    assert pools.state(now[0]).no_agent


async def test_callers_are_turned_away_once_no_worker_of_any_pool_is_there() -> None:
    there, now = There(), [100.0]
    pools = Pools(there, store(), lambda _: State(), lambda: now[0])  # type: ignore[arg-type]  # of a Presence

    async def nobody(after: float) -> bool:
        now[0] += after
        await pools.look()
        return pools.state(now[0]).nobody

    there.house = 0
    assert not await nobody(0.0)
    assert not await nobody(STARTING - 0.1), "the gateway starts"
    assert await nobody(0.1)
    there.idle = 1
    assert not await nobody(1.0), "it may only be LiveKit that is away"
    there.idle = 0
    assert not await nobody(1.0)
    assert not await nobody(ABSENT - 0.1), "Redis may have forgotten them"
    assert await nobody(0.1)


async def test_workers_that_nobody_can_hear_of_are_waited_for() -> None:
    there, now = There(), [100.0]
    pools = Pools(there, store(), lambda _: State(), lambda: now[0])  # type: ignore[arg-type]  # of a Presence
    await pools.look()
    there.house = 0
    now[0] += 1.0
    await pools.look()
    there.away = True
    now[0] += 60.0
    with pytest.raises(Unavailable):
        await pools.look()
    there.away = False
    await pools.look()
    assert not pools.state(now[0]).nobody
    assert not pools.state(now[0]).no_agent


async def test_workers_who_stood_still_as_we_did_are_waited_for() -> None:
    there, now = There(), [100.0]
    there.agents = 1
    pools = Pools(there, store(), lambda _: State(), lambda: now[0])  # type: ignore[arg-type]  # of a Presence
    await pools.look()
    there.agents = 0
    now[0] += 60.0
    await pools.look()
    assert not pools.state(now[0]).no_agent, "their first beat comes after our first look"


async def test_agents_that_are_too_slow_get_no_new_calls_until_they_are_fast_again() -> None:
    there, now, calls = There(), [100.0], store()
    there.agents = 2
    pools = Pools(there, calls, lambda _: State(), lambda: now[0], slow=2.0)  # type: ignore[arg-type]  # of a Presence

    async def turns(seconds: float, count: int = 10) -> None:
        for number in range(count):
            data = {"seq": number, "speaker": "agent", "text": "", "latencies": {"e2e_latency": seconds}}
            await calls.tell(Event(CallId("SCL_1"), Kind.TURN, now[0], data))

    await turns(9.0, 3)
    await pools.look()
    assert not pools.state(now[0]).overloaded, "three turns say nothing"
    await turns(9.0)
    await pools.look()
    assert pools.state(now[0]).overloaded == "callers wait 9.0 s for an answer"
    assert pools.told() == {
        "agents": {"workers": 2, "calls": 2, "slots": 40},
        "house": {"workers": 1, "calls": 1, "slots": 20},
        "p90": 9.0,
        "slow": "callers wait 9.0 s for an answer",
    }
    assert pools.slots() == {Pool.AGENTS: 40, Pool.HOUSE: 20}
    now[0] += 31.0
    await turns(1.9)
    await pools.look()
    assert pools.state(now[0]).overloaded, "not yet fast enough"
    now[0] += 31.0
    await turns(1.0)
    await pools.look()
    assert not pools.state(now[0]).overloaded
