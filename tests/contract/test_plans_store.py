"""What the store of versions and overrides owes to those who share it: the same times and bytes for all, one number
each, plain errors. On SQLite, and on PostgreSQL where it is installed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from hashlib import sha256
from unittest.mock import patch

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.config import Settings
from gateway.dialplan.version import Source, Version
from gateway.errors import Refused, Unavailable
from gateway.records.engine import connect
from gateway.records.plans import Overrides, Plans
from gateway.records.schema import OVERRIDES, PLAN_FILES, PLAN_VERSION_FILES, PLAN_VERSIONS

NOW = 1_800_000_000.0
ODD_TIMES = [NOW + 0.1234567, NOW + 1.0000004, NOW + 2.9999996, NOW + 86_400 / 7]
"""Finer than a microsecond, as a clock gives them."""
TOO_LARGE = 10**20


@pytest.fixture
async def other(engine: AsyncEngine, settings: Settings) -> AsyncIterator[AsyncEngine]:
    """Another process's engine on the same database."""
    opened = connect(settings.database, writes=True)
    yield opened
    await opened.dispose()


async def put(
    plans: Plans,
    content: str,
    now: float = NOW,
    *,
    files: Mapping[str, bytes] | None = None,
    effective: float | None = None,
    source: Source = Source.APPLY,
    message: str = "why",
) -> Version | None:
    return await plans.apply(
        files if files is not None else {"main.yaml": content.encode()},
        content=content, author="ana", now=now, effective=effective, message=message, source=source,
    )  # fmt: skip


async def count(engine: AsyncEngine) -> dict[str, int]:
    async with engine.connect() as connection:
        return {
            table.name: await connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (PLAN_FILES, PLAN_VERSIONS, PLAN_VERSION_FILES, OVERRIDES)
        }


@pytest.mark.parametrize("at", ODD_TIMES)
async def test_the_writer_of_a_version_holds_what_others_read(engine: AsyncEngine, at: float) -> None:
    plans = Plans(engine)
    made = await put(plans, "a", at)
    waits = await put(plans, "b", at, effective=at + 3600.3333333)
    assert [made, waits] == [await plans.get(1), await plans.get(2)]
    assert made is not None
    assert (made.made, made.effective) == (pytest.approx(at, abs=1e-6), made.made), "one that counts at once"
    assert await plans.live(at) == made, "in force from that moment on"


@pytest.mark.parametrize("at", ODD_TIMES)
async def test_the_writer_of_an_override_holds_what_others_read(engine: AsyncEngine, at: float) -> None:
    overrides = Overrides(engine)
    made = await overrides.add("notice", "all", at + 60.7654321, "We move.", "ana", at)
    assert [made] == await overrides.active(at) == await overrides.since(at) == await overrides.past(at + 61)


async def test_what_all_replicas_see_saved_is_one_version(engine: AsyncEngine, other: AsyncEngine) -> None:
    stores = [Plans(engine), Plans(other)]
    made = await asyncio.gather(*(put(stores[turn % 2], "a", NOW + turn, source=Source.SAVE) for turn in range(6)))
    assert [one.number for one in made if one] == [1]
    assert await count(engine) == {"plan_files": 1, "plan_versions": 1, "plan_version_files": 1, "overrides": 0}


async def test_processes_at_once_make_one_number_each_and_share_files(engine: AsyncEngine, other: AsyncEngine) -> None:
    stores = [Plans(engine), Plans(other)]
    same = bytes(range(256)) * 500
    made = await asyncio.gather(*(
        put(stores[turn % 2], f"{turn}", NOW + turn, files={"main.yaml": b"%d" % turn, "same.csv": same})
        for turn in range(8)
    ))  # fmt: skip
    assert sorted(one.number for one in made if one) == list(range(1, 9))
    assert (await count(engine))["plan_files"] == 9
    for one in filter(None, made):
        assert await stores[1].files(one.number) == {"main.yaml": one.content.encode(), "same.csv": same}


