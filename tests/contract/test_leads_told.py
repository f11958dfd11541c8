"""Leads on each database: in the outbox from the first fact on, told when the call ends, their outcome taken by a page."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer, unused_port
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.app.messages import deliverer, lead_pages
from gateway.config import Settings
from gateway.records.changes import UNKNOWN
from gateway.records.engine import connect
from gateway.records.notices import LEAD_AT_LATEST
from gateway.records.outbox import Outbox
from gateway.records.outcomes import lead_seen
from gateway.records.schema import CALLS, DELIVERIES
from gateway.records.writer import Writer
from gateway.tasks import Tasks
from gateway.terms.event import Event, Kind
from tests.contract.outbox import CALL, NOW, claim, write
from tests.contract.test_records import Tape

ANA, HOOK = "mailto:ana@example.com", "https://example.com/hook"
OPENED = Event(CALL, Kind.OPENED, NOW, {"caller": "+15105550142", "dialed": "+15105550100", "route": "sales",
                                        "agent": "sales"}, "1-0")  # fmt: skip


def facts(at: float, identity: str, *, complete: bool = False, kind: str = "lead", **known: object) -> Event:
    data = {"kind": kind, "fields": known, "complete": complete, "notify": [ANA, HOOK]}
    return Event(CALL, Kind.FACTS, at, data, identity)


ENDED = Event(CALL, Kind.ENDED, NOW + 60, {"ending": "served"}, "9-0")


async def told(outbox: Outbox, now: float) -> list[tuple[str, str]]:
    return sorted((due.address, due.kind) for due in await claim(outbox, now))


async def test_a_lead_is_told_when_the_call_ends_once_however_often_facts_came(
    engine: AsyncEngine, outbox: Outbox
) -> None:
    await write(engine, OPENED, facts(NOW + 1, "2-0", need="chairs"), facts(NOW + 2, "3-0", need="chairs", name="Ana"))
    assert await told(outbox, NOW + 59) == []
    await write(engine, ENDED, at=NOW + 60)
    found = await claim(outbox, NOW + 60)
    assert sorted((due.address, due.kind) for due in found) == [(HOOK, "lead"), (ANA, "lead")]
    row = await outbox.about(found[0])
    assert row is not None
    assert row["fields"] == {"need": "chairs", "name": "Ana"}
    await write(engine, Event(CALL, Kind.ENDED, NOW + 61, {"ending": "served"}, "10-0"), at=NOW + 61)
    assert await told(outbox, NOW + 62) == []


async def test_a_lead_whose_calls_end_nobody_hears_of_is_told_all_the_same(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, facts(NOW + 1, "2-0", need="chairs"))
    assert await told(outbox, NOW + LEAD_AT_LATEST) == [(HOOK, "lead"), (ANA, "lead")]


async def test_facts_that_come_after_the_end_are_told_at_once_and_after_the_lead_again(
    engine: AsyncEngine, outbox: Outbox
) -> None:
    await write(engine, OPENED, ENDED, at=NOW + 60)
    await write(engine, facts(NOW + 1, "2-0", need="chairs"), at=NOW + 70)
    for due in await claim(outbox, NOW + 70):
        await outbox.delivered(due, NOW + 70)
    await write(engine, facts(NOW + 2, "3-0", need="chairs", name="Ana"), at=NOW + 80)
    assert await told(outbox, NOW + 80) == [(HOOK, "lead.changed"), (ANA, "lead.changed")]


async def test_tickets_and_leads_of_nobody_are_told_to_none_but_whom_every_lead_is(
    engine: AsyncEngine, outbox: Outbox
) -> None:
    unnamed = Event(CALL, Kind.FACTS, NOW + 1, {"kind": "lead", "fields": {"need": "x"}}, "3-0")
    tape = Tape([facts(NOW + 1, "2-0", kind="ticket", problem="x"), unnamed, ENDED])
    await Writer(tape, engine, clock=lambda: NOW + 60, leads_to=["hubspot:"]).drain()
    assert await told(outbox, NOW + 60) == [("hubspot:", "lead")]


async def test_who_gets_a_lead_sees_it_on_a_page_and_tells_what_became_of_it(
    settings: Settings, engine: AsyncEngine
) -> None:
    """All of control's part, on a real web server: a signed webhook, the page behind its link, the outcome."""
    got: list[dict[str, object]] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response()

    port = unused_port()
    base = f"http://127.0.0.1:{port}"
    given = {"LIVEKIT_API_SECRET": "s", "OFFHOOK_STATE": settings.state, "OFFHOOK_PUBLIC_URL": base}
    mine = Settings.model_validate(given)
    looking = connect(settings.database, writes=False)
    app = web.Application()
    app.add_routes([web.post("/hook", take), *lead_pages(mine, engine, looking, lambda: UTC)])
    known = {"kind": "lead", "notify": [f"{base}/hook"], "fields": {"name": "Ana <b>", "need": "chairs"}}
    turn = Event(CALL, Kind.TURN, NOW + 1, {"seq": 1, "speaker": "caller", "text": "I need <i>chairs</i>"}, "5-0")
    try:
        async with TestServer(app, port=port), ClientSession() as session:
            now = time.time()
            await write(engine, OPENED, turn, Event(CALL, Kind.FACTS, NOW + 2, known, "6-0"), ENDED, at=now)
            async with (
                deliverer(mine, engine, looking, UNKNOWN, lambda: UTC, asyncio.Event()) as one,
                Tasks("test") as making,
            ):
                await one.look(making)
                await making.settled(20)
            lead = got[0]["lead"]
            assert isinstance(lead, dict)
            assert (lead["contact"]["name"], lead["contact"]["number"]) == ("Ana <b>", "+15105550142")
            link = str(lead["transcript"])
            await _page(session, link, engine)
    finally:
        await looking.dispose()


