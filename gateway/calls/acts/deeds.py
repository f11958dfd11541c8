"""What the machines of acts ask for; it is to be done in the order in which it is asked for. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.terms.act import Callee, Onward, Over
from gateway.terms.handoff import Tried


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
class Remember:
    """Remember the last words of a leg that talks with the caller, or is about to, and of no other, so that LegLeft tells whether it
    had said goodbye; "" for none any more, and what was remembered is forgotten."""

    leg: str


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
    Say | Sound | Hush | Renew | Dial | Refer | Transferred | Drop | Whisper | Listen | Remember | Connect | Announce | NeverCall | Converse | Ready | Card | Consulted | Enter
    | Exit | Release | StartRecording | StopRecording
    | KeepRecording | DropRecording | Book | Finish
)  # fmt: skip