async def test_overrides_made_at_once_are_all_kept(engine: AsyncEngine, other: AsyncEngine) -> None:
    stores = [Overrides(engine), Overrides(other)]
    await asyncio.gather(*(stores[turn % 2].add("away", "ana", NOW + 9, "", "ben", NOW) for turn in range(6)))
    assert [one.id for one in await stores[0].active(NOW)] == [1, 2, 3, 4, 5, 6]


async def test_files_come_back_byte_for_byte_and_are_kept_packed(engine: AsyncEngine) -> None:
    plans = Plans(engine)
    files = {"main.yaml": b"\xef\xbb\xbfa: 1\r\n", "lists/büro.csv": b"+15105550100\n" * 9000, "empty.csv": b""}
    await put(plans, "a", files=files)
    assert await plans.files(1) == files
    async with engine.connect() as connection:
        stored = await connection.scalar(select(func.sum(func.length(PLAN_FILES.c.data)))) or 0
    assert stored < sum(map(len, files.values())) / 50


async def test_a_file_at_hand_is_not_fetched(engine: AsyncEngine) -> None:
    plans = Plans(engine)
    await put(plans, "a", files={"main.yaml": b"a", "big.csv": b"1"})
    digest = sha256(b"1").hexdigest()
    async with engine.begin() as connection:  # whoever fetches it can't unpack it
        await connection.execute(update(PLAN_FILES).where(PLAN_FILES.c.hash == digest).values(data=b"spoiled"))
    assert await plans.files(1, {digest: b"1"}) == {"main.yaml": b"a", "big.csv": b"1"}


async def test_what_is_in_force_may_be_scheduled_again(engine: AsyncEngine) -> None:
    plans = Plans(engine)
    await put(plans, "a")
    await put(plans, "holiday", NOW + 1, effective=NOW + 100)
    assert await put(plans, "a", NOW + 2, effective=NOW + 200), "back to the usual afterwards"
    found = [await plans.live(NOW + at) for at in (50, 100, 200)]
    assert [one.content for one in found if one] == ["a", "holiday", "a"]


async def test_a_scheduled_apply_takes_the_pin_out_at_its_time(engine: AsyncEngine) -> None:
    plans = Plans(engine)
    await put(plans, "a")
    await put(plans, "b", NOW + 1, source=Source.ROLLBACK)
    await put(plans, "c", NOW + 2, effective=NOW + 100)
    assert await put(plans, "d", NOW + 99, source=Source.SAVE) is None
    assert await put(plans, "d", NOW + 101, source=Source.SAVE)


async def test_what_no_database_holds_of_a_message_is_left_out(engine: AsyncEngine) -> None:
    made = await put(Plans(engine), "a", message="caf\udce9 \x00closed")
    assert made is not None
    assert made.message == "caf? closed"
    assert await Plans(engine).get(1) == made
    overrides = Overrides(engine)
    over = await overrides.add("close", "caf\udce9", NOW + 9, "\x00Closed.", "an\udce9", NOW)
    assert (over.subject, over.say, over.author) == ("caf?", "Closed.", "an?")
    assert await overrides.end(["close"], "caf\udce9", "b\udce9n", NOW + 1) == 1
    assert (await overrides.past(NOW + 1))[0].ended_by == "b?n"


@pytest.mark.parametrize("name", ["caf\udce9.csv", "a\x00.csv"])
async def test_a_file_whose_name_is_no_text_is_refused_whole(engine: AsyncEngine, name: str) -> None:
    with pytest.raises(Refused, match="Rename the file"):
        await put(Plans(engine), "a", files={"main.yaml": b"a", name: b"b"})
    assert set((await count(engine)).values()) == {0}


@pytest.mark.parametrize("number", [0, 2, -1, 2**31, TOO_LARGE, -TOO_LARGE])
async def test_a_version_that_is_not_there_is_told_plainly(engine: AsyncEngine, number: int) -> None:
    plans = Plans(engine)
    await put(plans, "a")
    with pytest.raises(Refused, match=f"no version {number} "):
        await plans.get(number)
    with pytest.raises(Refused, match=f"no version {number} "):
        await plans.files(number)
    assert not await plans.withdraw(number, NOW)


