"""The border between the call and its agent: what an agent may use (Stage), and what it must offer (AgentRunner)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from gateway.config import Settings
from gateway.health.store import HealthStore
from gateway.terms.call import Brief, Call, Pool
from gateway.terms.catalogue import Catalogue, Line
from gateway.terms.engine import Engine
from gateway.terms.kept import Heard, Kept
from gateway.terms.personal import Number
from gateway.terms.turn import Speaker, Turn


@dataclass(frozen=True, slots=True)
class Pcm:
    """Mono audio, 16-bit little-endian."""

    rate: int
    """Samples a second."""
    data: bytes

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.data) / 2 / self.rate


@dataclass(frozen=True, slots=True)
class Played:
    """How a segment of the voice ended."""

    seconds: float
    """How much of it was played."""
    interrupted: bool


class Voice(Protocol):
    """What the caller hears: one track, published before the agent is ready. Segments play in the order they are sent;
    the next may only be sent after `finish` of the last returned."""

    @property
    def rate(self) -> int:
        """Samples a second of what `send` takes."""
        ...

    @property
    def queued(self) -> float:
        """Seconds sent that were not played yet."""
        ...

    def send(self, data: bytes) -> None:
        """Queue mono 16-bit samples at `rate`; any length, at any speed."""
        ...

    async def finish(self) -> Played:
        """Return once the segment was played or cleared."""
        ...

    def clear(self) -> None:
        """Fall silent at once and forget what isn't played."""
        ...

    def pause(self) -> None:
        """Fall silent, and keep what isn't played."""
        ...

    def resume(self) -> None:
        """Go on after `pause`."""
        ...


class Person(StrEnum):
    """What a caller who asks for a person gets."""

    AGENT = "agent"
    """Another agent takes the call over: the runner must let go, by returning from `converse`."""
    CALLBACK = "callback"
    """Nobody can take the call; a callback is booked."""
    NUMBER = "number"
    """Nobody can take the call, and there is no number to call back on: ask for it, then `book`."""
    TEAM = "team"
    """Somebody of the team is free: the runner must let go, by returning from `converse`, and needn't tell the caller, who
    hears so while the team is rung."""
    BUSY = "busy"
    """Everybody of the team talks: offer a callback or a message."""
    NOBODY = "nobody"
    """Nobody of the team takes calls now: offer a callback or a message."""
    CLOSED = "closed"
    """The team is closed: offer a callback or a message."""
    ELSEWHERE = "elsewhere"
    """Nobody of the team can be had, and the plan says where the caller goes then: the runner must tell
    them so, then let go."""


AWAY = (Person.BUSY, Person.NOBODY, Person.CLOSED)
"""Why nobody of the team can be had."""


@dataclass(frozen=True, slots=True)
class CallbackTimes:
    """When a caller is called back, and when they could be. Times are seconds since the epoch."""

    booked: float
    others: tuple[float, ...]
    clock: ZoneInfo
    """The one that times are told by, and that the caller's words are read by."""
    theirs: bool
    """Whether it is the caller's own."""


class Attention(Protocol):
    """Watches from outside whether the caller waits in vain: told whose turn it is, it judges by what sounds."""

    def owed(self) -> None:
        """The caller has said something, and is to get an answer."""
        ...

    def caller(self, *, talking: bool) -> None:
        """The caller begins to talk, or stops."""
        ...

    def settled(self) -> None:
        """The agent has said all that it has to say for now, if it has said anything."""
        ...

    def filling(self) -> AbstractContextManager[None]:
        """What is said while the context is open is no answer: a holding phrase, such as "one moment", or a question
        whether anybody is there."""
        ...


