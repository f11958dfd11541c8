"""Does what `decide` says, once a call however many hints come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from weakref import WeakValueDictionary

import structlog

from gateway.bus.callstate import CallState, Status
from gateway.calls.hearing import leg
from gateway.calls.store.port import CallStore
from gateway.dialplan.plan import Plan
from gateway.dialplan.state import State
from gateway.dispatch import decide, ended, telling
from gateway.dispatch.decide import Arrival, Do
from gateway.dispatch.lines import Lines
from gateway.dispatch.reconcile import Reconcile, Then, each
from gateway.dispatch.rooms import Rooms
from gateway.dispatch.routing import Routing
from gateway.errors import Unavailable
from gateway.metrics import counter, seconds
from gateway.terms.act import TALKED, Because, Handoff, Onward
from gateway.terms.call import Call, CallId, Left, Phase, Pool
from gateway.terms.ending import Ending, Party
from gateway.terms.event import Event, Kind
from gateway.terms.times import THERE_WITHIN

CALLS = counter("calls", "Calls that arrived", "route")
REJECTED = counter("calls_rejected", "Calls that the plan turned away", "status")
ENDED = counter("calls_ended", "Calls that ended", "ending")
REDISPATCHED = counter("calls_redispatched", "Times that a call was offered to another job")
ROUTED_SECONDS = seconds("routed", "From the first hint of a call until its route was chosen and the call opened")
DISPATCH_SECONDS = seconds("dispatch", "From the first hint of a call until its job was asked for")

LOOKED_AFTER_AT_ONCE = 16
"""Calls whose jobs didn't come that one control asks LiveKit about at the same time."""

log = structlog.get_logger(__name__)


