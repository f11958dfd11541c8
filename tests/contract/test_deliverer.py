"""The deliverer on each database: tries until it arrives, under one id, urgent ones past slow receivers of others."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer, unused_port
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook

from gateway.app.messages import deliverer, served
from gateway.config import Settings
from gateway.errors import Refused, Unavailable
from gateway.operate.deliverer import URGENT_AT_ONCE, Deliverer
from gateway.records.changes import UNKNOWN
from gateway.records.engine import connect
from gateway.records.notices import WORDS_WITHIN
from gateway.records.outbox import GIVE_UP_AFTER, LEASE, Due, Outbox
from gateway.records.schema import DELIVERIES, MESSAGES
from gateway.records.writer import Writer
from gateway.tasks import Tasks
from gateway.terms.delivery import Content, asked
from gateway.terms.event import Event, Kind
from tests.contract.outbox import CALL, NOW, claim, write
from tests.contract.test_records import Tape

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOK = "https://example.com/hook"
OPENED = Event(CALL, Kind.OPENED, NOW, {"caller": "+15105550142", "dialed": "+15105550100", "route": "night"}, "1-0")
LEFT = Event(CALL, Kind.MESSAGE, NOW + 1, {"id": "m1", "seconds": 7.5, "team": "sales", "notify": [HOOK]}, "2-0")
WORDS = Event(CALL, Kind.TRANSCRIBED, NOW + 9, {"id": "m1", "text": "call me"}, "3-0")

Send = Callable[[Due, Content], Awaitable[None]]


class Sending:
    """A sender that a test plays."""

    def __init__(self, send: Send) -> None:
        self.send = send


def made(outbox: Outbox, settings: Settings, send: Send, clock: Callable[[], float]) -> Deliverer:
    return Deliverer(outbox, settings, sender=Sending(send), zone=lambda: UTC, clock=clock, awake=asyncio.Event())


async def look(one: Deliverer) -> None:
    async with Tasks("test") as making:
        await one.look(making)
        await making.settled(10)


async def test_it_tries_until_it_arrives_under_one_id(settings: Settings, engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, OPENED, LEFT, WORDS)
    now, sent, failures = NOW + 10, [], [Unavailable("down"), Unavailable("down")]

    async def send(due: Due, content: Content) -> None:
        sent.append((due.id, content.fields["transcript"]))
        if failures:
            raise failures.pop()

    one = made(outbox, settings, send, lambda: now)
    for _ in range(5):
        await look(one)
        now += 31
    assert len(sent) == 3
    assert len(set(sent)) == 1
    async with engine.connect() as connection:
        columns = DELIVERIES.c.due, DELIVERIES.c.delivered, DELIVERIES.c.error
        ((due, delivered, error),) = (await connection.execute(select(*columns))).all()
    assert (due, error) == (None, None)
    assert delivered is not None


@pytest.mark.parametrize("bad", [ValueError("https://secret"), Refused("gone")])
async def test_what_breaks_is_tried_again_and_what_is_refused_is_not(
    settings: Settings, engine: AsyncEngine, outbox: Outbox, bad: Exception
) -> None:
    await write(engine, LEFT)
    now = NOW + WORDS_WITHIN

    async def send(due: Due, content: Content) -> None:
        raise bad

    one = made(outbox, settings, send, lambda: now)
    await look(one)
    async with engine.connect() as connection:
        due, error = (await connection.execute(select(DELIVERIES.c.due, DELIVERIES.c.error))).one()
    refused = isinstance(bad, Refused)
    assert (due, error) == ((None, "gone") if refused else (now + 15.0, "ValueError"))
    now = NOW + GIVE_UP_AFTER + LEASE
    await look(one)
    assert await claim(outbox, NOW + 1e9) == ()


async def test_what_tells_of_a_message_that_was_erased_is_given_up(
    settings: Settings, engine: AsyncEngine, outbox: Outbox
) -> None:
    await write(engine, OPENED, LEFT)
    async with engine.begin() as connection:
        await connection.execute(MESSAGES.delete())

    async def send(due: Due, content: Content) -> None:
        raise AssertionError("nothing is there to send")

    await look(made(outbox, settings, send, lambda: NOW + WORDS_WITHIN))
    async with engine.connect() as connection:
        due, error, tries = (
            await connection.execute(select(DELIVERIES.c.due, DELIVERIES.c.error, DELIVERIES.c.tries))
        ).one()
    assert (due, tries) == (None, 1), "it is lent to nobody any more"
    assert error


async def test_a_deliverer_that_is_killed_in_a_try_leaves_it_to_another_under_the_same_id(
    settings: Settings, engine: AsyncEngine, outbox: Outbox
) -> None:
    await write(engine, OPENED, LEFT, WORDS)
    sent: list[str] = []
    began = asyncio.Event()

    async def hangs(due: Due, content: Content) -> None:
        sent.append(due.id)
        began.set()
        await asyncio.Event().wait()

    async def takes(due: Due, content: Content) -> None:
        sent.append(due.id)

    killed = asyncio.create_task(made(outbox, settings, hangs, lambda: NOW + 10).run())
    await began.wait()
    killed.cancel()
    await asyncio.wait({killed})
    await look(made(outbox, settings, takes, lambda: NOW + 10 + LEASE - 1))
    assert len(sent) == 1
    await look(made(outbox, settings, takes, lambda: NOW + 10 + LEASE))
    await look(made(outbox, settings, takes, lambda: NOW + 1e5))
    assert len(sent) == 2
    assert len(set(sent)) == 1


async def test_urgent_ones_leave_at_once_while_the_others_receivers_hang(
    settings: Settings, engine: AsyncEngine, outbox: Outbox
) -> None:
    left: dict[str, float] = {}
    gone = asyncio.Event()

    async def send(due: Due, content: Content) -> None:
        if not due.urgent:
            await asyncio.Event().wait()
        left[due.id] = time.monotonic()
        if len(left) == URGENT_AT_ONCE:
            gone.set()

    slow = [asked(CALL, NOW, kind="lead", subject=str(n), to=[HOOK], content=Content("t", "b")) for n in range(20)]
    await write(engine, *slow)
    one = made(outbox, settings, send, time.time)
    running = asyncio.create_task(one.run())
    try:
        card = [asked(CALL, NOW, kind="card", subject=str(n), to=[HOOK], content=Content("t", "b"), urgent=True)
                for n in range(URGENT_AT_ONCE)]  # fmt: skip
        await Writer(Tape(card), engine, wake=one.wake).drain()
        written = time.monotonic()
        async with asyncio.timeout(30):
            await gone.wait()
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert max(left.values()) - written < 2.0


async def test_it_ends_what_is_under_way_when_it_is_stopped(
    settings: Settings, engine: AsyncEngine, outbox: Outbox
) -> None:
    await write(engine, OPENED, LEFT, WORDS)
    began, go_on = asyncio.Event(), asyncio.Event()

    async def send(due: Due, content: Content) -> None:
        began.set()
        await go_on.wait()

    one = made(outbox, settings, send, lambda: NOW + 10)
    running = asyncio.create_task(one.run())
    await began.wait()
    one.stop()
    go_on.set()
    async with asyncio.timeout(10):
        await running
    async with engine.connect() as connection:
        assert await connection.scalar(select(DELIVERIES.c.delivered)) is not None


@asynccontextmanager
async def receiver(
    settings: Settings, statuses: list[int]
) -> AsyncIterator[tuple[str, list[tuple[Mapping[str, str], str]], Settings]]:
    """Somebody's web server, which answers with the statuses, then 200, and control's own pages beside it."""
    got: list[tuple[Mapping[str, str], str]] = []

    async def take(request: web.Request) -> web.Response:
        got.append((dict(request.headers), await request.text()))
        return web.Response(status=statuses.pop(0) if statuses else 200)

    port = unused_port()
    base = f"http://127.0.0.1:{port}"
    given = {"LIVEKIT_API_SECRET": "s", "OFFHOOK_STATE": settings.state, "OFFHOOK_PUBLIC_URL": base}
    mine = Settings.model_validate(
        {**given, "OFFHOOK_WEBHOOK_SECRET": f"{SECRET} whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"}
    )
    app = web.Application()
    app.add_routes([web.post("/hook", take), served(mine)])
    async with TestServer(app, port=port):
        yield base, got, mine


async def test_webhooks_are_signed_and_carry_the_same_id_in_every_try(
    settings: Settings, engine: AsyncEngine, outbox: Outbox
) -> None:
    async with receiver(settings, [500, 404]) as (base, got, mine):
        now = time.time()
        content = Content("A lead", "Ana wants chairs – 12.", {"lead": {"name": "Ana"}, "id": "forged"})
        event = asked(CALL, now, kind="lead", subject="", to=[f"{base}/hook?key=a%26b"], content=content)
        await write(engine, event, at=now)
        looking = connect(settings.database, writes=False)
        async with deliverer(mine, engine, looking, UNKNOWN, lambda: UTC, asyncio.Event()) as one:
            for _ in range(3):
                await _due_now(engine)
                await look(one)
        await looking.dispose()
    assert len(got) == 3
    for headers, body in got:
        assert Webhook(SECRET).verify(body, dict(headers)) == json.loads(body)
        assert Webhook("whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh").verify(body, dict(headers))
    assert len({headers["webhook-id"] for headers, _ in got}) == 1
    assert len({body for _, body in got}) == 1
    told = json.loads(got[0][1])
    assert (told["type"], told["id"], told["title"]) == ("lead", got[0][0]["webhook-id"], "A lead")
    assert (told["lead"], told["message"]) == ({"name": "Ana"}, "Ana wants chairs – 12.")


async def _due_now(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(DELIVERIES.update().where(DELIVERIES.c.due.is_not(None)).values(due=0.0))


async def test_control_tells_of_a_message_with_a_link_that_plays_it(settings: Settings, engine: AsyncEngine) -> None:
    """All of control's part, on a real web server: outbox, webhook, link, audio."""
    settings.messages.mkdir(parents=True)
    (settings.messages / "m1.ogg").write_bytes(b"sound")
    async with receiver(settings, []) as (base, got, mine):
        data = {**LEFT.data, "notify": [f"{base}/hook"]}
        await write(engine, OPENED, Event(CALL, Kind.MESSAGE, NOW, data, "2-0"), WORDS, at=time.time())
        looking = connect(settings.database, writes=False)
        async with deliverer(mine, engine, looking, UNKNOWN, lambda: UTC, asyncio.Event()) as one:
            await look(one)
        await looking.dispose()
        told = json.loads(got[0][1])
        assert (told["transcript"], told["caller"], told["seconds"]) == ("call me", "+15105550142", "7.5")
        async with ClientSession() as session, session.get(told["link"]) as answer:
            assert (answer.status, await answer.read()) == (200, b"sound")
