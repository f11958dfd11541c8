"""Performs one act of a call: feeds its machine with what happens, keeps it, and has the tools do what it says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import structlog

from gateway.calls.cues import (
    Begun,
    Book,
    Booked,
    Connect,
    Dial,
    Drop,
    DropRecording,
    Effect,
    Enter,
    Event,
    Exit,
    Finish,
    Hush,
    KeepRecording,
    LegAnswered,
    LegFailed,
    LegLeft,
    LegRings,
    Machine,
    RecordingEnded,
    Release,
    Resumed,
    Say,
    Sound,
    StartRecording,
    StopRecording,
)
from gateway.conduct.tools import Legs, Line, Recorder, Speaker, Tools
from gateway.errors import Unavailable
from gateway.terms.act import Act, Choose, Onward, Over, Record, Ring, Wait
from gateway.terms.event import Kind

log = structlog.get_logger(__name__)

KEEP_WITHIN = 0.15
"""Seconds that keeping a step may hold its effects up; a store that is slower must not make the caller wait."""

_TOLD: Mapping[type, str] = {
    LegRings: "ringing",
    LegAnswered: "answered",
    LegFailed: "failed",
    LegLeft: "left",
    Dial: "dialed",
    Drop: "dropped",
    Connect: "connected",
}
"""What a record calls an event or effect of a leg."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a performance has to know of its call."""

    act: Act
    machine: Machine
    bridged: str
    """The leg that talks with the caller, when another job has connected it."""
    resumed: bool
    """Another job has performed it up to here."""
    keep: Callable[[Machine, str], Awaitable[None]]
    """Keeps the machine, and the leg that talks with the caller ("" for none); may raise Unavailable."""
    note: Callable[[Kind, Mapping[str, object]], None]
    """Tells an event for the record."""
    book: Callable[[str, str], Awaitable[bool]]
    """Books a callback on the number ("" for the caller's own) for a reason; whether it is kept for good."""
    notice: str = ""
    """An operator's words for the time being, said before anything else."""