class Dispatcher:
    """One control's part in the calls. Every method may be called at any time, by several tasks and replicas."""

    def __init__(
        self,
        store: CallStore,
        rooms: Rooms,
        plan: Callable[[], Plan],
        *,
        plan_of: Callable[[str], Awaitable[Plan | None]] | None = None,
        state: Callable[[float], State] = lambda _: State(),
        forget: Callable[[CallId, float], Awaitable[None]] | None = None,
        settled: Callable[[], bool] = lambda: True,
        slots: Callable[[], Mapping[Pool, int]] = dict,
        edges: Callable[[], Awaitable[frozenset[str]]] | None = None,
        look: Callable[[], Awaitable[None]] | None = None,
        ask: Callable[[], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`plan`: the one in force now. `plan_of`: the one of a version, by which a call goes on as it began; None where
        it is kept no more. `state`: what operators override at a time. `forget`: frees who and what a call that has
        ended holds, at a time. `settled`: whether the store's leases may be believed; until then nobody is judged by one
        and no hint ends a call, and a later look does it. `slots`: how many calls each pool bears (see `admission`).
        `edges`: our SIP services that run. `look`: learns anew what `state` and `slots` tell, `ask` what
        `settled` does. `clock`: seconds since the epoch."""
        line = Lines(rooms).of
        self._routing = Routing(store, plan, plan_of=plan_of, state=state, slots=slots, line=line, clock=clock)
        then = Then(self._arrived, self.gone, self._cut)
        self._reconcile = Reconcile(store, rooms, then, settled=settled, edges=edges, clock=clock)
        self._forget, self._settled, self._slots, self._look, self._ask = forget, settled, slots, look, ask
        self._store, self._rooms, self._plan, self._state, self._clock = store, rooms, plan, state, clock
        self._hearing: WeakValueDictionary[CallId, asyncio.Lock] = WeakValueDictionary()
        """What the SIP service tells of a call is taken one after the other, in the order in which it was told."""

    async def arrived(self, arrival: Arrival) -> None:
        """Somebody calls. Raises Unavailable; what couldn't be done then is done by a later look."""
        if not arrival.joined or self._settled():
            await self._arrived(arrival)  # else a look at the rooms tells whether a job is with them

    async def _arrived(self, arrival: Arrival) -> None:
        started = time.perf_counter()
        plan = self._plan()
        if plan.reads_headers and not arrival.joined:
            return  # the hint has no headers; the participant has
        found = await self._routing.open(plan, arrival)
        ROUTED_SECONDS.observe(time.perf_counter() - started)
        if found is None:
            return
        call, fresh = found
        if not fresh:
            await self._again(arrival)
            return
        CALLS.labels(call.route or "none").inc()
        if call.reject:
            await self._turn_away(call)
            return
        # Whoever conducts a call that the store has lost hasn't put it back.
        there = await self._rooms.present(call.room) if arrival.attended else None
        dispatch = await self._dispatch(call)
        if there is not None:
            await self._rooms.withdraw(call.room, there)
        DISPATCH_SECONDS.observe(time.perf_counter() - started)
        log.info("call dispatched", call=call.id, route=call.route, agent=call.brief.agent, dispatch=dispatch)
        await self._routing.name(call)

    async def begin(self, call: Call, told: Event) -> None:
        """Make a call of the gateway's own, and send a job for it; once, however often it is asked for. `told`: that it is
        opened. Raises Unavailable, and Full where not even the house has room for it."""
        if await self._routing.begin(call, told):
            log.info("call dispatched", call=call.id, route=call.route, dispatch=await self._dispatch(call))

    async def answer(self, wait: float) -> None:
        """Hear what a job asks next, `wait` seconds at most, and lead its call on. Raises Unavailable; the job asks
        again."""
        asked = await self._store.asked(wait)
        call = await self._store.get(asked.call) if asked is not None else None
        if asked is None or call is None or (call.epoch, call.stop) != (asked.epoch, asked.stop):
            return  # another control was faster, or the call is another job's by now
        if asked.age > decide.ASK_COUNTS:
            return  # the job has told the caller something else by now
        led = await self._routing.lead(call, asked.onward, asked.pool)
        if led is None:
            return
        if led.needs_another(asked.pool):
            raised = await self._store.raise_epoch(call.id, call.epoch, self._clock(), late=call.late)
            if raised is not None:
                await self._dispatch(raised)

    async def heard(self, state: CallState) -> None:
        """The SIP service told of a call. Raises Unavailable."""
        if state.outbound:
            if state.over and state.room.startswith(decide.PREFIX):  # else it is nobody's here
                await self.parted(state.room, state.identity, lost=state.by is Party.NETWORK)
            return
        call = CallId(state.call_id)
        lock = self._hearing.get(call) or asyncio.Lock()
        self._hearing[call] = lock
        async with lock:
            await self._heard(call, state)

    async def _heard(self, call: CallId, state: CallState) -> None:
        if state.status is Status.INCOMING:
            if state.room.startswith(decide.PREFIX) and state.identity:
                await self.arrived(telling.arrival_of(state))
            return
        if state.room and not state.room.startswith(decide.PREFIX):
            return  # another application's call on the same LiveKit
        await self._tell(call, Kind.SIP, telling.sip_data(state), state.at)
        if not state.over:
            return
        if state.room:
            await self.gone(call)
        else:
            await self._unmatched(call, state)

    async def gone(self, call_id: CallId) -> None:
        """The caller isn't there any more. Raises Unavailable."""
        if self._settled():
            await self._gone(call_id)

    async def _gone(self, call_id: CallId) -> None:
        call = await self._store.get(call_id)
        parts = call is not None and await self._parts(call)
        if call is not None and await self._end(call, ended.ending(call)):
            if parts:
                self._reconcile.leave(call.room)
            else:
                await self._rooms.close(call.room)

    async def _parts(self, call: Call) -> bool:
        """Whether the call's job may have to tell somebody, who has answered for the caller or talked with them, that they have
        gone: it closes the room itself then."""
        act = call.act
        tells = isinstance(act, Handoff) and (not call.bridged or act.ring_back > 0)
        return tells and await self._store.holder(call.id) is not None

    async def emptied(self, room: str) -> None:
        """A room is no more: neither is the call in it. Raises Unavailable."""
        if not self._settled():
            return
        for call in await self._store.live():
            if call.room == room and self._clock() - call.started > 1.0:
                await self.gone(call.id)

    async def joined(self, room: str) -> None:
        """Somebody has joined a room, unknown to its job: phones that nobody hears there are to be heard. Raises Unavailable."""
        await self._rooms.have_heard(room)

    async def parted(self, room: str, identity: str, *, lost: bool) -> None:
        """A leg has left a room; `lost`: its line was lost. Where it talked with the caller and the call has no job, the next
        one has to know, or the call is over; a job sees it by itself. Raises Unavailable."""
        for call in await self._store.live():
            if call.room != room or not call.bridged or leg(call.bridged) != identity:
                continue
            # Also where a job has the call: one that has only just come may have found the leg gone.
            await self._store.left(call.id, Left(call.bridged, self._clock(), lost))
            if self._settled() and await self._store.holder(call.id) is None:
                await self._part(call)

    async def _part(self, call: Call) -> bool:
        """End a call whose caller talked with somebody who isn't there any more, where that is all that a job would do; whether
        it was so. Of a handoff its machine knows more: whether they are rung back, or a third is there."""
        if not call.bridged or isinstance(call.act, Handoff) or await self._rooms.has(call.room, leg(call.bridged)):
            return False
        log.info("whoever talked with the caller has left while the call had no job", call=call.id)
        told = {"by": TALKED.by.value, "reason": TALKED.reason}
        await self._tell(call.id, Kind.HANGUP, told, self._clock())
        await self.gone(call.id)
        return True

    async def reconcile(self) -> None:
        """Look at every room: find calls that nobody told of, and calls whose caller is gone. Raises Unavailable."""
        await self._reconcile.look()

    async def _cut(self, arrival: Arrival) -> None:
        log.warning("a caller's SIP service is gone", call=arrival.call)
        told = {"by": Party.NETWORK.value, "reason": "the SIP service is gone"}
        await self._tell(arrival.call, Kind.HANGUP, told, self._clock())
        await self.gone(arrival.call)
        await self._rooms.close(arrival.room)

    async def supervise(self) -> None:
        """Offer each call whose job didn't come, or is gone, to another. Raises Unavailable."""
        due = [call for call in await self._store.live() if self._needs(call, None) is not Do.NOTHING]
        # At once: LiveKit takes seconds to say that it knows nothing of one's room, and the others' callers wait. Not all
        # of them: hundreds that ask a LiveKit which is late already make it later, until it answers nobody in time. Who
        # has waited longest comes first.
        due.sort(key=lambda call: call.dispatched)
        slots = asyncio.Semaphore(LOOKED_AFTER_AT_ONCE)
        await asyncio.gather(*(each(call.id, self._look_after(call, slots)) for call in due))

    async def _look_after(self, call: Call, slots: asyncio.Semaphore) -> None:
        async with slots:
            holder = await self._store.holder(call.id)
            if holder is None and self._ask is not None:
                await self._ask()
            if self._settled():  # else it may be the store that has forgotten who holds it
                await self._act(call, self._needs(call, holder), silent=True)

    async def hurry(self, pool: Pool) -> None:
        """Workers of a pool are there again: send them the calls whose jobs found none. Raises Unavailable."""
        if not self._settled():
            return  # it may be the store that is there again
        for call in await self._store.live():
            waits = call.pool is pool and call.phase is Phase.ROUTED
            if waits and self._clock() - call.dispatched >= decide.HURRY_AFTER:
                holder = await self._store.holder(call.id)
                await each(call.id, self._act(call, self._needs(call, holder, lost=True)))

    async def replace_lost(self, wait: float) -> None:
        """Hear of the next call that a job has given back, or whose job was seen to die, `wait` seconds at most, and
        offer it to another at once. Raises Unavailable; `supervise` makes up for it."""
        if (lost := await self._store.lost(wait)) is None:
            return
        # Together, as a caller waits: its worker may be gone, too.
        known = self._store.get(lost.call), self._store.holder(lost.call)
        call, holder, _ = await asyncio.gather(*known, self._look_anew())
        if call is None or call.epoch != lost.epoch:
            return  # another has taken it over already
        await self._act(call, self._needs(call, holder, lost=True), silent=lost.silent)

    async def _look_anew(self) -> None:
        with suppress(Unavailable):
            if self._look is not None:
                await self._look()

    def _needs(self, call: Call, holder: str | None, *, lost: bool = False) -> Do:
        now = self._clock()
        no_agent, no_house = self._state(now).no_agent, self._slots().get(Pool.HOUSE) == 0
        return decide.supervise(call, holder, now, lost=lost, no_agent=no_agent, no_house=no_house)

    async def _act(self, call: Call, do: Do, *, silent: bool = False) -> None:
        """`silent`: nothing was heard of the call's job, which may live."""
        match do:
            case Do.DISPATCH:
                await self._redispatch(call, silent)
            case Do.LEAD_ON:
                await self._without_agent(call)
            case Do.GIVE_UP:
                await self._give_up(call)
            case Do.TURN_AWAY:
                await self._turn_away(call)
            case Do.NOTHING:
                pass

    async def _again(self, arrival: Arrival) -> None:
        """A caller who is known. One whose call has ended should be gone: a step failed, or is under way."""
        known = await self._store.get(arrival.call)
        if known is None or known.phase is not Phase.ENDED or not arrival.joined:
            return
        try:
            await self._rooms.turn_away(arrival.room, arrival.identity, known.reject or decide.NO_JOB)
        except Unavailable:
            # A livekit-server that has died leaves callers in its list whom none can reach; their rooms can be deleted.
            await self._rooms.close(arrival.room)

    async def _dispatch(self, call: Call) -> str:
        pool = decide.sent_to(call, self._slots())
        dispatch = await self._rooms.dispatch(pool.agent_name, call.room, decide.metadata(call))
        now = self._clock()
        if await self._store.dispatched(call.id, call.epoch, dispatch, now):
            await self._tell(call.id, Kind.DISPATCHED, {"epoch": call.epoch, "dispatch": dispatch}, now)
        else:
            await self._too_late(call)
        return dispatch

    async def _too_late(self, call: Call) -> None:
        """A dispatch that came after the call's end has made its room again."""
        known = await self._store.get(call.id)
        if known is not None and known.phase is not Phase.ENDED:
            return  # another replica was faster; the job finds its epoch stale
        if not await self._rooms.has(call.room, call.sip_identity):
            await self._rooms.close(call.room)

    async def _redispatch(self, call: Call, silent: bool = False) -> None:
        there = await self._rooms.present(call.room)
        if call.sip_identity not in there.identities and not call.ours:
            if self._clock() - call.started >= THERE_WITHIN:
                await self.gone(call.id)
            return
        if await self._part(call):
            return
        now = self._clock()
        afresh, late = decide.afresh(call, now, silent=silent), decide.late(call, now, silent=silent)
        falls = decide.falls(call, now, silent=silent)
        raised = await self._store.raise_epoch(call.id, call.epoch, now, afresh=afresh, late=late, falls=falls)
        if raised is None:
            return
        REDISPATCHED.inc()
        log.warning(
            "the call's job didn't come or is gone; another is sent for", call=call.id, epoch=raised.epoch, late=late
        )
        try:
            await self._dispatch(raised)
        finally:
            # After it: the caller waits for the next job, and not for the last one's removal. And where LiveKit let none
            # come: whoever is there has lost the call all the same.
            await self._rooms.withdraw(call.room, there)

    async def _without_agent(self, call: Call) -> None:
        """No agent's job takes the call: the plan says what comes instead."""
        led = await self._routing.lead(call, Onward(Because.NO_AGENT))
        if led is not None:
            await self._redispatch(led)

    async def _give_up(self, call: Call) -> None:
        if not await self._end(call, ended.given_up(call)):
            return
        log.error("no job came for the call; its caller is turned away", call=call.id, tries=call.tries)
        await self._rooms.turn_away(call.room, call.sip_identity, decide.NO_JOB)
        await self._rooms.close(call.room)

    async def _turn_away(self, call: Call) -> None:
        await self._tell(call.id, Kind.REJECTED, {"status": call.reject, "reason": call.why}, self._clock())
        if await self._end(call, Ending.REJECTED):
            REJECTED.labels(str(call.reject)).inc()
            log.info("call rejected", call=call.id, route=call.route, status=call.reject)
        await self._rooms.turn_away(call.room, call.sip_identity, call.reject)

    async def _unmatched(self, call: CallId, state: CallState) -> None:
        """A call that ended before it had a room: no trunk or rule took it, or its caller gave up at once."""
        rejected = state.by is not Party.CALLER and state.sip_status != 487
        if rejected:
            await self._tell(call, Kind.REJECTED, {**telling.sip_data(state), "reason": state.sip_text}, state.at)
        ending = Ending.REJECTED if rejected else Ending.ABANDONED
        await self._tell(call, Kind.ENDED, {"ending": ending.value}, state.at)

    async def _end(self, call: Call, ending: Ending) -> bool:
        """End the call; whether it was this one that ended it."""
        if not await self._store.end(call.id, Event(call.id, Kind.ENDED, self._clock(), {"ending": ending.value})):
            return False
        ENDED.labels(ending.value).inc()
        if self._forget is not None:
            await self._forget(call.id, self._clock())
        return True

    async def _tell(self, call: CallId, kind: Kind, data: Mapping[str, object], at: float) -> None:
        await self._store.tell(Event(call, kind, at, data))
