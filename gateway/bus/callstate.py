"""What SIP services tell of their calls, heard passively: it never bids, so it takes no request from livekit-server.

    async for state in states(redis_url):
        ...

A SIP service tells UpdateSIPCallState when a call arrives, when its rule and room are known, when it is answered and
when it ends, also for a call that matched nothing and so never reached a webhook. It works where the SIP service's
Redis can be reached; elsewhere (LiveKit Cloud) nothing of this is known.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import structlog
from google.protobuf.message import DecodeError
from livekit.protocol.models import DisconnectReason
from livekit.protocol.sip import SIPCallDirection, SIPCallInfo, SIPCallStatus

from gateway.bus import channels
from gateway.bus.envelope import Request, decode
from gateway.bus.errors import BusDown, BusSyntaxError
from gateway.bus.feed import FIRST_PAUSE, Feed, Published, feed, longer, open_redis
from gateway.bus.wire import message
from gateway.terms.ending import Party
from gateway.terms.personal import Number

MEDIA_TIMEOUT = "media-timeout"
"""Error text of a call that ended because no RTP came; livekit-sip's word."""
NO_ACK = "no-ack"
"""Error text of a call whose answer was never acknowledged; livekit-sip's word."""
ROOM_LOST = "the connection to LiveKit was lost"
"""Error text of the edge: it is out of the room, and couldn't come back."""
MAX_DURATION = "max-call-duration"
RINGING_TIMEOUT = "ringing-timeout"
"""Error texts of the edge: a limit ended the call."""

log = structlog.get_logger(__name__)


class Status(StrEnum):
    """Where a call stands. INCOMING is told twice: at first without a room, then with it."""

    INCOMING = "incoming"
    JOINED = "joined"
    """Told by outbound legs only."""
    ACTIVE = "active"
    DISCONNECTED = "disconnected"
    ERROR = "error"

    @property
    def wire(self) -> SIPCallStatus:
        """LiveKit's value."""
        return _TO_WIRE[self]


_TO_WIRE = {
    Status.INCOMING: SIPCallStatus.SCS_CALL_INCOMING,
    Status.JOINED: SIPCallStatus.SCS_PARTICIPANT_JOINED,
    Status.ACTIVE: SIPCallStatus.SCS_ACTIVE,
    Status.DISCONNECTED: SIPCallStatus.SCS_DISCONNECTED,
    Status.ERROR: SIPCallStatus.SCS_ERROR,
}
_FROM_WIRE = {wire: status for status, wire in _TO_WIRE.items()}


QUALITY = "offhook.quality"
"""The attribute by which our edge tells of a call's line: JSON of numbers."""


@dataclass(frozen=True, slots=True)
class CallState:
    """The state of one call, as its SIP service last told it."""

    call_id: str
    """`SCL_…`: the SIP participant's `sip.callID`."""
    room: str
    """"" while no rule has matched; for ever when none does."""
    status: Status
    sip_status: int
    """Final status of the INVITE: 200 when it was answered; 0 while it rings, or where the service doesn't tell."""
    sip_text: str
    """What the service says of the end (`media-timeout`, …), else the words of the status."""
    by: Party
    """Who ended the call; UNKNOWN before its end, and where that can't be told."""
    codec: str
    """Name and rate as in SDP; "" while unknown."""
    from_user: Number
    """The caller, as its carrier wrote it."""
    to_user: Number
    """What was dialed, as the carrier wrote it."""
    at: float
    """When it was told: seconds since the epoch (UTC)."""
    trunk: str = ""
    """LiveKit's id of the trunk; "" while none has matched."""
    identity: str = field(default="", repr=False)
    """Of the SIP participant; "" while no rule has matched. It may hold the caller's number."""
    outbound: bool = False
    """It is a call that was asked for, such as to a person, not a caller's."""
    why: str = ""
    """What the service says of the end beside the status, such as `media-timeout`; "" for nothing."""
    quality: Mapping[str, float] = field(default_factory=dict)
    """Of its line, at its end (`gateway.rtp.quality.of`); {} where the service tells none."""

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self.status in (Status.DISCONNECTED, Status.ERROR)


