"""Control's process: the plan, the dispatcher, its hints, and the writer of the records, wired."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
import structlog
from aiohttp import web
from livekit import api
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.app import messages
from gateway.app.admin import admin
from gateway.app.catalogue import load as load_catalogue
from gateway.app.lifetime import until_stopped
from gateway.app.records import open_records
from gateway.bus.callstate import states
from gateway.calls.presence import BEAT, Presence
from gateway.calls.redis_members import RedisMembers
from gateway.calls.redis_roster import RedisRosters
from gateway.calls.redis_store import RedisStore
from gateway.calls.roster import Rosters
from gateway.conduct.ahead import make_ready
from gateway.conduct.prompts import PromptBook
from gateway.config import Settings
from gateway.dispatch.dispatcher import Dispatcher
from gateway.dispatch.pools import Pools
from gateway.dispatch.rooms import Rooms
from gateway.dispatch.rosters import PUBLISH, publish
from gateway.dispatch.said import own
from gateway.dispatch.webhook import Webhook
from gateway.errors import SetupFault, Unavailable
from gateway.metrics import EDGE_ERRORS
from gateway.operate.keeper import Keeper
from gateway.operate.notifier import Notifier
from gateway.operate.past import PastPlans
from gateway.operate.who import author
from gateway.privacy import logs
from gateway.records.engine import connect
from gateway.records.plans import Overrides, Plans
from gateway.records.writer import Writer
from gateway.redis_client import open_client
from gateway.tasks import Tasks
from gateway.terms.catalogue import Catalogue

RECONCILE = 2.0
"""Seconds between two looks at LiveKit's rooms."""
LOOK = 0.25
"""Seconds between two looks at the plan's files and versions: an edit counts once two looks have seen it."""
SUPERVISE = 0.5
"""Seconds between two looks at the calls' leases."""
TELL = 1.0
"""Seconds between two looks at whom messages are to be told to."""
PROMPTS = 60.0
"""Seconds between two looks at what callers may hear: when an office reopens is said otherwise tomorrow."""
ANSWERING = 4
"""Jobs that are answered, and lost ones that are replaced, at once: one whose plan has to be read again, or whose room
can't be looked at, must not keep the others waiting."""
ASKS_WITHIN = 1.0
"""Seconds that control waits for a job to ask, or to be lost, before it listens again."""
STALE = 10.0
"""Seconds without a whole look after which control isn't ready."""
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
    engine = await open_records(settings)
    looking = connect(settings.database, writes=False)
    redis = open_client(settings.redis_url.get_secret_value(), connect_within=_REDIS_CONNECTS)
    store = RedisStore(redis)
    writer = Writer(store, engine)
    try:
        keeper = await _keeper(settings, catalogue, engine, looking)
        async with aiohttp.ClientSession() as session:
            rooms = Rooms(api.LiveKitAPI(settings.livekit_url, settings.livekit_api_key, secret, session=session))
            members = RedisMembers(redis)
            notifier = messages.notifier(settings, engine, looking, lambda: keeper.in_force.zone)
            plans = PastPlans(Plans(engine, looking), catalogue, time.time)
            pools = Pools(Presence(redis), keeper.state, time.time)
            dispatcher = Dispatcher(
                store, rooms, lambda: keeper.in_force, plan_of=plans.of, state=pools.state, forget=members.forget
            )
            await Control(
                settings, keeper, catalogue, dispatcher, PromptBook(redis), RedisRosters(redis), notifier, pools, writer
            ).run()
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_WITHIN):
                await writer.drain()
        await redis.aclose()
        await looking.dispose()
        await engine.dispose()


