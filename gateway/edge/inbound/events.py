"""What happens to an inbound call only, and what is to be done about it: words of `gateway.edge.inbound.machine`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.bus.ioinfo import RuleAnswer, TrunkAnswer
from gateway.edge import events as common
from gateway.sip.sign_in import Proof
from gateway.terms.personal import Digits


class Prompt(StrEnum):
    """What a caller without a PIN is told."""

    ENTER = "enter"
    AGAIN = "again"
    GOODBYE = "goodbye"


@dataclass(frozen=True, slots=True)
class TrunkTold:
    """livekit-server said which trunk the call belongs to."""

    answer: TrunkAnswer
    proof: Proof = Proof.NONE
    """What the caller's credentials are worth, where the trunk asks for some."""
    full: str = ""
    """Why there is no place for the call, unless its caller signs in."""


@dataclass(frozen=True, slots=True)
class RuleTold:
    """livekit-server said where the call goes."""

    answer: RuleAnswer
    refusal: int = 0
    """The status that the caller's SDP deserves: 488 when it has no media in common with us; 0 when it has."""
    headers: common.Headers = ()
    """For that refusal."""


@dataclass(frozen=True, slots=True)
class PinKeyed:
    """The caller was asked for a PIN, and has had its time."""

    pin: Digits


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The caller has heard that it isn't let in."""


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """No ACK to our 200, or no PRACK to a 180 that wanted one, came in 64*T1."""


Event = common.Event | TrunkTold | RuleTold | PinKeyed | Dismissed | Unacknowledged


@dataclass(frozen=True, slots=True)
class AskTrunk:
    """Ask livekit-server for the trunk; TrunkTold or ServiceDown is to follow."""


@dataclass(frozen=True, slots=True)
class AskRule:
    """Ask livekit-server where the call goes; RuleTold or ServiceDown is to follow."""

    trunk: str
    pin: Digits | None = None
    """What the caller keyed, when it was asked."""


@dataclass(frozen=True, slots=True)
class AskPin:
    """Ask the caller for a PIN; PinKeyed is to follow."""

    prompt: Prompt = Prompt.ENTER


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Tell the caller that its PIN is wrong; Dismissed is to follow."""


@dataclass(frozen=True, slots=True)
class Comfort:
    """Let the caller, who is answered already, hear ringing until somebody in the room can be heard."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Respond 180."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Respond with a final status and tell the caller's side no more."""

    code: int
    phrase: str
    retry_after: int = 0
    headers: common.Headers = ()


@dataclass(frozen=True, slots=True)
class Challenge:
    """Respond 407: the caller is to sign in, and calls again with a new INVITE."""

    realm: str
    stale: bool = False
    """It did, with a nonce that is too old."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """Give no response: the server took the call for a flood."""


@dataclass(frozen=True, slots=True)
class Join:
    """Join the room and publish; Joined, ServiceDown or RoomGone is to follow, and TrackThere when it is so."""

    rule: RuleAnswer
    status: str = "ringing"
    """What the participant joins as."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Respond 200 with our SDP, and let media flow both ways."""


@dataclass(frozen=True, slots=True)
class TellIncoming:
    """Tell livekit-server, and whoever listens, that a call came in."""

    trunk: str


@dataclass(frozen=True, slots=True)
class TellRoom:
    """Tell which rule and room the call has: control may send an agent from now on."""

    rule: RuleAnswer


Effect = (
    common.Effect
    | AskTrunk
    | AskRule
    | AskPin
    | Dismiss
    | Comfort
    | Ring
    | Reject
    | Challenge
    | Ignore
    | Join
    | Answer
    | TellIncoming
    | TellRoom
)