async def states(redis_url: str) -> AsyncIterator[CallState]:
    """Every state told from the time it has subscribed; runs until it is closed, and reconnects by itself.

    What is told while Redis is away is missed: it is a hint and a record, not a queue.
    """
    redis = open_redis(redis_url)
    pause, down = FIRST_PAUSE, False
    try:
        while True:
            try:
                async with feed(redis) as connection:
                    await connection.subscribe(channels.request("IOInfo", "UpdateSIPCallState"))
                    pause, down = FIRST_PAUSE, False
                    async for state in _heard(connection):
                        yield state
            except BusDown as bad:
                if not down:
                    log.warning("call states not heard", why=bad.what)
                down = True
            await asyncio.sleep(pause)
            pause = longer(pause)
    finally:
        await redis.aclose()


async def _heard(connection: Feed) -> AsyncIterator[CallState]:
    while True:
        got = await connection.next()
        if not isinstance(got, Published):
            continue
        try:
            state = read(got.data)
        except BusSyntaxError as bad:
            log.warning("call state ignored", why=bad.what)
        else:
            if state is not None:
                yield state


def read(data: bytes) -> CallState | None:
    """A published request as the state it tells; None when it tells of something else, such as a transfer. Pure.

    Raises BusSyntaxError.
    """
    request = decode(data)
    if not isinstance(request, Request):
        return None
    try:
        told = message("UpdateSIPCallStateRequest").FromString(request.payload)
    except DecodeError as bad:
        raise BusSyntaxError("a call state can't be read") from bad
    info: SIPCallInfo = told.call_info
    if not info.call_id:
        return None
    return CallState(
        call_id=info.call_id,
        room=info.room_name,
        status=_FROM_WIRE.get(info.call_status, Status.ERROR),
        sip_status=int(info.call_status_code.code),
        sip_text=info.error or info.call_status_code.status,
        by=hung_up_by(info),
        codec=info.audio_codec,
        from_user=Number(info.from_uri.user),
        to_user=Number(info.to_uri.user),
        at=request.sent_at / 1e9,
        trunk=info.trunk_id,
        identity=info.participant_identity,
        outbound=info.call_direction == SIPCallDirection.SCD_OUTBOUND,
        why=info.error,
        quality=_quality(info.participant_attributes.get(QUALITY, "")),
    )


def _quality(told: str) -> Mapping[str, float]:
    try:
        read = json.loads(told) if told else {}
    except ValueError:
        return {}
    known = read.items() if isinstance(read, dict) else ()
    return {str(name): float(value) for name, value in known if isinstance(value, int | float)}


_BY_REASON = {
    DisconnectReason.CLIENT_INITIATED: Party.CALLER,
    DisconnectReason.CONNECTION_TIMEOUT: Party.NETWORK,
    DisconnectReason.JOIN_FAILURE: Party.NETWORK,
    DisconnectReason.MEDIA_FAILURE: Party.NETWORK,
    DisconnectReason.SIGNAL_CLOSE: Party.NETWORK,
    DisconnectReason.STATE_MISMATCH: Party.NETWORK,
    DisconnectReason.DUPLICATE_IDENTITY: Party.GATEWAY,
    DisconnectReason.SERVER_SHUTDOWN: Party.GATEWAY,
    DisconnectReason.SIP_TRUNK_FAILURE: Party.NETWORK,
    DisconnectReason.USER_REJECTED: Party.GATEWAY,
    DisconnectReason.USER_UNAVAILABLE: Party.GATEWAY,
}
_REMOVED = frozenset(
    {DisconnectReason.PARTICIPANT_REMOVED, DisconnectReason.ROOM_DELETED, DisconnectReason.ROOM_CLOSED}
)
_BY_ERROR = {
    MEDIA_TIMEOUT: Party.NETWORK,
    NO_ACK: Party.NETWORK,
    ROOM_LOST: Party.NETWORK,
    MAX_DURATION: Party.GATEWAY,
    RINGING_TIMEOUT: Party.GATEWAY,
}


def hung_up_by(info: SIPCallInfo) -> Party:
    """Who ended the call, by what its SIP service tells; UNKNOWN where that doesn't settle it. Pure.

    The error text counts first: livekit-sip gives lost media the same reason as a caller's BYE.
    """
    if _FROM_WIRE.get(info.call_status) not in (Status.DISCONNECTED, Status.ERROR):
        return Party.UNKNOWN
    for text, party in _BY_ERROR.items():
        if text in info.error:
            return party
    answered = bool(info.started_at_ns or info.started_at)
    if info.disconnect_reason in _REMOVED:
        return Party.AGENT if answered else Party.GATEWAY
    known = _BY_REASON.get(info.disconnect_reason)
    if known is None and info.call_status_code.code >= 300:
        return Party.GATEWAY
    return known or Party.UNKNOWN
