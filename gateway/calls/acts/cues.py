"""What the machines of acts are told, and what they ask for. Pure.

A machine is a frozen dataclass of plain values, kept as the call's checkpoint after every step, so that another job can
go on from any point of it. Times are seconds since the epoch (UTC), which outlive a process.

    machine, effects = machine.on(event, now)       an event that can't happen now changes nothing
    machine, effects = machine.due(now)             when `machine.deadline` has passed
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, Self

from gateway.terms.act import Callee, Onward, Over
from gateway.terms.handoff import Tried

# What happens.


@dataclass(frozen=True, slots=True)
class Begun:
    """The act begins: the first event of every machine."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """Another job has taken the call over in the middle: nothing is playing, and no other leg lives than `legs`."""

    legs: frozenset[str] = frozenset()
    """Those that are still there, ringing or answered. LegAnswered follows for each that has answered."""


@dataclass(frozen=True, slots=True)
class Key:
    """The caller pressed a key: 0-9, *, #, A-D."""

    key: str = field(repr=False)
    missed: bool = False
    """They did while no job listened, or their job died before what came of it was kept."""
    number: int = 0
    """`gateway.terms.gap`'s; 0 where it has none. A machine does nothing with it."""


@dataclass(frozen=True, slots=True)
class Spoke:
    """The caller has spoken a whole phrase."""


@dataclass(frozen=True, slots=True)
class WantsPerson:
    """The caller has said that they want a person, where nothing else they say counts."""


@dataclass(frozen=True, slots=True)
class NoCalls:
    """The caller never wants to be called again: they have said so, or were entered by NeverCall."""

    entered: bool
    """Whether their number is on the list now."""


@dataclass(frozen=True, slots=True)
class Heard:
    """All that was to be said has been played to its end."""


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Nothing of what was to be said can be: there is no sound of it, and nobody who speaks. Heard follows."""


@dataclass(frozen=True, slots=True)
class LegRings:
    """The callee's phone rings."""

    leg: str


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """The callee has answered; neither hears the other until Connect."""

    leg: str


@dataclass(frozen=True, slots=True)
class LegFailed:
    """The callee didn't answer, whatever the reason; the leg is gone."""

    leg: str
    status: int
    """The SIP status; 0 when there was none, such as for a trunk that doesn't exist."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Referred:
    """The caller has got there by their own carrier; the call leaves us. LegFailed tells that they haven't, and are still
    with us."""

    leg: str


@dataclass(frozen=True, slots=True)
class LegLeft:
    """A leg that had answered has hung up, or was lost."""

    leg: str
    lost: bool = False
    """It was lost, as its SIP service or LiveKit says: nobody hung up. False where nobody knows."""
    at: float = 0.0
    """When it did, for who wasn't there (seconds since the epoch); 0 for just now."""


@dataclass(frozen=True, slots=True)
class LegKey:
    """A callee has pressed a key: 0-9, *, #, A-D."""

    leg: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LegHold:
    """Somebody who has answered has put the others on hold, plays something to them meanwhile or not, or is back."""

    leg: str
    """ "" for the caller."""
    hold: str
    """One of `gateway.terms.hold`; "" for back."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """All who were to publish anew have (see Renew)."""


@dataclass(frozen=True, slots=True)
class LegSaid:
    """A callee has said this."""

    leg: str
    text: str = field(repr=False)


class LegSound(StrEnum):
    """What is to be heard of a callee besides words."""

    BEEP = "beep"
    """A mailbox's tone."""
    MUSIC = "music"
    MONOLOGUE = "monologue"
    """Somebody has talked for longer than people do who answer a phone."""


@dataclass(frozen=True, slots=True)
class LegSounds:
    """Something is to be heard of a callee."""

    leg: str
    sound: LegSound


@dataclass(frozen=True, slots=True)
class LegHeard:
    """All that a callee alone was to hear has been played to its end."""

    leg: str


@dataclass(frozen=True, slots=True)
class Declined:
    """A callee has said elsewhere, as by the link of a card, that they don't take the call."""

    leg: str


@dataclass(frozen=True, slots=True)
class Offered:
    """Members of the team are ours to ring: those reserved since we last asked, in the order to ring them."""

    callees: tuple[Callee, ...]
    ring_for: float
    """Seconds each is rung."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the caller stands in the line."""

    position: int
    """1 for the next."""
    wait: float | None
    """Seconds to expect; None where nobody knows yet."""
    staffed: bool = True
    """Whether anybody of the team takes calls now, busy or not."""
    free: int | None = None
    """Of a line that offers each once: members who are free and weren't offered yet, or just are; None elsewhere."""


@dataclass(frozen=True, slots=True)
class RecordingEnded:
    """A recording that was asked for has ended by itself: the disk is full, or the caller can't be heard."""

    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording that was to be kept is: told for good, unless there was too little in it."""

    done: bool
    """False when it couldn't be written or told."""
    there: bool = True
    """False when there was too little in it: nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Booked:
    """A callback that was asked for is kept for good, or not."""

    done: bool
    unwanted: bool = False
    """Not, because the number is one of those that are never called."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The caller has hung up. What is still to be done for them is done soon, or not at all."""

    lost: bool = False
    """They haven't: their line was lost, as its SIP service or LiveKit says. False where nobody knows."""


Event = (
    Begun | Resumed | Key | Spoke | WantsPerson | NoCalls | Heard | Unsaid | LegRings | LegAnswered | LegFailed | Referred | LegLeft
    | LegKey | LegHold | Renewed | LegSaid | LegSounds | LegHeard | Declined | Offered | Standing | RecordingEnded | Kept | Booked | Gone
)  # fmt: skip

