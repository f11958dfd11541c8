"""What happens to a call of either direction, and what is to be done about it. Pure.

What only one direction has stands in `gateway.edge.inbound.events` and `gateway.edge.outbound.events`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.errors import OurFault
from gateway.sip.session_timer import SessionTimer

Headers = tuple[tuple[str, str], ...]
"""Names and values of SIP headers, as somebody in the room wrote them."""


class IllegalEvent(OurFault):
    """An event that can't happen in a call's state; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Joined:
    """We are in the room, and our track is published."""


@dataclass(frozen=True, slots=True)
class TrackThere:
    """Somebody in the room can be heard: an audio track is subscribed, or another SIP participant is there."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """Audio of somebody in the room arrives here: what is said from now on isn't lost."""


@dataclass(frozen=True, slots=True)
class MediaHeard:
    """The peer's first RTP came."""


@dataclass(frozen=True, slots=True)
class PeerGone:
    """The peer hung up, or a caller gave up before the answer."""

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
    """The peer has put us on hold; many phones then send nothing, whatever their SDP says."""


@dataclass(frozen=True, slots=True)
class NoMedia:
    """The peer's SDP answer doesn't fit our offer."""


@dataclass(frozen=True, slots=True)
class ServiceDown:
    """What we lean on failed: the bus, LiveKit, a free RTP port, or our own code."""

    what: str
    status: int = 503
    """What a caller is told who wasn't answered yet."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """This process ends."""


@dataclass(frozen=True, slots=True)
class EndAsked:
    """Somebody in the room wants the call to end, by the RPC `lk.sip.EndCall`."""

    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Transferred:
    """The peer has reached its new destination, and still hasn't hung up here."""


@dataclass(frozen=True, slots=True)
class SessionLost:
    """The peer no longer knows the call, or didn't answer when it was asked."""


@dataclass(frozen=True, slots=True)
class SessionAgreed:
    """How long the session lasts without a refresh was agreed on anew (RFC 4028)."""

    timer: SessionTimer | None
    """None: for ever."""


Event = (
    Joined
    | TrackThere
    | Hearing
    | MediaHeard
    | PeerGone
    | RoomGone
    | MediaLost
    | NoMedia
    | ServiceDown
    | Stopping
    | EndAsked
    | Transferred
    | SessionAgreed
    | SessionLost
)


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Set the participant's attribute `sip.callStatus`."""

    status: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """Send a BYE."""

    headers: Headers = ()
    """For it, beside those that the trunk wants."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """Show the peer that we are there; SessionAgreed or SessionLost is to follow."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Free the media and leave the room, also when joining is still under way."""

    status: str = ""
    """What to set `sip.callStatus` to before leaving; "" for nothing."""
    reason: int = 1
    """LiveKit's DisconnectReason that the room is told; 1 for CLIENT_INITIATED."""


@dataclass(frozen=True, slots=True)
class TellActive:
    """Tell that the call was answered."""


@dataclass(frozen=True, slots=True)
class TellEnd:
    """Tell how the call ended."""

    outcome: str
    """One of a few words, fit for a metric's label."""
    reason: int
    """LiveKit's DisconnectReason."""
    error: str = ""
    sip_status: int = 0
    sip_text: str = ""


Effect = SetStatus | HangUp | Refresh | Leave | TellActive | TellEnd
