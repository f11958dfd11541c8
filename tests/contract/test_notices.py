"""The outbox of messages, on each database: written with the message, delivered at least once under one id."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from datetime import UTC

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, unused_port
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.app.messages import notifier, served
from gateway.config import Settings
from gateway.errors import Unavailable
from gateway.operate import apprising
from gateway.operate.notifier import Notifier
from gateway.operate.telling import Told
from gateway.records import rows
from gateway.records.engine import connect
from gateway.records.notices import GIVE_UP_AFTER, LEASE, WORDS_WITHIN, Notice, Outbox
from gateway.records.schema import CALLS, NOTICES
from gateway.records.writer import Writer
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind
from tests.contract.test_records import Died, Tape

CALL, NOW = CallId("SCL_a"), 1_800_000_000.0
ANA, HOOK = "mailto:ana@example.com", "https://example.com/hook"
OPENED = Event(CALL, Kind.OPENED, NOW, {"caller": "+15105550142", "dialed": "+15105550100", "route": "night"}, "1-0")
LEFT = Event(CALL, Kind.MESSAGE, NOW + 1, {"id": "m1", "file": "m1.ogg", "seconds": 7.5, "size": 9, "because": "closed",
                                           "team": "sales", "notify": [ANA, HOOK, ANA]}, "2-0")  # fmt: skip
WORDS = Event(CALL, Kind.TRANSCRIBED, NOW + 9, {"id": "m1", "text": "call me"}, "3-0")

Write = Callable[..., "asyncio.Future[None]"]


@pytest.fixture
async def outbox(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Outbox]:
    looking = connect(settings.database, writes=False)
    yield Outbox(engine, looking)
    await looking.dispose()


async def write(engine: AsyncEngine, *events: Event, at: float = NOW) -> None:
    await Writer(Tape(events), engine, clock=lambda: at).drain()


def heads(notices: object) -> list[tuple[str, str, int]]:
    assert isinstance(notices, list | tuple)
    return sorted((notice.address, notice.what, notice.tries) for notice in notices if isinstance(notice, Notice))


async def test_the_first_notice_waits_a_little_for_the_words(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, OPENED, LEFT)
    assert await outbox.claim(NOW + WORDS_WITHIN - 1) == ()
    await write(engine, WORDS, at=NOW + 9)
    found = await outbox.claim(NOW + 9)
    assert heads(found) == [(HOOK, "message", 1), (ANA, "message", 1)]
    row = found[0].message
    assert (row["transcript"], row["caller"], row["seconds"], row["team"], row["route"]) == (
        "call me", "+15105550142", 7.5, "sales", "night",
    )  # fmt: skip


async def test_words_that_are_there_before_the_message_are_not_waited_for(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, WORDS)
    await write(engine, LEFT)
    assert len(await outbox.claim(NOW)) == 2


async def test_words_that_come_late_have_a_notice_of_their_own(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, OPENED, LEFT)
    late = NOW + WORDS_WITHIN + 5
    for notice in await outbox.claim(late):
        await outbox.delivered(notice, late)
    await write(engine, WORDS, at=late + 100)
    assert heads(await outbox.claim(late + 100)) == [(HOOK, "transcript", 1), (ANA, "transcript", 1)]


async def test_words_that_went_with_a_later_try_are_not_told_again(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, LEFT)
    first = NOW + WORDS_WITHIN + 1
    for notice in await outbox.claim(first):
        assert await outbox.failed(notice, "down", first)
    await write(engine, WORDS, at=first + 5)
    # The words' own notice is due at once; the message's is tried again with them a little later.
    async with engine.begin() as connection:
        await connection.execute(NOTICES.update().where(NOTICES.c.what == "transcript").values(due=first + 1000))
    for notice in await outbox.claim(first + 60):
        assert (notice.what, notice.message["transcript"], notice.tries) == ("message", "call me", 2)
        await outbox.delivered(notice, first + 60)
    assert await outbox.claim(first + 1e6) == ()


async def test_a_silent_message_has_no_words_to_tell(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, LEFT)
    late = NOW + WORDS_WITHIN + 5
    for notice in await outbox.claim(late):
        await outbox.delivered(notice, late)
    await write(engine, Event(CALL, Kind.TRANSCRIBED, late, {"id": "m1", "text": ""}, "3-0"), at=late)
    assert await outbox.claim(late + 1e6) == ()


async def test_a_message_told_twice_has_one_notice_for_each_address(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, LEFT, Event(CALL, Kind.MESSAGE, NOW + 2, LEFT.data, "again"))
    assert len(await outbox.claim(NOW + WORDS_WITHIN)) == 2


async def test_message_and_notices_are_written_both_or_neither(
    engine: AsyncEngine, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(rows, "note_applied", dies)
        with pytest.raises(Died):
            await write(engine, LEFT)
    assert await outbox.claim(NOW + 1e6) == ()
    await write(engine, LEFT)
    assert len(await outbox.claim(NOW + 1e6)) == 2


async def test_what_is_claimed_is_nobody_elses_until_its_try_is_over(
    settings: Settings, engine: AsyncEngine, outbox: Outbox
) -> None:
    await write(engine, LEFT)
    now = NOW + WORDS_WITHIN
    claims = await asyncio.gather(*(outbox.claim(now) for _ in range(5)))
    ids = [notice.id for claim in claims for notice in claim]
    assert len(ids) == len(set(ids)) == 2
    assert await outbox.claim(now + LEASE - 1) == ()
    again = await outbox.claim(now + LEASE)  # whoever claimed them has died
    assert sorted(notice.id for notice in again) == sorted(ids)
    assert {notice.tries for notice in again} == {2}


async def test_tries_grow_apart_and_end_after_a_day(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, Event(CALL, Kind.MESSAGE, NOW, {"id": "m1", "notify": [ANA]}, "2-0"))
    now, times = NOW + WORDS_WITHIN, []
    while True:
        (notice,) = await outbox.claim(now)
        times.append(now)
        if not await outbox.failed(notice, "down", now):
            break
        async with engine.connect() as connection:
            now = await connection.scalar(select(NOTICES.c.due))
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert gaps == sorted(gaps)
    assert (gaps[0], gaps[-1]) == (15.0, 3600.0)
    assert GIVE_UP_AFTER - 3600 <= times[-1] - NOW < GIVE_UP_AFTER
    assert await outbox.claim(NOW + 1e9) == ()


async def test_erasing_the_call_erases_its_notices(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, LEFT)
    async with engine.begin() as connection:
        await connection.execute(CALLS.delete())
    assert await outbox.claim(NOW + 1e6) == ()


async def test_the_notifier_tries_until_it_arrives_under_one_id(
    settings: Settings, engine: AsyncEngine, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(engine, OPENED, LEFT, WORDS)
    now, sent, failures = NOW + 10, [], [Unavailable("down"), Unavailable("down")]

    def send(address: str, told: Told, *, smtp: str) -> None:
        sent.append((address, told.fields["id"], told.fields["transcript"]))
        if failures:
            raise failures.pop()

    monkeypatch.setattr(apprising, "send", send)
    notifier = Notifier(outbox, settings, zone=lambda: UTC, clock=lambda: now)
    for _ in range(4):
        await notifier.look()
        now += 20
    assert len(sent) == 4
    assert len(set(sent)) == 2
    async with engine.connect() as connection:
        rows_now = (await connection.execute(select(NOTICES.c.due, NOTICES.c.delivered, NOTICES.c.error))).all()
    assert all(due is None and delivered is not None and error is None for due, delivered, error in rows_now)


async def test_a_notice_that_breaks_what_sends_it_is_tried_again_and_given_up_like_any(
    settings: Settings, engine: AsyncEngine, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(engine, OPENED, Event(CALL, Kind.MESSAGE, NOW, {"id": "m1", "notify": ["https://[bad/x"]}, "2-0"))
    now = NOW + WORDS_WITHIN
    notifier = Notifier(outbox, settings, zone=lambda: UTC, clock=lambda: now)
    await notifier.look()
    async with engine.connect() as connection:
        due, error = (await connection.execute(select(NOTICES.c.due, NOTICES.c.error))).one()
    assert (due, error) == (now + 15.0, "ValueError"), "a failed try, no lease that runs out"
    now = NOW + GIVE_UP_AFTER + LEASE
    await notifier.look()
    assert await outbox.claim(NOW + 1e9) == ()


async def test_control_tells_of_a_message_with_a_link_that_plays_it(
    settings: Settings, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of control's part, on a real web server: outbox, webhook, link, audio."""
    got: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response()

    settings.messages.mkdir(parents=True)
    (settings.messages / "m1.ogg").write_bytes(b"sound")
    port = unused_port()
    base = f"http://127.0.0.1:{port}"
    mine = Settings.model_validate(
        {"LIVEKIT_API_SECRET": "s", "OFFHOOK_STATE": settings.state, "OFFHOOK_PUBLIC_URL": base}
    )
    app = web.Application()
    app.add_routes([web.post("/hook", take), served(mine)])
    async with TestClient(TestServer(app, port=port)) as client:
        data = {**LEFT.data, "notify": [f"{base}/hook"]}
        await write(engine, OPENED, Event(CALL, Kind.MESSAGE, NOW, data, "2-0"), WORDS, at=1.7e9)
        looking = connect(settings.database, writes=False)
        try:
            await notifier(mine, engine, looking, lambda: UTC).look()
        finally:
            await looking.dispose()
        (told,) = got
        assert (told["transcript"], told["caller"], told["seconds"]) == ("call me", "+15105550142", "7.5")
        async with client.get(told["link"].removeprefix(base)) as answer:
            assert (answer.status, await answer.read()) == (200, b"sound")
