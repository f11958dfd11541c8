"""What a job is to do with a call at one stop of its way, and how that ended. Control decides the next stop.

A call's way through the plan is a row of stops: a menu, an agent, a queue. Control resolves each stop when the call
gets there, so that an act holds all that the job needs: words, keys, people; hours and handlers stay with control.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.terms.callback import ANYBODY, Terms
from gateway.terms.ending import Party


@dataclass(frozen=True, slots=True)
class Talk:
    """An agent talks with the caller; the call's brief says which."""

    back: str = ""
    """Why nobody took the caller whom the agent had given to a human, and who comes back to it: what they are told of (see
    `gateway.terms.handoff.told`); "" where the agent begins."""
    words: str = ""
    """The plan's for it; "" for the agent's own."""


TALK = Talk()


@dataclass(frozen=True, slots=True)
class Choose:
    """The caller chooses by a key or by talking (the plan's `menu`)."""

    say: str
    keys: str
    """The keys that lead somewhere, such as "12*"."""
    speech: bool = False
    """Whether a caller who talks gets somewhere."""
    wait: float = 8.0
    """Seconds for an answer once the prompt has ended."""
    tries: int = 2
    person: bool = True
    """Whether `0` leads to a person; false where the plan has no way to one."""


@dataclass(frozen=True, slots=True)
class Callee:
    """Somebody who can be rung."""

    name: str
    """In the plan's `people`; "" for a bare number."""
    address: str
    """E.164, or `sip:USER@TRUNK` with an outbound trunk's name; "" for who has no phone and takes calls in a browser."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The caller waits in a team's line until one of it takes the call (the plan's `team`)."""

    team: str
    music: str = "default"
    announce_every: float = 30.0
    """Seconds between two words about the caller's place in the line."""
    at_most: float = 600.0
    """Seconds in the line."""
    press: str = ""
    """The keys that lead out of the line."""


class By(StrEnum):
    """How a caller gets to somebody outside."""

    DIAL = "dial"
    """They are rung, and the two connected here."""
    REFER = "refer"
    """The caller's carrier is asked to call them: the call leaves us."""
    EITHER = "either"
    """By the carrier; where it can't, here."""


@dataclass(frozen=True, slots=True)
class Ring:
    """One person, or one number, is rung (the plan's `dial`)."""

    callee: Callee | None
    """None when nobody takes calls there now: the person is away, or outside their hours."""
    ring_for: float = 25.0
    """Seconds."""
    by: By = By.DIAL


@dataclass(frozen=True, slots=True)
class Record:
    """The caller leaves a message (the plan's `message`)."""

    say: str
    """The prompt for what led here, whole."""
    at_most: float = 120.0
    """Seconds of one message."""
    because: str = ""
    """What led here: one of the plan's `closed`, `full`, `unanswered`, `no_agent`, `dead_air`; "" for anything else."""
    notify: tuple[str, ...] = ()
    """Addresses that are told of the message (`mailto:`, `https:` …)."""
    team: str = ""
    """Whose message it is; "" for nobody's in particular."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Nobody can take the call now: the caller is told so, and called back."""

    reason: str
    """What for, for whoever calls back."""
    within: float = 3600.0
    """Seconds."""
    terms: Terms = ANYBODY
    """Who calls back, and when they can."""


@dataclass(frozen=True, slots=True)
class Dismiss:
    """An answered caller is let go: told so, politely, and hung up on."""

    reason: str
    """For the record."""
    because: str = ""
    """MINUTES when the call has lasted as long as its route lets one; "" when nothing is left for the caller."""


RUNG_FOR = 120.0
"""Seconds for which those of a team are rung who are to take a caller from an agent."""
RING_BACK = 90.0
"""Seconds from taking a call in which a lost line is rung back; who talked longer is called by the caller, or calls."""


@dataclass(frozen=True, slots=True)
class Handoff:
    """The caller is given to somebody of a team, warm: whoever answers hears first whose call it is (the plan's
    `handoff`)."""

    team: str
    music: str = "default"
    at_most: float = RUNG_FOR
    """Seconds until nobody else is rung."""
    introduce: bool = True
    """Whether the two are introduced to each other as they are connected."""
    notify: tuple[str, ...] = field(default=(), repr=False)
    """Addresses of the team that get a card of whose call it is."""
    cards: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)
    """The same of each member by name, as far as they have any."""
    browsers: tuple[str, ...] = ()
    """Members who may take the call in their browser, by the link of their card."""
    no_phone: tuple[str, ...] = ()
    """Those of them who can take it nowhere else."""
    ring_back: float = RING_BACK
    """Seconds from their taking the call in which a member whose line is lost is rung back; 0: nobody ever is."""
    third: Callee | None = None
    """Whom a member may bring into the talk, or ask in private; None for nobody who takes calls now."""


@dataclass(frozen=True, slots=True)
class Recall:
    """A caller is called back: somebody of the team first, and once they take it the caller (`gateway.callbacks`)."""

    callback: str
    """Its id."""
    team: str
    whisper: tuple[str, ...] = field(default=(), repr=False)
    """Whose callback it is, sentence by sentence."""
    at_most: float = 120.0
    """Seconds for which the team is rung."""
    ring_for: float = 30.0
    """Seconds for which the callee is."""
    until: float = 0.0
    """When the day is over on which the callee may be rung, where they are (seconds since the epoch); 0 for never."""
    last: bool = False
    """Whether nobody calls again if it comes to nothing."""


Act = Talk | Choose | Wait | Ring | Record | Promise | Dismiss | Handoff | Recall


class Because(StrEnum):
    """Why a call goes on to another stop; the plan's words for it where it has any."""

    KEY = "key"
    SPEECH = "speech"
    SILENCE = "silence"
    UNANSWERED = "unanswered"
    """Nobody took the call."""
    RETURNED = "returned"
    """The human who talked with the caller has given them back to the agent."""
    HUMAN = "human"
    """The caller wants a person."""
    NO_AGENT = "no_agent"
    DEAD_AIR = "dead_air"
    HANDOFF = "handoff"
    """An agent gives the caller to a human."""
    MESSAGE = "message"
    """An agent's caller leaves a message instead."""
    MINUTES = "minutes"
    """The call has lasted as long as its route lets one."""
    TRANSFER = "transfer"
    """The caller is to be put through to somebody whom the route's agent may reach."""


@dataclass(frozen=True, slots=True)
class Onward:
    """An act has ended and the call goes on."""

    because: Because
    key: str = ""
    """Which, for KEY."""
    why: str = ""
    """Of a handoff that nobody took, what the caller is told of: see `gateway.terms.handoff.told`."""


@dataclass(frozen=True, slots=True)
class Over:
    """An act has ended and with it the call."""

    reason: str
    """In a few words, for the record: "a message was left", "the two have talked"."""
    by: Party = Party.GATEWAY
    """Who ended it."""


TALKED = Over("the two have talked", Party.HUMAN)
"""Of the caller and whom they were connected to, one has hung up."""
