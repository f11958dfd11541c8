"""What a route does, and what comes instead when it can't."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.dialplan.model import Callback, Place, Ref
from gateway.terms.call import Pool

LANGUAGE = "en-US"
"""What a route speaks when it doesn't say."""
DEAD_AIR_AFTER = 10.0
"""Seconds when a route doesn't say."""
MACHINES = 120.0
"""Seconds when a route doesn't say."""
INSTEAD = ("closed", "full", "unanswered", "no_agent", "dead_air")
"""What may come instead of a route's action, in the order of a call's life: its hours say no; a limit is reached;
nobody took the call; the AI is down; nothing to be heard for too long."""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent of `agents/` talks with the caller."""

    name: str
    pool: Pool = Pool.AGENTS
    greeting: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    talks: bool = True
    """Whether it understands callers, so that they can ask it for a person."""


@dataclass(frozen=True, slots=True)
class Menu:
    """The caller chooses by a key or a word."""

    say: str
    keys: Mapping[str, Ref]
    """One key of `0` to `9`, `*`, `#` each."""
    speech: Ref | None = None
    """Where a caller goes who talks instead."""
    silence: Ref | None = None
    """Where a caller goes who does nothing, after all tries."""
    wait: float = 8.0
    """Seconds for an answer."""
    tries: int = 2


@dataclass(frozen=True, slots=True)
class Queue:
    """The caller waits until somebody of a team takes the call."""

    team: Ref
    music: str = "default"
    announce_every: float = 30.0
    """Seconds."""
    at_most: float = 600.0
    """Seconds."""
    press: Mapping[str, Ref] = field(default_factory=dict)
    """Keys that lead out of the queue."""


@dataclass(frozen=True, slots=True)
class Dial:
    """One person, or one number, is rung."""

    who: Ref | None
    """A person or a rotation; None when `number` says whom."""
    number: str = ""
    """E.164, or a SIP address whose host is an outbound trunk."""
    ring: float = 25.0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Whom an agent may put callers through to, without staying on the line."""

    to: Mapping[str, Dial]
    """By the names by which the agent knows them."""
    numbers: bool = False
    """Numbers too that callers say, as far as the plan's `outbound` lets them out."""
    by: str = ""
    """`refer`: the caller's carrier is asked to call them; `dial`: they are rung and connected here; "" for the first,
    and the second where the carrier can't."""
    ring: float = 25.0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Message:
    """The caller leaves a message."""

    say: Mapping[str, str]
    """Words by what led here: `closed`, `full`, `unanswered`, `no_agent`, `dead_air`; `otherwise` for the rest.
    `{reopens}` stands for the time at which the hours begin again."""
    at_most: float = 120.0
    """Seconds."""
    team: Ref | None = None
    """Whose `notify` is told."""
    notify: tuple[str, ...] = ()
    """Addresses that are told (`mailto:`, `https:`)."""


@dataclass(frozen=True, slots=True)
class Split:
    """Callers are shared out by chance; one caller always reaches the same side."""

    shares: tuple[tuple[float, Ref], ...]
    """Per cent, 100 in all."""


@dataclass(frozen=True, slots=True)
class Reject:
    """The caller is turned away with a SIP status (RFC 3261 section 21.4 to 21.6)."""

    status: int


@dataclass(frozen=True, slots=True)
class Goto:
    """Another route's work."""

    route: Ref


Action = Agent | Menu | Queue | Dial | Message | Split | Reject | Goto
KIND: Mapping[type, str] = {
    Agent: "agent",
    Menu: "menu",
    Queue: "team",
    Dial: "dial",
    Message: "message",
    Split: "split",
    Reject: "reject",
    Goto: "route",
}
"""The key that names the action in a plan."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a route bears."""

    calls: int = 0
    """Calls at once on all of the gateway; 0 for no limit."""
    minutes: float = 0.0
    """Of one call; 0 for no limit."""
    machines: float = MACHINES
    """Seconds that an agent listens to hold music, or to a recording, on the caller's side."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """What is said and kept of a call."""

    notice: str = ""
    """Said before anything else."""
    transcribe: bool = True
    record: str = "never"
    """`never`, `ask` or `announce`."""
    keep: float = 0.0
    """Seconds that what was said is kept; 0 for ever."""
    declined: Ref | None = None
    """Where a caller goes who doesn't want it."""


UNREADABLE: Final = Reject(503)
"""Stands for what a route does where its lines don't say it; it is told apart by identity. That nobody is reached there
is no second mistake."""


@dataclass(frozen=True, slots=True)
class Route:
    """What a number does."""

    name: str
    place: Place
    action: Action
    language: str = LANGUAGE
    """BCP 47 tag."""
    human: Ref | Callback | None = None
    """Where a caller who asks for a person goes; None on a route where nobody can ask."""
    handoff: Ref | None = None
    """The team that a qualified caller is given to."""
    notify: tuple[str, ...] = ()
    """Addresses that a lead is told to."""
    notify_team: Ref | None = None
    """Whose `notify` is told too; where neither is said, that of `handoff`."""
    transfer: Transfer | None = None
    """Whom the route's agent may put callers through to."""
    introduce: bool = True
    """Whether the two are introduced to each other as they are connected."""
    ring_back: float | None = None
    """As the team's, whose counts where this is None."""
    hours: Ref | None = None
    instead: Mapping[str, Ref | Callback] = field(default_factory=dict)
    """By the names of INSTEAD, and by the words of `gateway.dialplan.untaken`."""
    says: Mapping[str, str] = field(default_factory=dict)
    """What a caller is told first whom nobody took, by the same words."""
    limits: Limits = Limits()
    privacy: Privacy = Privacy()
    dead_air: float = DEAD_AIR_AFTER
    """Seconds without anything to hear, after a caller has spoken to an agent, until `dead_air` comes instead."""
    resume: bool = False
    """A caller whose line dropped and who dials again goes on where they were."""
    seal_digits: bool = False
    """Keys that the caller presses are hidden from the agent's words and the record."""
