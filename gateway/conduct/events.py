"""What the script of a call is told, and what it has done. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.terms.act import Onward, Over
from gateway.terms.ending import Party


@dataclass(frozen=True, slots=True)
class Joined:
    """We are in the room and our track is published."""


@dataclass(frozen=True, slots=True)
class CallerSeen:
    """The caller's SIP participant is in the room."""


@dataclass(frozen=True, slots=True)
class Listening:
    """The SIP service is subscribed to our track: it answers the caller now."""


@dataclass(frozen=True, slots=True)
class Active:
    """The caller's `sip.callStatus` is active."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The agent has no more to say."""

    reason: str
    switch_to: str = ""
    """The agent that takes over; "" ends the call."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What the stop says is done: the call goes on, or is over."""

    outcome: Onward | Over


@dataclass(frozen=True, slots=True)
class Led:
    """Control has put the call at its next stop."""

    agent: str
    ours: bool
    """A job of our pool can do what it says."""


@dataclass(frozen=True, slots=True)
class Relieved:
    """Another job is in the room and can be heard."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The agent can't go on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Apologised:
    """The caller has been told."""


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """The caller's participant is gone."""

    by: Party
    reason: str


@dataclass(frozen=True, slots=True)
class Out:
    """We are out of the room, not by our own doing: deleted, removed, connection lost."""

    reason: str
    final: bool = False
    """The call is over for the caller too."""


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """Another job owns the call."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """This process ends."""


Input = (
    Joined | CallerSeen | Listening | Active | Finished | Ended | Led | Relieved | Failed | Apologised | CallerLeft | Out
    | LeaseLost | Stopping
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Converse:
    """Do what the call's stop says: let this agent converse, or perform an act; one of Finished, Ended and Failed is to
    follow."""

    agent: str
    """"" for an act."""


@dataclass(frozen=True, slots=True)
class LeadOn:
    """Ask control where the call goes on; Led is to follow."""

    onward: Onward


@dataclass(frozen=True, slots=True)
class KeepCompany:
    """Let the caller hear that something goes on."""


@dataclass(frozen=True, slots=True)
class Apologise:
    """Say that we can't go on, and book a callback if we can; Apologised is to follow."""

    reason: str


@dataclass(frozen=True, slots=True)
class TellAnswered:
    """Tell that the call was answered."""


@dataclass(frozen=True, slots=True)
class TellSwitched:
    """Tell that another agent took over."""

    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class TellHangup:
    """Tell who ended the call."""

    by: Party
    reason: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the phone call, once what was said has reached the caller."""

    at_once: bool = False
    """We have said nothing: two have talked, and one of them is gone."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave the room without a sound. `reason` is for the log."""

    reason: str
    give_back: bool = False
    """The caller may still be there: give the lease back, so that another job is sent at once."""
    goes_on: bool = False
    """The call goes on without us: whoever rings is left to the next job."""
    lost: bool = False
    """The caller's line was lost: they haven't hung up."""


Effect = (
    Converse | LeadOn | KeepCompany | Apologise | TellAnswered | TellSwitched | TellHangup | HangUp | Leave
)  # fmt: skip