# What is to be done, in this order.


@dataclass(frozen=True, slots=True)
class Say:
    """Say this, after what is being said; Heard follows when all is said."""

    text: str


@dataclass(frozen=True, slots=True)
class Sound:
    """Play a sound until Hush, Say or another Sound: `ringback`, `music:NAME`; `beep` once, Heard follows."""

    name: str


@dataclass(frozen=True, slots=True)
class Hush:
    """Fall silent at once, and forget what is still to be said; no Heard follows for it."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring somebody; LegFailed, or LegRings and LegAnswered, follow for `leg`."""

    leg: str
    """A name of the machine's own choice, never used twice in a call."""
    callee: Callee
    ring_for: float


@dataclass(frozen=True, slots=True)
class Refer:
    """Have the caller's carrier call somebody; Referred or LegFailed follows for `leg`. The caller hears ringing meanwhile,
    by the SIP service."""

    leg: str
    """As of Dial."""
    callee: Callee
    ring_for: float


@dataclass(frozen=True, slots=True)
class Transferred:
    """Note for the record that the caller has got to somebody, and how."""

    name: str
    """In the plan's `people`; "" for a number's."""
    by: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Stop ringing a leg, or hang it up; nothing follows for it."""

    leg: str


@dataclass(frozen=True, slots=True)
class Whisper:
    """Say these to the leg alone, one after the other, in place of what it is being told; LegHeard follows. From now on it is
    told what the leg does: LegKey, LegSaid, LegSounds. Who talks with the caller hears them besides."""

    leg: str
    texts: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Listen:
    """Hear a leg besides whoever talks with it, until it is dropped or `on` is False: LegSaid and LegSounds follow."""

    leg: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Connect:
    """Let the caller and the leg hear each other, and nobody else, and fall silent; LegLeft follows when it hangs up."""

    leg: str
    say: str = field(default="", repr=False)
    """Words that both hear as they begin to talk."""


@dataclass(frozen=True, slots=True)
class Announce:
    """Say this to the caller and the leg that they talk with, who hear each other meanwhile."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NeverCall:
    """Enter the number of the caller, or of whoever is called back, among those that are never called; NoCalls follows."""


@dataclass(frozen=True, slots=True)
class Converse:
    """Let these legs hear each other, and (`caller`) the caller too, who hears us otherwise; and nobody else anybody. Who had
    the caller before has connected them by Connect."""

    legs: tuple[str, ...]
    caller: bool = True
    music: bool = False
    """Whether the caller hears us as well as them."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Have the caller and these legs publish what they say as other tracks: those who have lost them are to hear them again
    later. Renewed follows once all have; nothing does where one can't, as a SIP service that isn't ours."""

    legs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """Words that are said soon, to the leg alone or (`whisper` False) to the caller: have them made."""

    texts: tuple[str, ...] = field(repr=False)
    whisper: bool = True


@dataclass(frozen=True, slots=True)
class Card:
    """Tell a member who is rung, by message, whose call it is."""

    leg: str
    name: str


@dataclass(frozen=True, slots=True)
class Consulted:
    """Note for the record what came of a leg: who was connected, and why the others weren't."""

    leg: str
    tried: Tried


@dataclass(frozen=True, slots=True)
class Enter:
    """Enter the team's line, with the time since which the caller waits; Standing and Offered follow, again and again,
    until Exit."""

    team: str
    since: float
    once: bool = False
    """Whether each member is to be offered once; Standing tells how many are left then."""
    past: tuple[str, ...] = ()
    """Who isn't to be offered any more."""
    browsers: tuple[str, ...] = ()
    """Who can be offered without a phone, as they take the call in their browser."""


@dataclass(frozen=True, slots=True)
class Exit:
    """Leave the line."""

    team: str


@dataclass(frozen=True, slots=True)
class Release:
    """What became of a member that was offered: the member is free again, or in peace for a while."""

    team: str
    name: str
    took: bool
    """Whether the member talked with the caller."""
    missed: bool = False
    """Whether it rang in vain: nobody answered in time."""


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Record the caller from now on; what was recorded under the same name before is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class StopRecording:
    """Stop."""


@dataclass(frozen=True, slots=True)
class KeepRecording:
    """Store what was recorded as the call's message, and tell whoever is to be told; Kept follows."""

    name: str


@dataclass(frozen=True, slots=True)
class DropRecording:
    """Forget what was recorded."""

    name: str


@dataclass(frozen=True, slots=True)
class Book:
    """Book a callback; Booked follows."""

    number: str = field(default="", repr=False)
    """E.164; "" for the number that the caller calls from."""
    reason: str = ""
    at: float = 0.0
    """When they are called; 0 for as soon as can be."""
    consent: str = field(default="", repr=False)
    """The words that they have agreed to by a key; "" for none."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The act is over."""

    outcome: Onward | Over


Effect = (
    Say | Sound | Hush | Renew | Dial | Refer | Transferred | Drop | Whisper | Listen | Connect | Announce | NeverCall | Converse | Ready | Card | Consulted | Enter
    | Exit | Release | StartRecording | StopRecording
    | KeepRecording | DropRecording | Book | Finish
)  # fmt: skip


class Machine(Protocol):
    """One act in progress."""

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinity for never."""
        ...

    def on(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """What follows from an event."""
        ...

    def due(self, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """What follows from the deadline having passed; nothing before it."""
        ...
