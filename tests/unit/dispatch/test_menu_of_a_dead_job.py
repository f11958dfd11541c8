"""A menu's job dies over a key that leads to an agent: control hears of both at once, in whatever order its steps come, and one
agent's job is sent for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app.catalogue import load as catalogue
from gateway.calls.store.memory import MemoryStore
from gateway.calls.store.port import Asked
from gateway.dialplan.load import load
from gateway.dialplan.plan import Plan
from gateway.dispatch.dispatcher import Dispatcher
from gateway.terms.act import Because, Onward
from gateway.terms.call import Call, Pool
from tests.unit.conduct import virtual
from tests.unit.dispatch.test_dispatcher_leads import MENU
from tests.unit.dispatch.world import CALL, Remembering, arrival

SALES = Onward(Because.KEY, "2")


class Late:
    """A store as one replica has it, each of whose answers may be late."""

    def __init__(self, store: MemoryStore, delays: Iterator[int]) -> None:
        self._store, self._delays = store, delays

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def late(*given: Any, **named: Any) -> Any:
            await asyncio.sleep(next(self._delays, 0))
            found = await method(*given, **named)
            await asyncio.sleep(next(self._delays, 0))
            return found

        return late


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder: Path = tmp_path_factory.mktemp("plan")
    (folder / "main.yaml").write_text(MENU)
    found = load(folder, catalogue(), datetime(2026, 11, 23, 15, tzinfo=UTC)).plan
    assert found is not None
    return found


_DELAYS = st.lists(st.integers(0, 3), max_size=16)


@given(_DELAYS, _DELAYS, st.booleans())
def test_one_job_of_the_agents_is_sent_for(plan: Plan, ones: list[int], others: list[int], dies: bool) -> None:
    async def scene() -> tuple[Call, Sequence[tuple[str, ...]]]:
        store, rooms = MemoryStore(lambda: 1000.0), Remembering(there={CALL: arrival()})
        one, other = (
            Dispatcher(cast(Any, Late(store, iter(delays))), rooms, lambda: plan, clock=lambda: 1000.0)
            for delays in (ones, others)
        )
        await one.arrived(arrival())
        assert await store.take(CALL, 1, "job", 9.0)
        await store.ask(Asked(CALL, 1, 1, SALES, Pool.HOUSE))
        if dies:
            await store.release(CALL, 1, "job")
        await asyncio.gather(one.answer(0.1), other.replace_lost(0.1))
        call = await store.get(CALL)
        if call is not None and call.stop == 1:  # the menu's next job: its checkpoint says where it goes on
            await store.ask(Asked(CALL, call.epoch, 1, SALES, Pool.HOUSE))
            await one.answer(0.1)
            call = await store.get(CALL)
        assert call is not None
        return call, [done for done in rooms.done if done[0] == "dispatch"]

    call, sent = virtual.run(scene())
    assert (call.route, call.stop, call.pool) == ("sales", 2, Pool.AGENTS)
    now = [pool for _, pool, told in sent if json.loads(told)["epoch"] == call.epoch]
    assert now == ["offhook-agents"]
