"""What an act is performed with in tests: every tool, written down, and machines that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.calls.acts.cues import (
    Booked,
    Event,
    NoCalls,
    Resumed,
)
from gateway.calls.acts.deeds import (
    Book,
    Connect,
    Dial,
    Drop,
    Effect,
    Finish,
    NeverCall,
    Release,
)
from gateway.calls.acts.machine import Machine
from gateway.calls.hearing import (
    Matrix,
)
from gateway.conduct.acts.keeping import KEEP_WITHIN
from gateway.conduct.acts.perform import Part, Performance
from gateway.conduct.acts.tools import Tools
from gateway.errors import Unavailable
from gateway.terms.act import Act, Callee, Handoff, Onward, Over

ANA = Callee("ana", "+15105550111")
DONE = Finish(Over("done"))
DIALED = Dial("1", ANA, 9.0)


@dataclass(frozen=True)
class Scripted:
    """A machine that answers each event with the effects written for it, and remembers what it was told."""

    answers: tuple[tuple[type, tuple[Effect, ...]], ...]
    due_at: float = float("inf")
    seen: tuple[str, ...] = ()

    @property
    def deadline(self) -> float:
        return self.due_at

    def on(self, event: Event, now: float) -> tuple[Scripted, tuple[Effect, ...]]:
        found = next((effects for kind, effects in self.answers if isinstance(event, kind)), ())
        return replace(self, seen=(*self.seen, type(event).__name__)), found

    def due(self, now: float) -> tuple[Scripted, tuple[Effect, ...]]:
        return replace(self, due_at=float("inf"), seen=(*self.seen, "due")), (DONE,)


@dataclass(frozen=True)
class Watching(Scripted):
    """One that tells the world with what it was resumed."""

    world: World | None = None

    def on(self, event: Event, now: float) -> tuple[Scripted, tuple[Effect, ...]]:
        if isinstance(event, Resumed) and self.world is not None:
            self.world.resumed.append(event)
        return super().on(event, now)


@dataclass(frozen=True)
class Noting(Scripted):
    """One that notes what it is told."""

    events: list[Event] = field(default_factory=list)

    def on(self, event: Event, now: float) -> tuple[Scripted, tuple[Effect, ...]]:
        self.events.append(event)
        return super().on(event, now)


@dataclass
class There:
    leg: str
    answered: bool
    hold: str = ""


@dataclass
class World:
    """Every tool, written down."""

    done: list[object] = field(default_factory=list)
    kept: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    last_keys: list[int] = field(default_factory=list)
    """What was kept with each of them."""
    there: Sequence[There] = ()
    holds: str = ""
    ours: bool = True
    has_call: bool = True
    resumed: list[Resumed] = field(default_factory=list)
    slow: bool = False
    down: bool = False
    said_goodbye: bool | None = None
    """Whether whoever has left has."""
    understood: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once that is known."""
    deaf: Callable[[], None] = print
    """Tells the act that whoever is remembered needn't be heard for it."""

    # Speaker, Legs, Line and Recorder in one.

    def say(self, text: str) -> None:
        self.done.append(("say", text))

    def sound(self, name: str) -> None:
        self.done.append(("sound", name))

    def hush(self) -> None:
        self.done.append("hush")

    def dial(self, dial: Dial) -> None:
        self.done.append(dial)

    def drop(self, name: str) -> None:
        self.done.append(Drop(name))

    def connect(self, name: str, *, introduced: bool = False, remembered: bool = False) -> None:
        self.done.append(("introduce", name) if introduced else Connect(name))
        self.done += [("heard", name)] if remembered else []

    def remember(self, leg: str) -> None:
        self.done.append(("remember", leg))

    async def goodbye(self) -> bool | None:
        self.done.append("goodbye?")
        await self.understood.wait()
        return self.said_goodbye

    def ready(self, texts: str | Sequence[str]) -> None:
        self.done.append(("ready", texts))

    def whisper(self, leg: str, texts: Sequence[str]) -> None:
        self.done.append(("whisper", leg, texts))

    def listen(self, leg: str) -> None:
        self.done.append(("listen", leg))

    def end(self, leg: str) -> None:
        self.done.append(("end", leg))

    def connected(self) -> None:
        self.done.append("connected")

    def expect(self, anything: bool) -> None:
        self.done += [] if anything else ["expects nothing"]

    def free(self) -> None:
        self.done.append("free")

    @property
    def caller_hold(self) -> str:
        return self.holds

    def present(self) -> Sequence[There]:
        return self.there

    def leave(self) -> None:
        self.done.append("leave")

    def release(self, release: Release) -> None:
        self.done.append(release)

    async def claim(self) -> bool:
        if self.down:
            raise Unavailable("The store doesn't answer.")
        return self.ours

    def tools(self) -> Tools:
        @asynccontextmanager
        async def made(*_: Callable[[Event], None]) -> AsyncIterator[World]:
            try:
                yield self
            finally:
                self.done.append("closed")

        def heard(matrix: Matrix) -> None:
            self.done.append(matrix)

        @asynccontextmanager
        async def holding(name: str, talks: bool) -> AsyncIterator[World]:
            self.done.append(("hold", name, talks))
            try:
                yield self
            finally:
                self.done.append(("held", name))

        def last_words(deaf: Callable[[], None]) -> Any:
            self.deaf = deaf
            return made()

        tools: Any = made  # the World is each of them
        return Tools(
            speaker=tools,
            legs=tools,
            line=tools,
            whispers=tools,
            last_words=last_words,
            answers=tools,
            holding=holding,
            recorder=tools,
            listener=tools,
            overhearer=tools,
            hearing=heard,
        )

    def part(self, act: Act, machine: Machine, *, resumed: bool = False, bridged: str = "", notice: str = "") -> Part:
        async def keep(machine: Machine, bridged: str, last_key: int) -> bool:
            if self.slow:
                await asyncio.sleep(10 * KEEP_WITHIN)
            if self.down:
                raise Unavailable("The store doesn't answer.")
            assert isinstance(machine, Scripted)
            self.kept.append((machine.seen, bridged))
            self.last_keys.append(last_key)
            self.done.append("kept")
            return self.has_call

        async def book(wanted: Book) -> Booked:
            self.done.append(wanted)
            return Booked(True)

        async def never_call() -> NoCalls:
            self.done.append(NeverCall())
            return NoCalls(True)

        return Part(
            act,
            machine,
            bridged,
            resumed,
            keep,
            lambda kind, data, at, own="": self.done.append((kind, data, at, own) if own else (kind, data, at)),
            book,
            never_call,
            card=lambda leg, name: self.done.append(("card", leg, name)),
            notice=notice,
        )


def machine(*answers: tuple[type, tuple[Effect, ...]], due_at: float = float("inf")) -> Scripted:
    return Scripted(answers, due_at)


async def run(world: World, part: Part, *events: Event) -> Onward | Over:
    performance = Performance(part, world.tools())
    for event in events:
        performance.happened(event)
    async with asyncio.timeout(5):
        return await performance.run()


HANDOFF = Handoff("desk")
