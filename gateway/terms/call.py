"""A live call, as every process sees it, and the brief its job works from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from gateway.terms.act import TALK, Act, Recall, Talk
from gateway.terms.callback import ANYBODY, Terms
from gateway.terms.personal import Number

CallId = NewType("CallId", str)
"""The SIP service's id of the inbound leg (`sip.callID`, `SCL_…`): one per call, also its row's key."""


class Pool(StrEnum):
    """The two pools of workers; each registers at LiveKit under `agent_name`."""

    AGENTS = "agents"
    HOUSE = "house"

    @property
    def agent_name(self) -> str:
        """The name that explicit dispatch uses (LiveKit's `agent_name`)."""
        return f"offhook-{self.value}"


class Phase(StrEnum):
    """Where a live call stands."""

    ROUTED = "routed"
    """A route was chosen and a job asked for; the caller hears ringing."""
    TAKEN = "taken"
    """A job holds the call's lease."""
    ENDED = "ended"
    """The caller is gone, or was rejected."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What the job needs to know of the route; taken from the plan when the call came to its stop, fixed while it is
    there."""

    agent: str
    """Name in `agents.registry`; "" where none talks."""
    greeting: str = ""
    """First words after the agent's own notice that it is automated; "" for the agent's default."""
    notice: str = ""
    """An operator's words for the time being ("We know about the outage."), said before the greeting."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """The route's `settings`, already checked against the agent's schema."""
    language: str = "en-US"
    """BCP 47 tag."""
    human: str = ""
    """Agent to switch to when the caller asks for a person; "" books a callback instead."""
    human_route: str = ""
    """Name of the plan's `human` route, for the record and the callback's reason."""
    human_greeting: str = ""
    """The human route's `greeting`."""
    human_settings: Mapping[str, object] = field(default_factory=dict)
    """The human route's `settings`, checked against that agent's schema."""
    leads_to_person: bool = False
    """The human route rings, queues or takes a message: a caller who asks for a person goes on to another stop."""
    handoff: str = ""
    """The team that the agent gives a qualified caller to; "" for none."""
    transfers: tuple[str, ...] = ()
    """Whom the agent may put the caller through to, by the plan's names for them."""
    transfers_numbers: bool = False
    """Numbers that the caller says too, as far as the guard lets them out."""
    untaken: tuple[str, ...] = ()
    """What may keep the agent from promising anybody of that team (`busy`, `closed`, `nobody`) for which the plan has a step of its
    own."""
    leads_without_agent: bool = False
    """The route says what comes when its agent can't go on (`no_agent`)."""
    dead_air: float = 0.0
    """Seconds without anything to hear, after the caller has spoken, until the call goes on without the agent; 0 where
    nobody watches."""
    machines: float = 0.0
    """Seconds that hold music or a recording on the caller's side is listened to; 0 where nobody minds them."""
    callback_within: float = 3600.0
    """Seconds within which a caller is called back whom the agent can't get a person for."""
    callback: Terms = ANYBODY
    """Who calls back then, and when they can."""
    country: str = ""
    """ISO 3166 code of the plan: whose ringback a caller hears, whose emergency numbers are never dialed."""
    resume: bool = False
    """A caller whose line dropped and who dials again goes on where they were."""
    sealed: bool = False
    """Keys that the caller presses go to the record alone, sealed: no model, transcript or log has them."""
    notify: tuple[str, ...] = field(default=(), repr=False)
    """Addresses that the call's lead is told to; they may hold secrets."""


@dataclass(frozen=True, slots=True)
class Left:
    """Whoever talked with the caller has left, as control heard of it."""

    leg: str
    at: float
    """Seconds since the epoch (UTC)."""
    lost: bool = False
    """Their line was lost: nobody hung up. False where nobody knows."""


@dataclass(frozen=True, slots=True)
class Call:
    """One live call. Times are seconds since the epoch (UTC)."""

    id: CallId
    room: str
    sip_identity: str
    """Identity of the caller's SIP participant in the room."""
    dialed: Number
    caller: Number | None
    trunk: str
    """LiveKit's id of the inbound trunk."""
    route: str
    plan: str
    """Version (content hash) of the dial plan that routed it."""
    pool: Pool
    brief: Brief
    started: float
    phase: Phase = Phase.ROUTED
    epoch: int = 1
    """Which job owns the call: a job whose dispatch names an older epoch must leave."""
    dispatch: str = ""
    """LiveKit's id of the dispatch of this epoch."""
    dispatched: float = 0.0
    """When this epoch's dispatch was made."""
    reject: int = 0
    """SIP status that turns the caller away; 0 when an agent answers."""
    why: str = ""
    """What turned the caller away, for the record."""
    act: Act = TALK
    """What its job does."""
    stop: int = 1
    """Which stop of its way it is at; a job asks to be led on from one."""
    because: str = ""
    """What led to this stop: one of the plan's words or of `terms.act.Because`; "" for the first."""
    checkpoint: str = field(default="", repr=False)
    """How far the act has come: its machine as JSON, for the job that goes on with it; "" at its beginning."""
    ends: float = 0.0
    """When the minutes that the route gives a call are up; 0 where it gives as many as one likes. Two people who talk
    are never parted for it."""
    bridged: str = field(default="", repr=False)
    """Identity of the human who talks with the caller; "" for none."""
    left: Left | None = None
    """Who has left of those who have talked with the caller at this stop, the last that control heard of."""
    last_key: int = 0
    """The number (`terms.gap`) of the caller's last key that is acted on: what came of it is in the checkpoint, or in what is
    kept of the conversation. 0 for none."""
    tries: int = 0
    """Jobs that LiveKit was asked for, and let come, at this stop; with the one that has led it here."""
    heard: int = 0
    """The last epoch whose job the caller could hear."""
    falls: int = 0
    """Jobs at this stop that were gone one after the other soon after they came."""
    late: int = 0
    """Of its jobs, those that were replaced one after the other because nothing was heard of them, although they lived
    (`gateway.terms.times.patience`)."""
    resumes: tuple[CallId, ...] = ()
    """The caller's earlier calls that this one goes on with, the oldest first."""
    noticed: tuple[str, ...] = ()
    """Operators' notices that are told at this stop, or were before it."""
    counted: frozenset[str] = frozenset()
    """What the store counts it towards: routes and pools that have a limit. The store says so, whatever stands here, unless
    it has lost the call (`CallStore.restore`)."""
    done: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The call's ledger: results by their effects' keys (`gateway.calls.talk.effects`)."""
    told: frozenset[str] = frozenset()
    """Kinds of event (`gateway.terms.event.JOBS`) that jobs have told of it: what became of the caller so far."""

    @property
    def ours(self) -> bool:
        """Whether it is the gateway that calls: nobody is in its room before its job rings them."""
        return isinstance(self.act, Recall)

    @property
    def parted(self) -> Left | None:
        """How whoever talks with the caller, as its jobs know, has left; None while nobody has told so."""
        return self.left if self.left is not None and self.left.leg == self.bridged else None

    def needs_another(self, pool: Pool) -> bool:
        """Whether a job of that pool can't go on with the call: an agent's needs its engines, and is the other pool's
        then. What the house performs, any job can."""
        return isinstance(self.act, Talk) and self.pool is not pool
