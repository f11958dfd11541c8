"""What all calls of an edge share: made by the composition root once."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from gateway.bus.ioinfo import IoInfo
from gateway.bus.server import Server
from gateway.edge.seat import LiveKit
from gateway.edge.switchboard import Switchboard
from gateway.net.listener import Listener
from gateway.net.locator import Locator
from gateway.net.media import Media
from gateway.net.signalling import Relay
from gateway.sip.sign_in import Guard
from gateway.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Shared:
    """What all calls share."""

    io: IoInfo
    livekit: LiveKit
    media: Media
    relay: Relay
    """Stands between livekit-server and the SDK."""
    listeners: Sequence[Listener]
    """Where peers may send media to."""
    server: Server
    """Of the service SIPInternal: where each call that is up can be asked for."""
    locator: Locator
    guard: Guard
    """Judges who signs in."""
    lasting: Tasks
    """For what outlives a call by a moment: leaving its room, its BYE."""
    toned: AbstractSet[str] = frozenset()
    """Dispatch rules while whose PINs are asked for tones are keys; no answer of theirs tells that before the PIN is keyed."""
    board: Switchboard = field(default_factory=Switchboard)
    """Who hears whom here, past LiveKit."""
    refer_from: Sequence[IPv4Network | IPv6Network] = ()
    """Where PBXs are whose REFERs are followed."""
