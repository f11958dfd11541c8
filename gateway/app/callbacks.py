"""Wires the callbacks of one control."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from aiohttp import web
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.callbacks.links import Links, routes
from gateway.callbacks.machine import Booking
from gateway.callbacks.port import Told
from gateway.callbacks.telling import About, deliveries
from gateway.calls.store.port import CallStore
from gateway.config import Settings
from gateway.dialplan.model import Callback
from gateway.dialplan.plan import Plan
from gateway.dispatch.dispatcher import Dispatcher
from gateway.dispatch.missing import MissedWatch
from gateway.dispatch.recalling import team_terms
from gateway.dispatch.recalls import LOOK, Recalls
from gateway.donotcall.copying import COPY, Copying
from gateway.donotcall.redis_list import RedisDoNotCall
from gateway.operate.keeper import Keeper
from gateway.records.booking_tells import tell
from gateway.records.bookings import SqlBookings
from gateway.records.callees import known
from gateway.records.changes import Changes
from gateway.records.donotcall import SqlDoNotCall
from gateway.records.missed import MissedHandoffs
from gateway.tasks import Look
from gateway.terms.call import CallId, Phase
from gateway.terms.callback import Terms

_MAIL = re.compile(r"[^@\s;,<>\"]+@[^@\s;,<>\"]+\.[^@\s;,<>\"]+")


class Callbacks:
    """The callbacks, as control looks after them."""

    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        looking: AsyncEngine,
        changes: Changes,
        redis: Redis,
        keeper: Keeper,
        dispatcher: Dispatcher,
        store: CallStore,
    ) -> None:
        self._store = store
        self._settings, self._engine, self._looking, self._keeper = settings, engine, looking, keeper
        self._links, self._bookings = Links(settings), SqlBookings(engine, looking, changes)
        copy = RedisDoNotCall(redis)
        self._copying = Copying(SqlDoNotCall(engine, looking), copy)
        handoffs = MissedHandoffs(engine, looking, changes)
        self._missed = MissedWatch(handoffs, lambda: keeper.in_force, time.time)
        self._recalls = Recalls(
            self._bookings, copy, dispatcher, lambda: keeper.in_force, self._known, self._goes_on, time.time
        )

    def looks(self) -> list[Look]:
        """What control looks at again and again for them."""
        return [
            ("do not call", COPY, self._copying.look),
            ("callbacks", LOOK, self._recalls.look),
            ("callbacks to tell", LOOK, self._tell),
            ("missed", LOOK, self._missed.look),
        ]

    def pages(self) -> list[web.RouteDef]:
        """What is behind their links."""
        return routes(self._links, self._bookings, self._terms, time.time)

    async def _known(self, one: Booking) -> tuple[str, Mapping[str, object]]:
        return await known(self._looking, one.call)

    async def _goes_on(self, call: CallId) -> bool:
        found = await self._store.get(call)
        return found is not None and found.phase is not Phase.ENDED

    def _terms(self, one: Booking, at: float) -> Terms:
        return team_terms(self._keeper.in_force, one.team, Callback(), datetime.fromtimestamp(at, UTC))

    async def _tell(self) -> None:
        now = time.time()
        for one in await self._bookings.to_tell():
            about = await self._about(one)
            await tell(self._engine, one, deliveries(one.booking, one.what, about, now), now)

    async def _about(self, told: Told) -> About:
        one, plan = told.booking, self._keeper.in_force
        _, facts = await self._known(one)
        return About(
            link=self._links.to(one),
            team=addresses(plan, one.team),
            callee=_callee(self._settings, facts),
            facts=facts,
            sender=_sender(self._settings),
            zone=plan.zone,
        )


def addresses(plan: Plan, team: str) -> tuple[str, ...]:
    """Who is told of a team's callbacks; of those of no team, or of one that isn't there any more, every team's are."""
    if team in plan.teams:
        return plan.teams[team].notify
    return tuple(dict.fromkeys(address for one in plan.teams.values() for address in one.notify))


def _callee(settings: Settings, facts: Mapping[str, object]) -> tuple[str, ...]:
    """The callee's mail, where they have told it and there is a server to send it by."""
    mail = facts.get("email")
    if not settings.smtp_url.get_secret_value() or not isinstance(mail, str) or not _MAIL.fullmatch(mail.strip()):
        return ()
    return (f"mailto:{mail.strip()}",)


def _sender(settings: Settings) -> str:
    """The address that mails come from."""
    found = re.search(r"[?&]from=([^&]+)", settings.smtp_url.get_secret_value())
    sender = found[1].replace("%40", "@") if found else ""
    return sender if _MAIL.fullmatch(sender) else ""
