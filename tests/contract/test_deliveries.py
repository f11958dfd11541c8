"""The outbox as a deliverer sees it: one suite for the one in memory and the one on each database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.records.memory_outbox import MemoryOutbox
from gateway.records.outbox import GIVE_UP_AFTER, LEASE, URGENT_LEASE, Deliveries, Due, Outbox, next_try, put
from gateway.terms.delivery import Content, Delivery

NOW = 1_800_000_000.0
ONE = Delivery(kind="digest", subject="1", address="https://x.example/h", content=Content("t", "b", {"a": [1]}))
OTHER, URGENT = replace(ONE, subject="2"), replace(ONE, subject="3", urgent=True)

Put = Callable[[Delivery, float], Awaitable[None]]


class Suite:
    """What every outbox does."""

    async def test_it_is_made_once_and_gone(self, box: tuple[Deliveries, Put]) -> None:
        outbox, put_in = box
        for _ in range(2):
            await put_in(ONE, NOW)
        (due,) = await outbox.claim(NOW, 5, urgent=False)
        assert (due.id, due.address, due.content, due.tries, due.made) == (ONE.id, ONE.address, ONE.content, 1, NOW)
        assert await outbox.about(due) == {}
        await outbox.delivered(due, NOW + 1)
        await put_in(ONE, NOW + 2)
        assert not await outbox.claim(NOW + 1e9, 5, urgent=False)

    async def test_whose_try_is_never_over_is_due_again_under_its_id(self, box: tuple[Deliveries, Put]) -> None:
        outbox, put_in = box
        await put_in(ONE, NOW)
        await put_in(URGENT, NOW)
        for lease, urgent in ((LEASE, False), (URGENT_LEASE, True)):
            (due,) = await outbox.claim(NOW, 5, urgent=urgent)
            assert not await outbox.claim(NOW + lease - 0.1, 5, urgent=urgent)
            (again,) = await outbox.claim(NOW + lease, 5, urgent=urgent)
            assert (again.id, again.tries) == (due.id, 2)

    async def test_the_longest_due_goes_first_and_no_more_than_asked_for(self, box: tuple[Deliveries, Put]) -> None:
        outbox, put_in = box
        await put_in(replace(ONE, due=NOW + 9), NOW)
        await put_in(replace(OTHER, due=NOW + 5), NOW)
        assert not await outbox.claim(NOW + 4, 1, urgent=False)
        assert [due.id for due in await outbox.claim(NOW + 9, 1, urgent=False)] == [OTHER.id]
        assert [due.id for due in await outbox.claim(NOW + 9, 1, urgent=False)] == [ONE.id]

    async def test_what_went_with_another_is_not_made(self, box: tuple[Deliveries, Put]) -> None:
        outbox, put_in = box
        await put_in(ONE, NOW)
        await put_in(replace(OTHER, due=NOW + 9), NOW)
        (due,) = await outbox.claim(NOW, 5, urgent=False)
        await outbox.delivered(due, NOW, also=[OTHER.id])
        assert not await outbox.claim(NOW + 1e9, 5, urgent=False)

    async def test_a_failed_one_is_due_later_until_nobody_needs_it(self, box: tuple[Deliveries, Put]) -> None:
        outbox, put_in = box
        await put_in(replace(URGENT, until=NOW + 3), NOW)
        (due,) = await outbox.claim(NOW, 5, urgent=True)
        assert await outbox.failed(due, "down", NOW)
        assert not await outbox.claim(NOW + 0.9, 5, urgent=True)
        (due,) = await outbox.claim(NOW + 1, 5, urgent=True)
        assert not await outbox.failed(due, "down", NOW + 1)
        assert not await outbox.claim(NOW + 1e9, 5, urgent=True)


class TestMemory(Suite):
    @pytest.fixture
    def box(self) -> tuple[Deliveries, Put]:
        outbox = MemoryOutbox()

        async def put_in(delivery: Delivery, now: float) -> None:
            outbox.put(delivery, now)

        return outbox, put_in


class TestDatabase(Suite):
    @pytest.fixture
    def box(self, engine: AsyncEngine, outbox: Outbox) -> tuple[Deliveries, Put]:
        async def put_in(delivery: Delivery, now: float) -> None:
            async with engine.begin() as connection:
                await put(connection, delivery, now)

        return outbox, put_in


@given(st.booleans(), st.integers(1, 200), st.floats(0, GIVE_UP_AFTER), st.floats(0, 5000), st.booleans())
def test_a_next_try_never_comes_too_soon_nor_too_late(
    urgent: bool, tries: int, since: float, wait: float, again: bool
) -> None:
    due = Due("i", "k", "s", "", "a", None, urgent, NOW, NOW + GIVE_UP_AFTER, tries)
    later = next_try(due, NOW + since, again=again, wait=wait)
    if later is None:
        assert not again or since + max(wait, 3600) >= GIVE_UP_AFTER
    else:
        assert again
        assert max(wait, 0.99) - 1e-3 <= later - NOW - since <= max(wait, 3600) + 1e-3
        assert later < due.until
