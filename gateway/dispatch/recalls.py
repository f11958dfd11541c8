"""Makes the calls of callbacks when their time has come. Each control looks; one of them makes each call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

import structlog

from gateway.callbacks.machine import Booking, Forbidden, Late, PutOff, State, Unwanted
from gateway.callbacks.port import Bookings
from gateway.callbacks.times import allowed, earliest, night, zones_of
from gateway.callbacks.told import CALLEE
from gateway.calls.hearing import leg
from gateway.calls.store.port import Full
from gateway.calls.words import word
from gateway.calls.words.recall import RecallWord
from gateway.dialplan.model import Callback
from gateway.dialplan.plan import Plan
from gateway.dispatch import stops
from gateway.dispatch.decide import PREFIX
from gateway.dispatch.recalling import team_terms
from gateway.donotcall.port import DoNotCall
from gateway.errors import Unavailable
from gateway.guard.judge import Refusal, judge
from gateway.handoff.whisper import whisper
from gateway.metrics import EDGE_ERRORS, counter
from gateway.terms.act import Recall
from gateway.terms.call import Brief, Call, CallId, Pool
from gateway.terms.event import Event, Kind
from gateway.terms.number import country_of
from gateway.terms.personal import Number

LOOK = 1.0
"""Seconds between two looks."""
BECAUSE = "callback"
FULL_FOR = 30.0
"""Seconds until a callback is tried again that there was no room for."""
LAST = 60.0
"""Seconds that must be left of the callee's day: the team is rung first, and the callee by its end or never."""
RUNG = 120.0
"""Seconds for which the team is rung, as far as that day goes."""
NOT_OPEN = 3600.0
"""The same for one whose team isn't there for days to come, or says of no hours when it is."""
MADE = counter("callbacks_made", "Calls that were made for callbacks")
LATE = counter("callbacks_late", "Callbacks that nobody had made in time")

log = structlog.get_logger(__name__)


class Begins(Protocol):
    """The part of the dispatcher that makes calls."""

    async def begin(self, call: Call, told: Event) -> None:
        """See `gateway.dispatch.dispatcher.Dispatcher.begin`."""
        ...


Known = Callable[[Booking], Awaitable[tuple[str, Mapping[str, object]]]]
"""The number that the caller had dialed, and what is known of them for the lead. Raises Unavailable."""


class Recalls:
    """Call `look` every second."""

    def __init__(
        self,
        bookings: Bookings,
        unwanted: DoNotCall,
        dispatcher: Begins,
        plan: Callable[[], Plan],
        known: Known,
        talks: Callable[[CallId], Awaitable[bool]],
        clock: Callable[[], float],
    ) -> None:
        """`plan`: the one in force. `talks`: whether a call goes on; may raise Unavailable. `clock`: seconds since the
        epoch."""
        self._talks = talks
        self._bookings, self._unwanted, self._dispatcher = bookings, unwanted, dispatcher
        self._plan, self._known, self._clock = plan, known, clock

    async def look(self) -> None:
        """Make what is due, and note what is late. Raises Unavailable."""
        now = self._clock()
        for one in await self._bookings.due(now):
            try:
                await self._due(one, now)
            except Unavailable as bad:  # the next look makes up for it
                log.warning("a callback can't be made now", callback=one.id, why=str(bad))
            except Exception:  # one that can't be read keeps none of those behind it
                EDGE_ERRORS.labels("callback").inc()
                log.exception("a callback couldn't be looked at", callback=one.id)
        await self._note_late(now)

    async def _due(self, one: Booking, now: float) -> None:
        if await self._talks(one.call):
            return  # their line is busy with us, and they may choose another time yet
        if one.state is State.DUE and await self._talks(one.run):
            await self._bookings.made(one)  # by a control that died before it could say so
            return
        plan = self._plan()
        terms = team_terms(plan, one.team, Callback(), datetime.fromtimestamp(now, UTC))
        zones = zones_of(one.number, one.zone)
        if await self._unwanted.has(one.number):
            await self._bookings.step(one.id, Unwanted(), now)
        elif not terms.team:
            await self._bookings.step(one.id, Forbidden(f"the plan has no team '{one.team}' any more"), now)
        elif isinstance(no := judge(one.number.reveal(), plan.rules()), Refusal):
            await self._bookings.step(one.id, Forbidden(no.what), now)
        elif (ends := night(zones, now)) < now + LAST or not allowed(terms, zones, now):
            later = earliest(terms, zones, ends if ends < now + LAST else now)
            off = PutOff(now + NOT_OPEN, known=False) if later is None else PutOff(later)
            await self._bookings.step(one.id, off, now)
        elif (claimed := await self._bookings.claim(one.id, now)) is not None:
            await self._make(claimed, plan, now)

    async def _make(self, one: Booking, plan: Plan, now: float) -> None:
        dialed, facts = await self._known(one)
        call = call_of(one, plan, dialed, facts, now)
        try:
            await self._dispatcher.begin(call, opened(call))
        except Full:
            log.warning("there is no room for a callback now", callback=one.id)
            return  # its lease ends, and it is due again
        await self._bookings.made(one)
        MADE.inc()
        log.info("a callback is made", callback=one.id, call=call.id, team=one.team, tries=one.tries)

    async def _note_late(self, now: float) -> None:
        for one in await self._bookings.late(now):
            LATE.inc()
            log.warning("nobody has called back in time", callback=one.id, team=one.team)
            await self._bookings.step(one.id, Late(), now)


def call_of(one: Booking, plan: Plan, dialed: str, facts: Mapping[str, object], now: float) -> Call:
    """The call of a callback's run. Pure."""
    before = word(RecallWord.CALLBACK, one.language)
    until = night(zones_of(one.number, one.zone), now)
    act = Recall(
        one.id, one.team, whisper(facts, one.reason, one.language, after=before),
        at_most=min(RUNG, until - now), until=until, last=one.tries >= one.most,
    )  # fmt: skip
    number = Number(dialed or one.number.reveal())
    return Call(
        id=one.run,
        room=f"{PREFIX}{one.run}",
        sip_identity=leg(CALLEE),
        dialed=number,
        caller=one.number,
        trunk="",
        route="",
        plan=plan.version,
        pool=Pool.HOUSE,
        brief=Brief(agent="", language=one.language, country=plan.country or country_of(number)),
        started=now,
        dispatched=now,
        act=act,
        because=BECAUSE,
    )


def opened(call: Call) -> Event:
    """Tells that it was opened, for the record. Pure."""
    data = {
        "room": call.room, "dialed": call.dialed.reveal(), "caller": call.caller.reveal() if call.caller else None,
        "trunk": "", "route": "", "plan": call.plan, "agent": "", "act": stops.name_of(call.act), "because": call.because,
        "pool": call.pool.value,
    }  # fmt: skip
    return Event(call.id, Kind.OPENED, call.started, data)