class Stage(Protocol):
    """The call, as its agent may use it."""

    @property
    def attention(self) -> Attention:
        """Watches over the line."""
        ...

    @property
    def call(self) -> Call:
        """The call."""
        ...

    @property
    def brief(self) -> Brief:
        """What this agent is asked to do; another one after a switch."""
        ...

    @property
    def voice(self) -> Voice:
        """What the caller hears."""
        ...

    @property
    def ends(self) -> float:
        """When the minutes are up that the route gives a call (seconds since the epoch); 0 for never."""
        ...

    @property
    def turns(self) -> Sequence[Turn]:
        """What was said in this call so far, another agent's turns included."""
        ...

    @property
    def resumed(self) -> bool:
        """Whether another job's agent has talked with the caller until it was lost, and we go on: the caller has been
        told so, and is to hear no greeting."""
        ...

    @property
    def opened(self) -> bool:
        """Whether a caller who comes back from a handoff (`call.act.back`) has been told what came of it."""
        ...

    @property
    def kept(self) -> Kept:
        """What was known when this agent came: turns, facts, what was heard; nothing more after a switch."""
        ...

    def hearing(self, heard: Heard) -> None:
        """Keep what goes on beside the turns, for whoever may have to go on."""
        ...

    def hear(self, rate: int, frame_ms: int) -> AsyncIterator[bytes]:
        """The caller's audio, mono 16-bit at `rate`, in frames of `frame_ms`; it ends when the caller is gone."""
        ...

    async def spoken(self) -> Pcm | None:
        """What the caller has said at the menu that led them here, and since, so that they needn't say it again, also not where
        a job dies over it; None for nothing."""
        ...

    @property
    def health(self) -> HealthStore:
        """What all calls know of the engines' providers."""
        ...

    def engine_switched(self, engine: Engine, before: str, now: str, why: str) -> None:
        """Note that another provider serves one of the agent's engines: by whom before, by whom now ("" for nobody)."""
        ...

    def held(self, text: str, after: float) -> None:
        """Note that the caller was told to hold on, `after` so many seconds without an answer."""
        ...

    async def prompt(self, line: Line) -> Pcm | None:
        """The line's audio, if it was rendered ahead; asks for it to be when it wasn't."""
        ...

    def said(
        self, speaker: Speaker, text: str, *, at: float, interrupted: bool = False,
        latencies: Mapping[str, float] = ..., last_key: int = 0,
    ) -> None:  # fmt: skip
        """Note a turn. `at`: seconds since the epoch. `last_key`: the number of the last key in it (see
        `AgentRunner.digit`)."""
        ...

    async def learned(self, kind: str, fields: Mapping[str, object], *, complete: bool) -> None:
        """Keep what is known of the lead or ticket: all of it each time, as the last call wins.

        Raises gateway.errors.Unavailable when it can't be kept: don't tell the caller it was.
        """
        ...

    async def ask_for_person(self, reason: str) -> Person:
        """The caller wants a person. A callback is durable once this returns; asking twice books one.

        Raises gateway.errors.Unavailable as `learned` does.
        """
        ...

    def callback_times(self) -> CallbackTimes | None:
        """When the caller is called back, once that is booked in this call and somebody makes it by itself."""
        ...

    async def choose_callback(self, at: float, words: str) -> float | None:
        """The caller has chosen another time, in these words; the time that is agreed on, which is the next one where
        nobody can call then. None where there is none. Raises gateway.errors.Unavailable as `learned` does."""
        ...

    async def no_more_calls(self) -> bool:
        """The caller wants never to be called again: from now on no leg goes to their number. Whether it is known.
        Raises gateway.errors.Unavailable as `learned` does."""
        ...

    async def hand_over(self, reason: str) -> Person:
        """The agent wants a human of its team to talk with the caller (`brief.handoff`): TEAM, or why nobody can; where the
        team isn't known now, somebody is taken to be there."""
        ...

    def leave_message(self) -> None:
        """The caller leaves the team a message: let go, by returning from `converse`."""
        ...

    async def transfer(self, to: str) -> str:
        """Put the caller through to somebody of the brief's `transfers`, by name, or to a number (E.164): "" when the
        caller is on the way, and the runner must let go, by returning from `converse`; else why not, in a few words. Who
        isn't reached comes back to the agent."""
        ...

    def time_up(self) -> None:
        """The route's minutes are up: let go, by returning from `converse`; the house says goodbye."""
        ...

    async def book(self, number: Number, reason: str) -> None:
        """Book the callback on another number. Raises gateway.errors.Unavailable as `learned` does."""
        ...


class AgentRunner(Protocol):
    """One agent in one call. Each method is called once, but `digit`; `close` always."""

    async def prepare(self, stage: Stage) -> None:
        """Get ready while the caller hears ringing; say nothing yet."""
        ...

    async def converse(self) -> str:
        """Speak first and converse until there is no more to say; the goodbye is sent, not necessarily played.

        Called when the caller answers, which may be before `prepare` returned. Returns why it ended, in a few words.
        Cancelled when the caller is gone. Any exception it raises means that this agent can't go on.
        """
        ...

    def digit(self, key: str, number: int = 0) -> None:
        """The caller pressed a key (0-9, *, #, A-D), told once and at once, while the agent speaks too.

        `number`: the key's (`gateway.terms.gap`), which is to be told with what came of it (`Stage.said`, `Stage.hearing`): once
        that is kept, no other job is told the key. 0 where it has none: keys before it may have been lost.
        """
        ...

    async def close(self) -> None:
        """Free everything, also after a failure or a cancellation."""
        ...


class Renderer(Protocol):
    """Renders lines ahead of the calls."""

    @property
    def voice(self) -> str:
        """What tells this voice from others; the same text in another voice is another prompt."""
        ...

    async def render(self, line: Line) -> Pcm:
        """The line's audio. Raises gateway.errors.Unavailable."""
        ...


class Transcriber(Protocol):
    """Writes down what was recorded."""

    async def transcribe(self, audio: Pcm, language: str) -> str:
        """The words in a recording of any length; "" when there are none. `language`: BCP 47 tag.

        Raises gateway.errors.Unavailable: the same may work later.
        """
        ...


class Wants(StrEnum):
    """What a caller says that counts wherever they are."""

    PERSON = "person"
    NO_CALLS = "no_calls"
    """Never to be called again."""


class Overhearer(Transcriber, Protocol):
    """Understands few things of what callers say, phrase by phrase; as a transcriber it writes a phrase down."""

    async def wants(self, phrase: Pcm, language: str) -> Wants | None:
        """What the caller asks for in it; None for anything else. `language`: BCP 47 tag. Raises Unavailable."""
        ...


class Agents(Protocol):
    """What the module `agents.registry` offers."""

    def catalogue(self) -> Catalogue:
        """Every agent's card, by name."""
        ...

    def warm(self, settings: Settings, pool: Pool) -> object:
        """Load what a job of the pool needs, once a process; the value goes to `runner`. No loop runs yet."""
        ...

    def runner(self, name: str, settings: Settings, warm: object) -> AgentRunner:
        """A new runner of the agent. Raises LookupError when there is none of that name."""
        ...

    def renderer(self, settings: Settings) -> Renderer:
        """Renders in the voice of the agents."""
        ...

    def transcriber(self, settings: Settings) -> Transcriber:
        """Writes recordings down by what the agents hear with."""
        ...

    def overhearer(self, settings: Settings) -> Overhearer:
        """Understands phrases, such as who asks for a person. Cheap: it loads no engine."""
        ...
