"""Control's process: the plan, the dispatcher, its hints, and the writer of the records, wired."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import aiohttp
import structlog
from aiohttp import web
from livekit import api
from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.app import messages, rounds
from gateway.app.admin import admin
from gateway.app.callbacks import Callbacks
from gateway.app.catalogue import load as load_catalogue
from gateway.app.heap import settle
from gateway.app.lifetime import until_stopped
from gateway.app.records import open_records
from gateway.app.still import Still
from gateway.app.told import Told
from gateway.bus.callstate import states
from gateway.calls.people.redis_members import RedisMembers
from gateway.calls.people.redis_roster import RedisRosters
from gateway.calls.shared import controls
from gateway.calls.shared.controls import Controls
from gateway.calls.shared.edges import Edges
from gateway.calls.shared.lifelines import held
from gateway.calls.shared.presence import BEAT, Presence
from gateway.calls.store.redis_store import RedisStore
from gateway.conduct.sound.prompts import PromptBook
from gateway.config import Settings
from gateway.dispatch import deaths
from gateway.dispatch.deaths import Deaths
from gateway.dispatch.dispatcher import Dispatcher
from gateway.dispatch.pools import Pools
from gateway.dispatch.rooms import Rooms
from gateway.dispatch.rosters import PUBLISH
from gateway.dispatch.sweep import SWEEP, Sweep
from gateway.dispatch.watching import WATCH, Watch
from gateway.dispatch.webhook import Webhook
from gateway.errors import SetupFault, Unavailable
from gateway.guard.redis_book import RedisRuleBook
from gateway.lasting import Lasting
from gateway.operate.deliverer import Deliverer
from gateway.operate.keeper import Keeper
from gateway.operate.past import PastPlans
from gateway.operate.who import author
from gateway.privacy import logs
from gateway.records.changes import Changes
from gateway.records.engine import connect
from gateway.records.plans import Overrides, Plans
from gateway.records.unended import Unended, unended
from gateway.records.writer import Writer
from gateway.redis_client import open_client
from gateway.tasks import Look, Tasks
from gateway.terms.call import Pool
from gateway.terms.catalogue import Catalogue

RECONCILE = 2.0
"""Seconds between two looks at LiveKit's rooms."""
LOOK = 0.25
"""Seconds between two looks at the plan's files and versions: an edit counts once two looks have seen it."""
SUPERVISE = 0.5
"""Seconds between two looks at the calls' leases."""
PROMPTS = 60.0
"""Seconds between two looks at what callers may hear: when an office reopens is said otherwise tomorrow."""
ANSWERING = 4
"""Jobs that are answered, and lost ones that are replaced, at once: one whose plan has to be read again, or whose room
can't be looked at, must not keep the others waiting."""
ASKS_WITHIN = 1.0
"""Seconds that control waits for a job to ask, or to be lost, before it listens again."""
STALE = 10.0
"""Seconds without a whole look after which control isn't ready."""
FINISH_WITHIN = 3.0
"""Seconds at the end for what is begun, such as a dispatch."""
DRAIN_WITHIN = 5.0
"""Seconds at the end to write what calls have told."""
_REDIS_CONNECTS = 2.0

log = structlog.get_logger(__name__)


