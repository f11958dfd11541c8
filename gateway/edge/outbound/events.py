"""What happens to an outbound call only, and what is to be done about it: words of `gateway.edge.outbound.machine`.
Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.edge import events as common


@dataclass(frozen=True, slots=True)
class Ringing:
    """The peer rings: a 180 to 199 came."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The peer answered, and its SDP fits: the call is up."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The INVITE got no call: a final response, or none."""

    code: int
    """300 to 699; 408 for no response, 503 where nobody listens or the address names no place."""
    text: str
    """The response's words, or ours."""
    trunk: bool = False
    """There was no response at all: it isn't the callee who refused."""


@dataclass(frozen=True, slots=True)
class KeysSent:
    """The keys that were to be pressed after the answer are on the network."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Whoever asked for the call doesn't wait for its answer any more."""


Event = common.Event | Ringing | Accepted | Refused | KeysSent | GivenUp


@dataclass(frozen=True, slots=True)
class Join:
    """Join the room and publish; Joined, ServiceDown or RoomGone is to follow."""


@dataclass(frozen=True, slots=True)
class Invite:
    """Send the INVITE; Ringing, Accepted, Refused, NoMedia or ServiceDown is to follow."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Cancel the INVITE, wherever it stands; nothing more of it is told."""


@dataclass(frozen=True, slots=True)
class PressKeys:
    """Press the keys that were asked for; KeysSent is to follow."""


@dataclass(frozen=True, slots=True)
class Created:
    """Answer the request that asked for the call: the participant is there."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Answer the request that asked for the call with an error."""

    code: int
    """SIP status; 0 when it isn't one's."""
    text: str


@dataclass(frozen=True, slots=True)
class TellJoined:
    """Tell that the participant is there, and its call is being made."""


Effect = common.Effect | Join | Invite | GiveUp | PressKeys | Created | Failed | TellJoined