async def _keeper(settings: Settings, catalogue: Catalogue, engine: AsyncEngine, looking: AsyncEngine) -> Keeper:
    """The plan's keeper, with a first plan. Raises SetupFault."""
    keeper = Keeper(
        Plans(engine, looking),
        Overrides(engine, looking),
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
        catalogue: Catalogue,
        dispatcher: Dispatcher,
        prompts: PromptBook,
        rosters: Rosters,
        notifier: Notifier,
        pools: Pools,
        writer: Writer,
    ) -> None:
        self._settings, self._keeper, self._catalogue = settings, keeper, catalogue
        self._dispatcher, self._prompts, self._rosters = dispatcher, prompts, rosters
        self._notifier, self._pools, self._writer = notifier, pools, writer
        self._looked = float("-inf")
        self._why = "LiveKit hasn't been asked yet"

    async def run(self) -> None:
        """Serve until the process is told to stop."""
        secret = self._settings.livekit_api_secret.get_secret_value()
        receiver = api.WebhookReceiver(api.TokenVerifier(self._settings.livekit_api_key, secret))
        async with Tasks("control") as tasks:

            def later(work: Awaitable[None]) -> None:
                tasks.start(_quietly(work))

            webhook = Webhook(receiver, self._dispatcher, later)
            routes = [webhook.route(), web.get("/plan", self._plan), messages.served(self._settings)]
            async with admin(self._settings, self._why_not_ready, routes):
                tasks.start(self._writer.run(), "records")
                tasks.start(self._listen(later), "call states")
                for _ in range(ANSWERING):
                    tasks.start(_serve(self._dispatcher.answer), "answers")
                    tasks.start(_serve(self._dispatcher.replace_lost), "lost")
                tasks.start(_every(PROMPTS, self._want_prompts), "prompts")
                tasks.start(_every(PUBLISH, self._publish), "rosters")
                tasks.start(_every(BEAT, self._pools.look), "pools")
                tasks.start(_every(TELL, self._notifier.look), "notices")
                tasks.start(_every(RECONCILE, self._reconcile), "reconcile")
                tasks.start(_every(SUPERVISE, self._supervise), "supervise")
                tasks.start(_every(LOOK, self._look), "plan")
                await until_stopped()

    def _why_not_ready(self) -> str:
        return self._why or ("LiveKit or Redis doesn't answer" if time.monotonic() - self._looked > STALE else "")

    async def _listen(self, later: Callable[[Awaitable[None]], None]) -> None:
        async for state in states(self._settings.redis_url.get_secret_value()):
            later(self._dispatcher.heard(state))

    async def _publish(self) -> None:
        now = time.time()
        await publish(self._rosters, self._keeper.in_force, self._keeper.state(now), now)

    async def _reconcile(self) -> None:
        await self._dispatcher.reconcile()
        self._looked, self._why = time.monotonic(), ""

    async def _look(self) -> None:
        if await self._keeper.look():
            await self._want_prompts()

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
                "notices": self._notices(),
                "timezone": self._keeper.in_force.timezone,
            }
        )

    async def _supervise(self) -> None:
        await self._dispatcher.supervise()

    def _notices(self) -> dict[str, list[str]]:
        """What callers of each route hear first, by the overrides of now."""
        state = self._keeper.state(time.time())
        return {name: said for name in self._keeper.in_force.routes if (said := state.notes(name))}

    async def _want_prompts(self) -> None:
        briefs = self._keeper.in_force.briefs(self._notices())
        lines = [line for brief in briefs for line in self._catalogue[brief.agent].lines(brief)]
        now = time.time()
        await _quietly(self._prompts.want(lines, now))
        plan = self._keeper.in_force
        await _quietly(make_ready(self._prompts, plan, self._keeper.state(now), now, own))


async def _serve(one: Callable[[float], Awaitable[None]]) -> None:
    """Serve the next that a job asks or leaves, for ever."""
    while True:
        try:
            await one(ASKS_WITHIN)
        except Unavailable as bad:
            log.warning("no job can be served now", why=str(bad))
            await asyncio.sleep(ASKS_WITHIN)
        except Exception:  # the process's edge: one call must not end the service of all the others
            EDGE_ERRORS.labels("control").inc()
            log.exception("control met what it didn't expect")


async def _every(seconds: float, look: Callable[[], Awaitable[None]]) -> None:
    """Look again and again, each time that many seconds after the last look began, or at once when it took longer."""
    while True:
        started = time.monotonic()
        await _quietly(look())
        await asyncio.sleep(max(0.0, started + seconds - time.monotonic()))


async def _quietly(work: Awaitable[None]) -> None:
    try:
        await work
    except Unavailable as bad:
        log.warning("control can't do something now", why=str(bad))
    except Exception:  # the process's edge: a call that can't be read must not end the looks at all the others
        EDGE_ERRORS.labels("control").inc()
        log.exception("control met what it didn't expect")