async def run(settings: Settings) -> None:
    """Look after calls until SIGTERM or SIGINT; calls go on without us meanwhile.

    Raises SetupFault when the plan is wrong, a port or the database can't be had, or LiveKit's keys are missing.
    """
    logs.configure(settings, process="control")
    secret = settings.livekit_api_secret.get_secret_value()
    if not settings.livekit_api_key or not secret:
        raise SetupFault("LIVEKIT_API_KEY or LIVEKIT_API_SECRET is missing.", remedy="Set both, or run 'offhook up'.")
    catalogue = load_catalogue()
    async with _opened(settings) as kept:
        keeper = await _keeper(settings, catalogue, kept)
        zone = lambda: keeper.in_force.zone
        async with (
            aiohttp.ClientSession() as session,
            messages.deliverer(settings, kept.engine, kept.looking, kept.changes, zone, kept.put_in) as deliverer,
        ):
            livekit = api.LiveKitAPI(settings.livekit_url, settings.livekit_api_key, secret, session=session)
            control = _control(settings, catalogue, kept, keeper, deliverer, livekit)
            settle()
            await control.run()


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where calls and their records are kept."""

    engine: AsyncEngine
    """Of the records; it writes."""
    looking: AsyncEngine
    """The same, which reads."""
    changes: Changes
    redis: Redis
    store: RedisStore
    writer: Writer
    put_in: asyncio.Event
    """Set as the writer puts something into the outbox."""


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[_Kept]:
    """Open both; at the end what calls have told is written. Raises SetupFault."""
    engine = await open_records(settings)
    looking, changes = connect(settings.database, writes=False), Changes(settings.database)
    redis = open_client(settings.redis_url.get_secret_value(), connect_within=_REDIS_CONNECTS)
    store, put_in = RedisStore(redis), asyncio.Event()
    writer = Writer(store, engine, wake=put_in.set, leads_to=settings.leads_to)
    try:
        yield _Kept(engine, looking, changes, redis, store, writer, put_in)
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_WITHIN):
                await writer.drain()
        await redis.aclose()
        changes.close()
        await looking.dispose()
        await engine.dispose()


def _control(
    settings: Settings,
    catalogue: Catalogue,
    kept: _Kept,
    keeper: Keeper,
    deliverer: Deliverer,
    livekit: api.LiveKitAPI,
) -> Control:
    redis, store, engine, looking = kept.redis, kept.store, kept.engine, kept.looking
    back: asyncio.Queue[Pool] = asyncio.Queue()
    presence, forgot = Presence(redis), asyncio.Event()
    pools = Pools(presence, store, keeper.state, time.time, slow=settings.answer_within, back=back.put_nowait)
    watch = Watch(store, forgot=forgot.set)
    dispatcher = _dispatcher(catalogue, kept, keeper, pools, watch, Rooms(livekit))
    dead = Deaths(store, partial(held, redis), presence.died, watch.settled, Still(livekit, store).tell)
    sweep = Sweep(store, partial(_unended, looking), watch.settled)
    told = Told(PromptBook(redis), RedisRosters(redis), RedisRuleBook(redis), keeper, catalogue, forgot)
    called = Callbacks(settings, engine, looking, kept.changes, redis, keeper, dispatcher, store)
    leads = messages.lead_pages(settings, engine, looking, lambda: keeper.in_force.zone)
    pages = (*leads, *messages.handoff_pages(settings, redis, store, looking), *called.pages())
    parts = (keeper, dispatcher, told, deliverer, pools, kept.writer, watch, sweep, back)
    looks = (*called.looks(), ("workers", deaths.LOOK, dead.look))
    return Control(settings, *parts, looks, pages, Controls(redis).beat)


def _dispatcher(
    catalogue: Catalogue, kept: _Kept, keeper: Keeper, pools: Pools, watch: Watch, rooms: Rooms
) -> Dispatcher:
    return Dispatcher(
        kept.store,
        rooms,
        lambda: keeper.in_force,
        plan_of=PastPlans(Plans(kept.engine, kept.looking), catalogue, time.time).of,
        state=pools.state,
        forget=RedisMembers(kept.redis).forget,
        settled=watch.settled,
        slots=pools.slots,
        edges=Edges(kept.redis).there,
        look=pools.look,
        ask=watch.look,
    )


async def _unended(records: AsyncEngine, since: float, before: float) -> Sequence[Unended]:
    try:
        async with records.connect() as connection:
            return await unended(connection, since, before)
    except (SQLAlchemyError, OSError, TimeoutError) as bad:
        raise Unavailable("The records can't be read.") from bad


async def _keeper(settings: Settings, catalogue: Catalogue, kept: _Kept) -> Keeper:
    """The plan's keeper, with a first plan. Raises SetupFault."""
    keeper = Keeper(
        Plans(kept.engine, kept.looking, kept.changes),
        Overrides(kept.engine, kept.looking, kept.changes),
        catalogue,
        files=settings.dialplans,
        marker=settings.state / "plan-files",
        author=author(),
        clock=time.time,
    )
    try:
        await keeper.start()
    except Unavailable as bad:
        raise SetupFault(bad.what, remedy=bad.remedy) from bad
    return keeper


