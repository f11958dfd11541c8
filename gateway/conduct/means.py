"""What a conductor works with: made by the composition root for each job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from livekit import rtc

from gateway.calls.hearing import Matrix
from gateway.calls.shared.spoken import Spoken
from gateway.calls.store.port import CallStore
from gateway.conduct.acts.house import House
from gateway.conduct.legs.outward import LetsOut, nobody
from gateway.conduct.sfu.mouth import Mouth
from gateway.conduct.sfu.staying import Doubt
from gateway.conduct.sound.prompts import PromptBook
from gateway.conduct.talk.port import AgentRunner, Person
from gateway.donotcall.port import DoNotCall, MemoryDoNotCall
from gateway.health.store import HealthStore
from gateway.terms.call import Pool
from gateway.terms.catalogue import Lines


@dataclass(frozen=True, slots=True)
class Means:
    """What a conductor works with."""

    room: rtc.Room
    connect: Callable[[], Awaitable[None]]
    """Connects the room."""
    leave: Callable[[], Awaitable[None]]
    """Disconnects it."""
    end_call: Callable[[], Awaitable[None]]
    """Deletes the room, which ends the phone call. Raises Unavailable."""
    runner: Callable[[str], AgentRunner]
    """A new runner of an agent; LookupError when there is none."""
    lines: Lines
    """What the call's agent says word for word."""
    house: House
    """Performs what no agent is needed for."""
    hearing: Callable[[Matrix], None]
    """Lets everybody in the room hear whom the matrix says."""
    store: CallStore
    pool: Pool
    """Whose job this is."""
    prompts: PromptBook
    rendered_in: str
    """The voice the prompts are rendered in."""
    mouth: Mouth
    """What the caller hears comes out of it."""
    prove: Callable[[str, str], str]
    """See `gateway.terms.gap.proof`, by a room's name and an identity."""
    spoken: Spoken
    """What callers have said on the way to their agents."""
    health: HealthStore
    """What all calls know of the engines' providers."""
    look: Callable[[str], Awaitable[Person]]
    """Who of a team could be rung now."""
    do_not_call: DoNotCall = field(default_factory=MemoryDoNotCall)
    """Who is never called again."""
    doubt: Doubt | None = None
    """How a job to which nothing comes finds out at once whether it is cut off."""
    lets_out: LetsOut = nobody
    """Whether the guard would let a number out."""
