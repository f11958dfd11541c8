"""What the machines of acts are told, as it happens. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.terms.act import Callee


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
    slip: bool = False
    """It is still the press that has led here (`gateway.calls.acts.slip`): no machine is told of it."""


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
    """When it did, where that was before now (seconds since the epoch); 0 for just now."""
    goodbye: bool | None = None
    """Whether they had said goodbye, of a leg whose last words were remembered (see `deeds.Remember`); None where nobody knows."""


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