class Control:
    """The tasks of one control."""

    def __init__(
        self,
        settings: Settings,
        keeper: Keeper,
        dispatcher: Dispatcher,
        told: Told,
        deliverer: Deliverer,
        pools: Pools,
        writer: Writer,
        watch: Watch,
        sweep: Sweep,
        back: asyncio.Queue[Pool],
        more: Sequence[Look],
        pages: Sequence[web.RouteDef],
        beat: Callable[[], Awaitable[None]],
    ) -> None:
        """`back`: pools that have workers again. `more`: other things to look at again and again. `pages`: what is served
        beside our own. `beat`: says that there is a control."""
        self._more, self._pages, self._says = more, pages, beat
        self._settings, self._keeper, self._dispatcher, self._told = settings, keeper, dispatcher, told
        self._deliverer, self._pools, self._writer = deliverer, pools, writer
        self._watch, self._sweep, self._back = watch, sweep, back
        self._looked = float("-inf")
        self._why = "LiveKit hasn't been asked yet"
        self._lasting = Lasting("control")
        self._ending = asyncio.Event()

    async def run(self) -> None:
        """Serve until the process is told to stop; then finish what is begun, and begin nothing more."""
        secret = self._settings.livekit_api_secret.get_secret_value()
        receiver = api.WebhookReceiver(api.TokenVerifier(self._settings.livekit_api_key, secret))
        async with Tasks("control") as working, Tasks("control") as hearing:

            def later(work: Awaitable[None]) -> None:
                working.start(rounds.quietly(work))

            webhook = Webhook(receiver, self._dispatcher, later)
            routes = [webhook.route(), web.get("/plan", self._plan), messages.served(self._settings), *self._pages]
            async with admin(self._settings, self._why_not_ready, routes):
                self._keep(hearing, "records", self._writer.run)
                self._keep(working, "deliverer", self._deliverer.run)
                self._keep(hearing, "call states", partial(self._listen, later))
                for number in range(ANSWERING):
                    self._serve(working, f"answers {number + 1}", self._dispatcher.answer)
                    self._serve(working, f"lost {number + 1}", self._dispatcher.replace_lost)
                self._serve(working, "workers are back", self._hurry)
                for name, seconds, look in self._looks():
                    self._keep(working, name, partial(rounds.every, seconds, look, self._ending))
                await until_stopped()
                self._ending.set()
                self._deliverer.stop()
                log.info("stopping", tasks=len(working))
                await working.settled(FINISH_WITHIN)

    def _looks(self) -> Sequence[Look]:
        return (
            *self._more,
            ("store", WATCH, self._watch.look),
            ("prompts", PROMPTS, self._told.want_prompts),
            ("forgotten", WATCH, self._told.again),
            ("rosters", PUBLISH, self._told.publish),
            ("pools", BEAT, self._pools.look),
            ("beat", controls.BEAT, self._beat),
            ("reconcile", RECONCILE, self._reconcile),
            ("supervise", SUPERVISE, self._dispatcher.supervise),
            ("sweep", SWEEP, self._sweep.look),
            ("plan", LOOK, self._look),
        )

    def _keep(self, tasks: Tasks, name: str, work: Callable[[], Awaitable[None]]) -> None:
        tasks.start(self._lasting.keep(name, work), name)

    def _serve(self, tasks: Tasks, name: str, one: Callable[[float], Awaitable[None]]) -> None:
        self._keep(tasks, name, partial(rounds.serve, one, ASKS_WITHIN, self._ending))

    def _why_not_ready(self) -> str:
        if self._ending.is_set():
            return "ending"
        away = "LiveKit or Redis doesn't answer" if time.monotonic() - self._looked > STALE else ""
        return self._why or away or self._lasting.why_not_ready()

    async def _listen(self, later: Callable[[Awaitable[None]], None]) -> None:
        async for state in states(self._settings.redis_url.get_secret_value()):
            if self._ending.is_set():
                return
            later(self._dispatcher.heard(state))

    async def _hurry(self, wait: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                pool = await self._back.get()
            await self._dispatcher.hurry(pool)

    async def _beat(self) -> None:
        """Say that callers are routed here: they are as long as the rooms are looked at."""
        if time.monotonic() - self._looked <= STALE:
            await self._says()

    async def _reconcile(self) -> None:
        await self._dispatcher.reconcile()
        self._looked, self._why = time.monotonic(), ""

    async def _look(self) -> None:
        if await self._keeper.look():
            await self._told.want_prompts()

    async def _plan(self, _: web.Request) -> web.Response:
        """What is in force, for `offhook up` and `offhook status`."""
        version = self._keeper.version
        return web.json_response(
            {
                "number": version.number if version else 0,
                "version": self._keeper.in_force.version,
                "author": version.author if version else "",
                "pinned": self._keeper.pinned,
                "differs": self._keeper.differs,
                "findings": [str(finding) for finding in self._keeper.findings],
                "unusable": [str(finding) for finding in self._keeper.unusable],
                "notices": self._told.notices(),
                "timezone": self._keeper.in_force.timezone,
                "pools": self._pools.told(),
            }
        )
