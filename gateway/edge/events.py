"""What happens to an inbound call, and what is to be done about it: the words of `gateway.edge.machine`. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.bus.ioinfo import RuleAnswer, TrunkAnswer


@dataclass(frozen=True, slots=True)
class TrunkTold:
    """livekit-server said which trunk the call belongs to."""

    answer: TrunkAnswer


@dataclass(frozen=True, slots=True)
class RuleTold:
    """livekit-server said where the call goes."""

    answer: RuleAnswer
    refusal: int = 0
    """The status that the caller's SDP deserves: 488 when it has no media in common with us; 0 when it has."""


@dataclass(frozen=True, slots=True)
class Joined:
    """We are in the room, and our track is published."""


@dataclass(frozen=True, slots=True)
class TrackThere:
    """Somebody in the room can be heard: an audio track is subscribed, or another SIP participant is there."""


@dataclass(frozen=True, slots=True)
class MediaHeard:
    """The caller's first RTP came."""


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """No ACK to our 200 came in 64*T1."""


@dataclass(frozen=True, slots=True)
class CallerGone:
    """The caller gave up before the answer, or hung up after it."""

    lost: bool = False
    """True: not by its own word, its address can't be reached any more."""


@dataclass(frozen=True, slots=True)
class RoomGone:
    """We are out of the room, and didn't leave it."""

    reason: int
    """LiveKit's DisconnectReason."""
    reject: str = ""
    """The participant's attribute `offhook.reject` at that time."""


@dataclass(frozen=True, slots=True)
class MediaLost:
    """No RTP came for too long."""

    held: bool = False
    """The caller has put us on hold; many phones then send nothing, whatever their SDP says."""


@dataclass(frozen=True, slots=True)
class NoMedia:
    """The caller's SDP answer, in its ACK, doesn't fit our offer."""


@dataclass(frozen=True, slots=True)
class ServiceDown:
    """What we lean on failed: the bus, LiveKit, a free RTP port."""

    what: str


@dataclass(frozen=True, slots=True)
class Stopping:
    """This process ends."""


Event = (
    TrunkTold
    | RuleTold
    | Joined
    | TrackThere
    | MediaHeard
    | Unacknowledged
    | CallerGone
    | RoomGone
    | MediaLost
    | NoMedia
    | ServiceDown
    | Stopping
)


@dataclass(frozen=True, slots=True)
class AskTrunk:
    """Ask livekit-server for the trunk; TrunkTold or ServiceDown is to follow."""


@dataclass(frozen=True, slots=True)
class AskRule:
    """Ask livekit-server where the call goes; RuleTold or ServiceDown is to follow."""

    trunk: str


@dataclass(frozen=True, slots=True)
class Ring:
    """Respond 180."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Respond with a final status and tell the caller's side no more."""

    code: int
    phrase: str
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class Ignore:
    """Give no response: the server took the call for a flood."""


@dataclass(frozen=True, slots=True)
class Join:
    """Join the room and publish; Joined, ServiceDown or RoomGone is to follow, and TrackThere when it is so."""

    rule: RuleAnswer


@dataclass(frozen=True, slots=True)
class Answer:
    """Respond 200 with our SDP, and let media flow both ways."""


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Set the participant's attribute `sip.callStatus`."""

    status: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """Send a BYE."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Free the media and leave the room, also when joining is still under way."""

    status: str = ""
    """What to set `sip.callStatus` to before leaving; "" for nothing."""


@dataclass(frozen=True, slots=True)
class TellIncoming:
    """Tell livekit-server, and whoever listens, that a call came in."""

    trunk: str


@dataclass(frozen=True, slots=True)
class TellRoom:
    """Tell which rule and room the call has: control may send an agent from now on."""

    rule: RuleAnswer


@dataclass(frozen=True, slots=True)
class TellActive:
    """Tell that the call was answered."""


@dataclass(frozen=True, slots=True)
class TellEnd:
    """Tell how the call ended."""

    outcome: str
    """One of a few words, fit for a metric's label."""
    reason: int
    error: str = ""
    sip_status: int = 0
    sip_text: str = ""


Effect = (
    AskTrunk
    | AskRule
    | Ring
    | Reject
    | Ignore
    | Join
    | Answer
    | SetStatus
    | HangUp
    | Leave
    | TellIncoming
    | TellRoom
    | TellActive
    | TellEnd
)