async def test_an_override_counts_until_its_end_and_ends_only_what_is_meant(engine: AsyncEngine) -> None:
    overrides = Overrides(engine)
    for kind, subject, until in (
        ("close", "office", NOW + 5),
        ("close", "office", NOW + 100),
        ("close", "office", NOW + 200),
        ("open", "office", NOW + 100),
        ("close", "sales", NOW + 100),
    ):
        await overrides.add(kind, subject, until, "", "ana", NOW)
    assert [one.id for one in await overrides.active(NOW + 4.999)] == [1, 2, 3, 4, 5]
    assert [one.id for one in await overrides.active(NOW + 5)] == [2, 3, 4, 5]
    assert await overrides.end(["close"], "office", "ben", NOW + 10) == 2
    assert [one.id for one in await overrides.active(NOW + 10)] == [4, 5]
    kept = await overrides.past(NOW + 10)
    assert [(one.id, one.ended) for one in kept] == [(3, NOW + 10), (2, NOW + 10), (1, None)]
    assert [one.id for one in await overrides.past(NOW + 10, 1)] == [3]
    assert [one.id for one in await overrides.since(NOW + 5)] == [2, 3, 4, 5]


async def test_withdrawing_forgets_nothing(engine: AsyncEngine) -> None:
    plans = Plans(engine)
    await put(plans, "a")
    await put(plans, "b", NOW, effective=NOW + 100)
    await plans.withdraw(2, NOW + 7)
    assert [(one.number, one.withdrawn) for one in await plans.history()] == [(2, NOW + 7), (1, None)]
    assert await plans.files(2) == {"main.yaml": b"b"}
    made = await put(plans, "c", NOW + 8)
    assert made is not None
    assert made.number == 3, "a number is never used again"
    assert [one.number for one in await plans.history(1)] == [3]


async def test_looks_do_not_wait_for_a_writer(engine: AsyncEngine, settings: Settings) -> None:
    await put(Plans(engine), "a")
    looking = connect(settings.database, writes=False)
    try:
        async with engine.begin() as busy, asyncio.timeout(5):
            await busy.execute(insert(PLAN_FILES), {"hash": "h", "data": b""})
            assert await Plans(engine, looking).live(NOW)
            assert await Overrides(engine, looking).active(NOW) == []
    finally:
        await looking.dispose()


ASKS: Mapping[str, Callable[[Plans, Overrides], Awaitable[object]]] = {
    "apply": lambda plans, _: put(plans, "a"),
    "live": lambda plans, _: plans.live(NOW),
    "history": lambda plans, _: plans.history(),
    "get": lambda plans, _: plans.get(1),
    "of_content": lambda plans, _: plans.of_content("a"),
    "files": lambda plans, _: plans.files(1),
    "withdraw": lambda plans, _: plans.withdraw(1, NOW),
    "add": lambda _, overrides: overrides.add("close", "office", NOW + 1, "", "ana", NOW),
    "end": lambda _, overrides: overrides.end(["close"], "office", "ana", NOW),
    "active": lambda _, overrides: overrides.active(NOW),
    "past": lambda _, overrides: overrides.past(NOW),
    "since": lambda _, overrides: overrides.since(NOW),
}


async def test_an_older_database_is_told_with_its_remedy(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for table in (OVERRIDES, PLAN_VERSION_FILES, PLAN_VERSIONS, PLAN_FILES):
            await connection.execute(text(f"DROP TABLE {table.name}"))
    for name, ask in ASKS.items():
        with pytest.raises(Unavailable, match="of an older offhook. Start offhook up or offhook control") as raised:
            await ask(Plans(engine), Overrides(engine))
        assert "\n" not in str(raised.value), name


async def test_a_database_that_cannot_be_used_is_unavailable_in_plain_words(engine: AsyncEngine) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise OSError("The disk is gone.\nAt sector 7.")

    for name, ask in ASKS.items():
        with (
            patch.object(AsyncConnection, "execute", broken),
            pytest.raises(Unavailable, match="database of plans doesn't answer.*check DATABASE_URL") as raised,
        ):
            await ask(Plans(engine), Overrides(engine))
        assert "\n" not in str(raised.value), name
