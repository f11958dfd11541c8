"""What no agent is needed for: performs a call's acts, one after the other, with the tools that its job has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import structlog

from gateway.callbacks.booking import Chosen
from gateway.calls.acts.cues import Booked, Event, NoCalls
from gateway.calls.acts.deeds import Book
from gateway.calls.acts.machine import Machine
from gateway.calls.store.port import CallStore
from gateway.conduct.acts import machines
from gateway.conduct.acts.perform import Part, Performance
from gateway.conduct.acts.tools import Tools
from gateway.conduct.caller.ear import Ear
from gateway.conduct.talk.stage import CallStage
from gateway.donotcall.port import Unwanted
from gateway.errors import Unavailable
from gateway.handoff.cut_off import alarm
from gateway.metrics import counter
from gateway.terms.act import Handoff, Onward, Over, Promise
from gateway.terms.call import Call, Left
from gateway.terms.delivery import Why, asked
from gateway.terms.emergency import callable_number
from gateway.terms.personal import Number

CUT_OFF = counter("handoffs_cut_off", "Humans who were cut off just after they had taken a caller, and rung back")

log = structlog.get_logger(__name__)


class House:
    """Performs acts. `tools` makes the tools of a stage and its call; `ear` is the one they hear the caller talk with."""

    def __init__(
        self,
        store: CallStore,
        tools: Callable[[CallStage, Call], Tools],
        ear: Ear,
        card: Callable[[CallStage, Call, str, str], None] = lambda *_: None,
    ) -> None:
        """`card`: tells the member of a name, whom a leg rings, whose call it is."""
        self._store, self._tools, self._ear, self._card = store, tools, ear, card
        self._performance: Performance | None = None
        self.kept: tuple[str, str, int] | None = None
        """The checkpoint of the act that is performed, who talks with the caller, and the number of the last key in it; None
        while none was made."""

    def happened(self, event: Event) -> bool:
        """Something happened in the call; False when it is lost, as nothing is performed."""
        if self._performance is None:
            return False
        self._performance.happened(event)
        return True

    def gone(self, *, lost: bool = False) -> float:
        """The caller has hung up, or their line is lost; seconds for which there may still be something to do."""
        return self._performance.gone(lost=lost) if self._performance is not None else 0.0

    def leave(self) -> None:
        """Another job goes on with the call: whoever rings is left to it."""
        if self._performance is not None:
            self._performance.leave()

    async def hear_no_more(self) -> None:
        """Somebody else is to hear the caller from now on, or nobody."""
        await self._ear.close()

    async def perform(
        self, stage: CallStage, call: Call, last_key: int = 0, acted: Callable[[int], None] = lambda _: None
    ) -> Onward | Over:
        """Perform the call's act to its end, from where another job has left it. `last_key`: the number of the last key that
        nobody took before. `acted` is told the number of each later one, once what came of it is kept."""
        await self.hear_no_more()
        self.kept = None
        own = callable_number(call.caller)
        machine = machines.start(call, own_number=own, facts=stage.facts, reason=stage.reason)
        kept = machines.restored(machine, call.checkpoint) if call.checkpoint else None

        async def keep(machine: Machine, bridged: str, last_key: int) -> bool:
            self.kept = machines.written(machine), bridged, last_key
            if await self._store.keep(call.id, call.epoch, call.stop, *self.kept):
                acted(last_key)
                return True
            # Of a call that has ended, what is left is still done; one that the store has lost is put back.
            known = await self._store.get(call.id)
            return known is None or known.epoch <= call.epoch

        part = self._part(stage, call, kept or machine, kept is not None, keep)
        return await self._run(replace(part, last_key=last_key), stage, call)

    async def call_back(self, stage: CallStage, call: Call, reason: str) -> None:
        """Tell the caller that nobody can take the call, and book a callback."""
        promised = replace(call, act=Promise(reason, terms=call.brief.callback))
        machine = machines.start(promised, own_number=callable_number(call.caller))

        async def keep(_machine: Machine, _bridged: str, _last_key: int) -> bool:
            """The act that failed stays the call's: another job would begin it anew."""
            return True

        await self._run(self._part(stage, promised, machine, False, keep), stage, promised)

    async def keep_company(self, stage: CallStage, call: Call) -> None:
        """Let the caller hear that something goes on, until cancelled."""
        async with self._tools(stage, call).speaker(lambda _: None) as speaker:
            speaker.sound("ringback")
            await asyncio.Event().wait()

    def _part(
        self,
        stage: CallStage,
        call: Call,
        machine: Machine,
        resumed: bool,
        keep: Callable[[Machine, str, int], Awaitable[bool]],
    ) -> Part:
        within = call.act.within if isinstance(call.act, Promise) else call.brief.callback_within

        async def book(wanted: Book) -> Booked:
            number = Number(wanted.number) if wanted.number else None
            try:
                await stage.book_for(number, wanted.reason, within, Chosen(wanted.at, wanted.consent))
            except Unwanted:
                return Booked(False, unwanted=True)
            except Unavailable:
                return Booked(False)
            # Of a handoff's, whoever talked with the caller is told that their phones will ring soon.
            return Booked(not isinstance(call.act, Handoff) or await stage.may_call(number or call.caller))

        async def never_call() -> NoCalls:
            try:
                return NoCalls(await stage.no_more_calls())
            except Unavailable as bad:
                log.error("a number couldn't be entered among those that are never called", why=bad.what)
                return NoCalls(False)

        async def leaving() -> Left | None:
            known = await self._store.get(call.id)
            return known.parted if known is not None else None

        return Part(
            call.act,
            machine,
            call.bridged if resumed else "",
            resumed,
            keep,
            stage.note,
            book,
            never_call,
            card=partial(self._card, stage, call),
            cut_off=partial(_cut_off, stage, call),
            leaving=leaving,
            notice=call.brief.notice,
        )

    async def _run(self, part: Part, stage: CallStage, call: Call) -> Onward | Over:
        self._performance = Performance(part, self._tools(stage, call))
        try:
            return await self._performance.run()
        finally:
            self._performance = None


def _cut_off(stage: CallStage, call: Call, leg: str, name: str) -> None:
    """Tell whoever the team's notices go to; the record and the log tell it too. `name`: "" for the caller."""
    log.warning("somebody was cut off", call=call.id, leg=leg, member=name)
    CUT_OFF.inc()
    if isinstance(call.act, Handoff) and call.act.notify:
        now = time.time()
        content = alarm(call.id, call.act.team, leg, name)
        event = asked(
            call.id, now, kind=Why.ALARM, subject=f"cut off {leg}", to=call.act.notify, content=content, urgent=True
        )
        stage.note(event.kind, event.data, now)
