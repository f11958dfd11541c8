"""Control's outbox, wired: the deliverer, its senders, and the audio behind links to messages."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import tzinfo

import aiohttp
from aiohttp import web
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.calls.store.port import CallStore
from gateway.config import Settings
from gateway.handoff.redis_answers import RedisAnswers
from gateway.operate import apprising, handoff_page, lead_page, take_page
from gateway.operate.deliverer import Deliverer, Threads
from gateway.operate.links import Links, route
from gateway.operate.sending import Senders
from gateway.operate.taking import Taking
from gateway.records.changes import Changes
from gateway.records.outbox import Outbox, card_of
from gateway.up.servers import client_file

_WARM_AFTER = 10.0
"""Seconds after which apprise is loaded, when the start's own work is done."""


@asynccontextmanager
async def deliverer(
    settings: Settings,
    engine: AsyncEngine,
    looking: AsyncEngine,
    changes: Changes,
    zone: Callable[[], tzinfo],
    awake: asyncio.Event,
) -> AsyncIterator[Deliverer]:
    """Run its `run` within the context. `zone`: that of the plan in force. `awake`: see Deliverer."""
    threads = Threads()
    later = asyncio.get_running_loop().call_later(_WARM_AFTER, threads(True).submit, apprising.warm)
    try:
        async with aiohttp.ClientSession() as session:
            sender = Senders(settings, session, threads, time.time)
            outbox = Outbox(engine, looking, changes)
            yield Deliverer(outbox, settings, sender=sender, zone=zone, clock=time.time, awake=awake)
    finally:
        later.cancel()
        threads.close()


def served(settings: Settings) -> web.RouteDef:
    """The route that links to messages lead to."""
    return route(Links(settings), settings.messages, time.time)


def handoff_pages(settings: Settings, redis: Redis, store: CallStore, looking: AsyncEngine) -> Sequence[web.RouteDef]:
    """The pages that the links of cards lead to."""
    links, answers = Links(settings), RedisAnswers(redis)

    async def lead(call: str, leg: str) -> Mapping[str, object] | None:
        async with looking.connect() as connection:
            content = await card_of(connection, call, leg)
        card = content.fields.get("card") if content is not None else None
        return card if isinstance(card, Mapping) else None

    client = settings.browser_client or client_file(os.environ)
    taking = take_page.routes(links, Taking(settings, store, answers, lead), client, time.time)
    return (*handoff_page.routes(links, answers, time.time), *taking)


def lead_pages(
    settings: Settings, engine: AsyncEngine, looking: AsyncEngine, zone: Callable[[], tzinfo]
) -> Sequence[web.RouteDef]:
    """The pages that links to leads lead to."""
    return lead_page.routes(Links(settings), engine, looking, zone, time.time)