class Performance:
    """One act. `run` returns how it ended; cancel it when the caller is gone: what it holds is let go."""

    def __init__(self, part: Part, tools: Tools) -> None:
        self._part, self._tools = part, tools
        self._machine = part.machine
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._speaker: Speaker | None = None
        self._legs: Legs | None = None
        self._line: Line | None = None
        self._recorder: Recorder | None = None
        self._members: dict[str, str] = {}
        """Who is at the end of a leg."""
        self._bridged = part.bridged
        self._keeping: asyncio.Task[None] | None = None

    def happened(self, event: Event) -> None:
        """Something happened in the call, such as a key."""
        self._events.put_nowait(event)

    async def run(self) -> Onward | Over:
        """Perform the act to its end."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._kept)
            await self._set(stack)
            if self._part.notice and not self._part.resumed:
                self._heard(Say(self._part.notice))
            self.happened(Resumed() if self._part.resumed else Begun())
            if self._part.resumed and self._legs is not None:
                for there in await self._legs.present():
                    self.happened(there)
            while True:
                effects = await self._step()
                for effect in effects:
                    if isinstance(effect, Finish):
                        return effect.outcome
                    await self._do(effect)

    async def _set(self, stack: AsyncExitStack) -> None:
        act, tools = self._part.act, self._tools
        self._speaker = await stack.enter_async_context(tools.speaker(self.happened))
        if isinstance(act, Wait | Ring):
            self._legs = await stack.enter_async_context(tools.legs(self.happened))
        if isinstance(act, Wait):
            self._line = await stack.enter_async_context(tools.line(self.happened))
        if isinstance(act, Record):
            self._recorder = await stack.enter_async_context(tools.recorder(self.happened))
        if isinstance(act, Choose) and act.speech:
            await stack.enter_async_context(tools.listener(self.happened))

    async def _step(self) -> tuple[Effect, ...]:
        """The next event, or the deadline; the machine is kept before what follows is done."""
        event = await self._next()
        before = self._machine
        now = time.time()
        if event is None:
            self._machine, effects = self._machine.due(now)
        else:
            self._told(event)
            self._machine, effects = self._machine.on(event, now)
        if self._machine != before or effects:
            await self._keep(effects)
        return effects

    async def _next(self) -> Event | None:
        wait = self._machine.deadline - time.time()
        with suppress(TimeoutError):
            async with asyncio.timeout(None if wait == float("inf") else max(wait, 0.0)):
                return await self._events.get()
        return None

    async def _keep(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, Connect):
                self._bridged = effect.leg
        await self._kept()
        self._keeping = asyncio.create_task(self._keep_now(self._machine, self._bridged), name="keep")
        await asyncio.wait({self._keeping}, timeout=KEEP_WITHIN)

    async def _keep_now(self, machine: Machine, bridged: str) -> None:
        try:
            await self._part.keep(machine, bridged)
        except Unavailable as bad:
            log.warning("a step of the call couldn't be kept", why=str(bad))

    async def _kept(self) -> None:
        """Steps are kept in their order: an older one must not overwrite a newer."""
        if self._keeping is not None:
            await asyncio.wait({self._keeping})

    async def _do(self, effect: Effect) -> None:
        self._told(effect)
        match effect:
            case Say() | Sound() | Hush():
                self._heard(effect)
            case Dial() | Drop() | Connect():
                await self._leg(effect)
            case Enter() | Exit() | Release():
                await self._wait(effect)
            case StartRecording() | StopRecording() | KeepRecording() | DropRecording():
                await self._record(effect)
            case Book(number, reason):
                self.happened(Booked(await self._part.book(number, reason)))

    def _heard(self, effect: Say | Sound | Hush) -> None:
        assert self._speaker is not None
        match effect:
            case Say(text):
                self._speaker.say(text)
            case Sound(name):
                self._speaker.sound(name)
            case Hush():
                self._speaker.hush()

    async def _leg(self, effect: Dial | Drop | Connect) -> None:
        assert self._legs is not None
        match effect:
            case Dial():
                self._legs.dial(effect)
            case Drop(leg):
                await self._legs.drop(leg)
            case Connect(leg):
                await self._legs.connect(leg)

    async def _wait(self, effect: Enter | Exit | Release) -> None:
        assert self._line is not None
        match effect:
            case Enter():
                self._line.enter(effect)
            case Exit(team):
                await self._line.exit(team)
            case Release():
                await self._line.release(effect)

    async def _record(self, effect: StartRecording | StopRecording | KeepRecording | DropRecording) -> None:
        assert self._recorder is not None
        match effect:
            case StartRecording(name):
                await self._recorder.start(name)
            case StopRecording():
                await self._recorder.stop()
            case KeepRecording(name):
                assert isinstance(self._part.act, Record)
                try:
                    await self._recorder.keep(name, self._part.act)
                except Unavailable as bad:
                    log.error("a message couldn't be kept", why=str(bad))
                    self.happened(RecordingEnded("it couldn't be kept"))
            case DropRecording(name):
                await self._recorder.drop(name)

    def _told(self, what: Event | Effect) -> None:
        """Tell the record of legs and of the line."""
        match what:
            case Dial(leg, callee):
                self._members[leg] = callee.name
                number = callee.address
                self._part.note(Kind.LEG, {**self._of(leg, what), "number": number})
            case LegFailed(leg, status, reason):
                self._part.note(Kind.LEG, {**self._of(leg, what), "status": status, "reason": reason})
            case LegRings(leg) | LegAnswered(leg) | LegLeft(leg) | Drop(leg) | Connect(leg):
                self._part.note(Kind.LEG, self._of(leg, what))
            case Enter(team):
                self._part.note(Kind.WAITING, {"team": team, "event": "entered"})
            case Exit(team):
                self._part.note(Kind.WAITING, {"team": team, "event": "left"})

    def _of(self, leg: str, what: Event | Effect) -> dict[str, object]:
        return {"leg": leg, "member": self._members.get(leg, ""), "event": _TOLD[type(what)]}