async def _page(session: ClientSession, link: str, engine: AsyncEngine) -> None:
    async with session.get(link) as answer:
        text = await answer.text()
        assert (answer.status, answer.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert "I need &lt;i&gt;chairs&lt;/i&gt;" in text
    assert "<b>Ana" not in text
    assert "Ana &lt;b&gt;" in text
    assert "checked" not in text
    assert 'href="tel:+15105550142">Call +1 510-555-0142<' in text
    async with session.get(link.replace("sig=", "sig=0")) as answer:
        assert answer.status == 403
    async with session.post(link.replace("sig=", "sig=0"), data={"outcome": "spam"}) as answer:
        assert answer.status == 403
    async with session.post(link, data={"outcome": "great"}) as answer:
        assert "Please choose" in await answer.text()
    await _outcome(engine, None)
    for outcome, why in (("good", "asks for a quote"), ("won", "12 chairs")):
        async with session.post(link, data={"outcome": outcome, "why": why}) as answer:
            assert "it is noted" in await answer.text()
        await _outcome(engine, (outcome, why))
    async with engine.begin() as connection:
        await connection.execute(CALLS.delete())
    async with session.get(link) as answer:
        assert answer.status == 404


async def _outcome(engine: AsyncEngine, wanted: tuple[str, str] | None) -> None:
    async with engine.connect() as connection:
        seen = await lead_seen(connection, CALL)
    assert seen is not None
    assert (seen[0]["outcome"], seen[0]["why"]) == (wanted or (None, None))
    assert json.dumps(seen[0]["fields"]["need"]) == '"chairs"'


_DELIVERS = """
import asyncio, sys
from datetime import UTC
from gateway.app.messages import deliverer
from gateway.config import Settings
from gateway.records.changes import UNKNOWN
from gateway.records.engine import connect

async def run(database):
    mine = Settings.model_validate({"DATABASE_URL": database})
    engine, looking = (connect(mine.database, writes=writes) for writes in (True, False))
    async with deliverer(mine, engine, looking, UNKNOWN, lambda: UTC, asyncio.Event()) as one:
        await one.run()

asyncio.run(run(sys.argv[1]))
"""


async def test_a_process_killed_in_a_delivery_leaves_it_to_another_under_the_same_id(
    settings: Settings, engine: AsyncEngine, outbox: Outbox
) -> None:
    """SIGKILL while the receiver has the webhook and hasn't answered: it comes again, once, under its id."""
    got: list[tuple[str, str]] = []
    came, go_on = asyncio.Event(), asyncio.Event()

    async def take(request: web.Request) -> web.Response:
        got.append((request.headers["webhook-id"], await request.text()))
        if len(got) == 1:
            came.set()
            await go_on.wait()
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/hook", take)])
    async with TestServer(app) as server:
        known = {"kind": "lead", "notify": [str(server.make_url("/hook"))], "fields": {"need": "chairs"}}
        now = time.time()
        await write(engine, OPENED, Event(CALL, Kind.FACTS, NOW + 2, known, "6-0"), ENDED, at=now)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", _DELIVERS, settings.database)
        try:
            async with asyncio.timeout(60):
                await came.wait()
        finally:
            process.kill()
            await process.wait()
        go_on.set()
        looking = connect(settings.database, writes=False)
        async with (
            deliverer(settings, engine, looking, UNKNOWN, lambda: UTC, asyncio.Event()) as one,
            Tasks("test") as making,
        ):
            await one.look(making)
            await making.settled(20)
            assert len(got) == 1, "its lease isn't over"
            async with engine.begin() as connection:
                await connection.execute(DELIVERIES.update().values(due=now))  # as if it were
            for _ in range(2):
                await one.look(making)
                await making.settled(20)
        await looking.dispose()
    assert len(got) == 2
    assert got[0] == got[1], "the same id, and the same words"
