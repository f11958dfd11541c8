"""Performs one act of a call: feeds its machine with what happens, keeps it, and has the tools do what it says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from gateway.calls.acts.cues import (
    Begun,
    Booked,
    Event,
    Gone,
    Heard,
    Kept,
    Key,
    LegAnswered,
    LegHeard,
    LegHold,
    LegLeft,
    NoCalls,
    Resumed,
)
from gateway.calls.acts.deeds import (
    Announce,
    Book,
    Card,
    Connect,
    Consulted,
    Converse,
    Dial,
    Drop,
    DropRecording,
    Effect,
    Enter,
    Exit,
    Finish,
    Hush,
    KeepRecording,
    Listen,
    NeverCall,
    Ready,
    Refer,
    Release,
    Remember,
    Renew,
    Say,
    Sound,
    StartRecording,
    StopRecording,
    Transferred,
    Whisper,
)
from gateway.calls.acts.machine import Machine
from gateway.conduct.acts import leaving
from gateway.conduct.acts.farewell import Farewell
from gateway.conduct.acts.keeping import Keeping
from gateway.conduct.acts.parties import Parties
from gateway.conduct.acts.tools import Answers, Holding, Legs, Line, Recorder, Speaker, Tools, Whispers
from gateway.errors import Unavailable
from gateway.handoff.browser import may_say_elsewhere
from gateway.tasks import Tasks
from gateway.terms.act import Act, Choose, Handoff, Onward, Over, Recall, Record, Ring, Wait
from gateway.terms.event import Kind
from gateway.terms.handoff import Tried

log = structlog.get_logger(__name__)

CLAIM_WITHIN = 0.3
"""Seconds that asking whether the call is still ours may take, before somebody is connected."""
MESSAGE_WITHIN = 5.0
"""Seconds that keeping a message may take; the caller hears nothing meanwhile."""
LEFT_WITHIN, PARTS_WITHIN = 3.0, 7.0
"""Seconds, once the caller has gone, that keeping their message may take (the house's worker does it later otherwise), and
telling whoever has answered."""


class Note(Protocol):
    """Tells an event for the record, and when it happened (seconds since the epoch). See `gateway.conduct.talk.stage`."""

    def __call__(self, kind: Kind, data: Mapping[str, object], at: float, own: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Part:
    """What a performance has to know of its call."""

    act: Act
    machine: Machine
    bridged: str
    """The leg that talks with the caller, when another job has connected it."""
    resumed: bool
    """Another job has performed it up to here."""
    keep: Callable[[Machine, str, int], Awaitable[bool]]
    """Keeps the machine, the leg that talks with the caller ("" for none), and the number of the last key that the machine
    was told (0 for none); False when another job has the call by now. May raise Unavailable."""
    note: Note
    book: Callable[[Book], Awaitable[Booked]]
    """Books a callback; whether it is kept for good."""
    never_call: Callable[[], Awaitable[NoCalls]]
    """Enters the number among those that are never called; whether it is."""
    card: Callable[[str, str], None] = lambda _leg, _name: None
    """Tells the member of that name, whom that leg rings, whose call it is."""
    cut_off: Callable[[str, str], None] = lambda _leg, _name: None
    """Raises the alarm that the line of the member of that name, whose leg it was, is cut; of "" the caller's, whom that leg
    talked with."""
    leaving: leaving.Leaving = leaving.nobody
    """How whoever talked with the caller has left while no job was there."""
    notice: str = ""
    """An operator's words for the time being, said before anything else."""
    last_key: int = 0
    """The number of the last key that nobody took before this act began; 0 for none."""


class Performance:
    """One act. `run` returns how it ended; cancel it when the caller is gone: what it holds is let go."""

    def __init__(self, part: Part, tools: Tools) -> None:
        self._part, self._tools = part, tools
        self._machine = part.machine
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._speaker: Speaker | None = None
        self._legs: Legs | None = None
        self._line: Line | None = None
        self._answers: Answers | None = None
        self._whispers: Whispers | None = None
        self._parties = Parties(part.act, part.bridged, tools.hearing)
        self._recorder: Recorder | None = None
        self._holding: Holding | None = None
        self._talks = AsyncExitStack()
        """Holds whom the line has given, for a store that forgets who talks."""
        self._last_key = part.last_key
        self._keeping = Keeping(part.keep, self._lost)
        self._asking = Tasks("who left")
        self._farewell = Farewell(self._asking, self._events.put_nowait)
        self._superseded = False
        """Another job has the call: nothing is done any more, until the lease tells us to leave."""

    def gone(self, *, lost: bool = False) -> float:
        """The caller has hung up (`lost`: their line is lost): so does whoever talks with them, or has just answered and hears nobody. Seconds for which
        something is still to be done: what they have left is kept, or whoever waits for them is told."""
        act = self._part.act
        if (legs := self._legs) is not None and not isinstance(act, Handoff):
            for one in legs.present():
                legs.drop(one.leg)
        self._farewell.at_once()
        self.happened(Gone(lost))
        return LEFT_WITHIN if isinstance(act, Record) else PARTS_WITHIN if isinstance(act, Handoff) else 0.0

    def happened(self, event: Event) -> None:
        """Something happened in the call, such as a key."""
        if isinstance(event, LegLeft):
            self._farewell.left(event)
        else:
            self._events.put_nowait(event)

    async def run(self) -> Onward | Over:
        """Perform the act to its end."""
        async with self._asking, AsyncExitStack() as stack:
            stack.push_async_callback(self._keeping.settled)
            self._parties.begin()
            await self._set(stack)
            stack.push_async_callback(self._talks.aclose)
            if self._part.resumed:
                await self._hold()
            if self._part.notice and not self._part.resumed:
                self._heard(Say(self._part.notice))
            # Keys may have come before: the machine begins first.
            effects = await self._step(self._take_over() if self._part.resumed else Begun())
            while True:
                for effect in effects:
                    if self._superseded:
                        break
                    if isinstance(effect, Finish):
                        if self._holding is not None:
                            self._holding.free()
                        return effect.outcome
                    await self._do(effect)
                effects = await self._step(await self._next())

    def leave(self) -> None:
        """Another job goes on with the call: what rings is its own."""
        if self._legs is not None:
            self._legs.leave()

    async def _set(self, stack: AsyncExitStack) -> None:
        act, tools = self._part.act, self._tools
        self._speaker = await stack.enter_async_context(tools.speaker(self.happened))
        if isinstance(act, Wait | Ring | Handoff | Recall):
            self._legs = await stack.enter_async_context(tools.legs(self.happened))
        if isinstance(act, Handoff | Recall):
            self._whispers = await stack.enter_async_context(tools.whispers(self.happened))
            self._parties.whispers = self._whispers
            self._answers = await stack.enter_async_context(tools.answers(self.happened))
        if isinstance(act, Handoff):
            self._farewell.words = await stack.enter_async_context(tools.last_words(self._parties.heard_elsewhere))
        if isinstance(act, Wait | Handoff | Recall):
            self._line = await stack.enter_async_context(tools.line(self.happened))
        if isinstance(act, Ring) and act.callee is not None and act.callee.name:
            self._holding = await stack.enter_async_context(tools.holding(act.callee.name, bool(self._parties.bridged)))
        if isinstance(act, Record):
            self._recorder = await stack.enter_async_context(tools.recorder(self.happened))
        if isinstance(act, Choose) and act.speech:
            await stack.enter_async_context(tools.listener(self.happened))
        elif isinstance(act, Choose) and act.person:
            await stack.enter_async_context(tools.overhearer(self.happened))

    def _take_over(self) -> Event:
        """Whoever rings or has answered stays, as far as the machine knows them. Who holds whom is told also where nobody does: a
        hold may have ended while no job was there to see it."""
        if self._legs is None:
            return Resumed()
        there = self._legs.present()
        if self._parties.bridged and all(one.leg != self._parties.bridged for one in there):
            self._asking.start(leaving.told(self._part.leaving, self.happened), "who left")
        for one in there:
            if one.answered:
                self.happened(LegAnswered(one.leg))
                self.happened(LegHold(one.leg, one.hold))
        self.happened(LegHold("", self._legs.caller_hold))
        return Resumed(frozenset(one.leg for one in there))

    async def _step(self, event: Event | None) -> tuple[Effect, ...]:
        """What follows from an event, or from the deadline; the machine is kept before it is done."""
        before, key = self._machine, self._last_key
        now = time.time()
        if isinstance(event, Key):
            self._last_key = event.number or key
        if isinstance(event, Heard):
            self._parties.all_said()
        if isinstance(event, LegHeard):
            self._parties.heard(event.leg)
        if isinstance(event, LegHold):
            self._part.note(Kind.HOLD, {"leg": event.leg or None, "hold": event.hold or None}, now)
        effects: tuple[Effect, ...] = ()
        if event is None:
            self._machine, effects = self._machine.due(now)
        elif not (isinstance(event, Key) and event.slip):  # kept as acted on all the same: no other job is told it
            self._machine, effects = self._machine.on(event, now)
        if self._answers is not None:
            self._answers.expect(may_say_elsewhere(self._machine))
        if effects and isinstance(effects[0], Hush):
            # A job that dies now has said too little, and the next says it again: silence needn't be kept first.
            self._heard(Hush())
            effects = effects[1:]
        if self._machine != before or effects or self._last_key != key:
            await self._keep(effects)
        return () if self._superseded else effects

    async def _next(self) -> Event | None:
        wait = self._machine.deadline - time.time()
        with suppress(TimeoutError):
            async with asyncio.timeout(None if wait == float("inf") else max(wait, 0.0)):
                return await self._events.get()
        return None

    async def _keep(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, Connect):
                self._parties.bridged = effect.leg
            elif isinstance(effect, Converse):
                self._parties.bridged = effect.legs[0] if effect.caller else ""
        bridged = self._parties.bridged
        over = any(isinstance(effect, Finish) for effect in effects)  # the record's end tells that the two have talked
        parted = not over and Drop(bridged) in effects
        await self._keeping.step(self._machine, "" if parted else bridged, self._last_key)

    def _lost(self) -> None:
        """Another job has the call."""
        self._superseded = True
        self.leave()

    async def _do(self, effect: Effect) -> None:
        self._note(effect)
        match effect:
            case Say() | Sound() | Hush():
                self._heard(effect)
            case Connect():
                await self._connect(effect)
            case Announce(text):
                self._parties.announce()
                self._heard(Say(text))
            case NeverCall():
                self.happened(await self._part.never_call())
            case Converse(legs, caller, music):
                self._parties.converse(legs, caller=caller, music=music)
            case Renew(legs):
                assert self._legs is not None
                self._legs.renew(legs)
            case Dial() | Refer() | Drop():
                self._leg(effect)
            case Whisper() | Ready() | Listen():
                self._whisper(effect)
            case Remember(leg):
                self._parties.remember(leg)
                self._farewell.remember(leg)
            case Card(leg, name):
                self._part.card(leg, name)
            case Enter() | Exit() | Release():
                await self._wait(effect)
            case StartRecording() | StopRecording() | KeepRecording() | DropRecording():
                await self._record(effect)
            case Book():
                self.happened(await self._part.book(effect))

    def _heard(self, effect: Say | Sound | Hush) -> None:
        assert self._speaker is not None
        match effect:
            case Say(text):
                self._speaker.say(text)
            case Sound(name):
                self._speaker.sound(name)
            case Hush():
                self._speaker.hush()

    def _leg(self, effect: Dial | Refer | Drop) -> None:
        assert self._legs is not None
        match effect:
            case Dial():
                self._legs.dial(effect)
            case Refer():
                self._legs.refer(effect)
            case Drop(leg):
                self._parties.hear_no_more(leg)
                self._legs.drop(leg)
                self._parties.dropped(leg)

    def _whisper(self, effect: Whisper | Ready | Listen) -> None:
        assert self._whispers is not None
        assert self._speaker is not None
        match effect:
            case Whisper(leg, texts):
                self._parties.whisper(leg, texts)
            case Listen(leg, on):
                self._parties.listen(leg if on else "")
            case Ready(texts, whisper=True):
                self._whispers.ready(texts)
            case Ready(texts):
                for text in texts:
                    self._speaker.ready(text)

    async def _connect(self, effect: Connect) -> None:
        """Connect the leg, unless another job has the call: whom it connects, and whom it lets go, is its to say."""
        assert self._legs is not None
        ours = True
        if self._line is not None:
            with suppress(Unavailable, TimeoutError):  # the caller and the human who has answered come first
                async with asyncio.timeout(CLAIM_WITHIN):
                    ours = await self._line.claim()
        if not ours:
            self._lost()
            return
        self._parties.connect(effect.leg, introduced=bool(effect.say))
        remembered = self._parties.remembered == effect.leg
        self._legs.connect(effect.leg, introduced=bool(effect.say), remembered=remembered)
        self._heard(Hush())
        if effect.say:
            self._heard(Say(effect.say))
        if self._holding is not None:
            self._holding.connected()
        await self._hold()

    async def _hold(self) -> None:
        """Whom the team's line has given is held on while the two talk: Redis may come back without knowing of it."""
        machine = self._machine
        name = getattr(machine, "held_on", getattr(machine, "talks_with", ""))
        if self._line is not None and name:
            await self._talks.aclose()  # they may have been rung back
            await self._talks.enter_async_context(self._tools.holding(name, True))

    async def _wait(self, effect: Enter | Exit | Release) -> None:
        assert self._line is not None
        match effect:
            case Enter():
                self._line.enter(effect)
            case Exit(team):
                self._line.exit(team)
            case Release():
                if effect.took:
                    await self._talks.aclose()
                self._line.release(effect)

    async def _record(self, effect: StartRecording | StopRecording | KeepRecording | DropRecording) -> None:
        assert self._recorder is not None
        match effect:
            case StartRecording(name):
                self._recorder.start(name)
            case StopRecording():
                self._recorder.stop()
            case KeepRecording(name):
                self.happened(await self._message(self._recorder, name))
            case DropRecording(name):
                self._recorder.drop(name)

    async def _message(self, recorder: Recorder, name: str) -> Kept:
        """Keep the message; what became of it."""
        about = self._part.act
        assert isinstance(about, Record)
        try:
            async with asyncio.timeout(MESSAGE_WITHIN):
                return Kept(True, there=await recorder.keep(name, about.because, about.team, about.notify))
        except (Unavailable, TimeoutError) as bad:
            log.error("a message couldn't be kept", why=str(bad) or "It took too long.")
            return Kept(False)

    def _note(self, what: Effect) -> None:
        """Tell the record of the line; legs tell of themselves."""
        match what:
            case Enter(team, since):
                # By its time it is one in the record, whichever job tells it.
                self._part.note(Kind.WAITING, {"team": team, "event": "entered"}, since)
            case Transferred(name, by):
                self._part.note(Kind.TRANSFERRED, {"to": name, "by": by}, time.time())
            case Exit(team):
                why = getattr(self._machine, "why", "")
                self._part.note(Kind.WAITING, {"team": team, "event": "left", "why": why}, time.time())
            case Consulted(leg, tried):
                # A job that goes on tells it again: the one before may have died before it could.
                self._part.note(Kind.HANDOFF, {"leg": leg, "tried": tried.value}, time.time(), f"{leg} {tried.value}")
                if tried is Tried.CALLER_CUT_OFF:
                    self._part.cut_off(leg, "")
                if tried is Tried.CUT_OFF:
                    self._part.cut_off(leg, getattr(self._machine, "rung_back", ""))
