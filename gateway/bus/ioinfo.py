"""What a SIP service asks and tells livekit-server: the service IOInfo, typed.

Order on an inbound call: `authentication`, `tell` (incoming), `evaluate`, `tell` (with rule and room), `tell` (active),
`tell` (disconnected).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

from google.protobuf.message import DecodeError
from livekit.protocol.models import DisconnectReason
from livekit.protocol.room import RoomConfiguration
from livekit.protocol.sip import (
    SIPCallDirection,
    SIPCallInfo,
    SIPMediaConfig,
    SIPMediaEncryption,
    SIPStatus,
    SIPStatusCode,
    SIPTransferInfo,
    SIPTransferStatus,
    SIPTransport,
    SIPUri,
)

from gateway.bus.callstate import Status
from gateway.bus.client import Client
from gateway.bus.errors import BusSyntaxError
from gateway.bus.wire import message, seconds
from gateway.terms.encryption import Encryption
from gateway.terms.personal import Digits, Number

SERVICE = "IOInfo"


@dataclass(frozen=True, slots=True)
class Uri:
    """A SIP address. `port` 0: none was written."""

    user: Number
    host: str
    port: int = 0


@dataclass(frozen=True, slots=True)
class Leg:
    """A call as its INVITE tells of it."""

    id: str
    """Ours: `SCL_…`, also the local tag."""
    sip_call_id: str
    """The INVITE's Call-ID."""
    source: str
    """IP address it came from."""
    target: Uri
    """The Request-URI."""
    caller: Uri
    dialed: Uri
    """To's address: rules and trunks go by its user, not by the Request-URI's."""
    via: tuple[Uri, ...] = ()
    outbound: bool = False
    """We make the call: `source` is ours."""
    transport: str = "UDP"
    """UDP, TCP or TLS."""


class TrunkFault(StrEnum):
    """Why no trunk may take the call, where the server says so (LiveKit Cloud does)."""

    NONE = ""
    QUOTA = "quota exceeded"
    NO_TRUNK = "no trunk found"


_TRUNK_FAULTS = {1: TrunkFault.QUOTA, 2: TrunkFault.NO_TRUNK}


@dataclass(frozen=True, slots=True)
class TrunkAnswer:
    """The trunk that the call came in by."""

    trunk: str
    """LiveKit's id; "" when no trunk matches: a rule for every trunk may still take the call."""
    drop: bool = False
    """Don't answer at all: it is a flood."""
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    """What the caller must prove to know; both empty for nothing."""
    realm: str = ""
    fault: TrunkFault = TrunkFault.NONE

    @property
    def guarded(self) -> bool:
        """Whether the caller must sign in."""
        return bool(self.username or self.password)


class Verdict(StrEnum):
    """What the dispatch rules say."""

    ACCEPT = "accept"
    PIN = "pin"
    """The caller must key a PIN first."""
    REJECT = "reject"
    DROP = "drop"
    """No rule matches: what the open-source server says instead of REJECT."""


_ENCRYPTION: Mapping[int, Encryption] = {
    SIPMediaEncryption.SIP_MEDIA_ENCRYPT_ALLOW: Encryption.ALLOW,
    SIPMediaEncryption.SIP_MEDIA_ENCRYPT_REQUIRE: Encryption.REQUIRE,
}


_VERDICTS = {1: Verdict.ACCEPT, 2: Verdict.PIN, 3: Verdict.REJECT, 4: Verdict.DROP}


@dataclass(frozen=True, slots=True)
class MediaWish:
    """What trunk and rule say of the media."""

    codecs: tuple[str, ...] = ()
    """Names as in SDP; () for no wish. With `only_listed`, no others may be used."""
    only_listed: bool = False
    encryption: Encryption = Encryption.DISABLE
    timeout: float = 0.0
    """Seconds without RTP after which the call ends; 0 for the default."""


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """The room that the call goes to, and how. All but the verdict and the trunk is empty when that isn't ACCEPT; but for the
    rule and its media, when it is PIN."""

    verdict: Verdict
    trunk: str = ""
    rule: str = ""
    room: str = ""
    identity: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    metadata: str = field(default="", repr=False)
    attributes: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    """JWT to join with; "" from the open-source server: make one."""
    url: str = ""
    """Server to join; "" for ours."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """To put into our responses."""
    headers_to_attributes: Mapping[str, str] = field(default_factory=dict)
    attributes_to_headers: Mapping[str, str] = field(default_factory=dict)
    include_headers: int = 0
    """Headers of the INVITE that become attributes: 0 none, 1 those with X-, 2 all."""
    ringing_timeout: float = 0.0
    """Seconds; 0 for the default."""
    max_duration: float = 0.0
    """Seconds; 0 for the default."""
    preset: str = ""
    config: RoomConfiguration | None = None
    media: MediaWish = MediaWish()


@dataclass(frozen=True, slots=True)
class CallInfo:
    """Everything told of a call so far; each `tell` repeats it all. Times are nanoseconds since the epoch (UTC)."""

    leg: Leg
    status: Status = Status.INCOMING
    created: int = 0
    started: int = 0
    ended: int = 0
    trunk: str = ""
    rule: str = ""
    room: str = ""
    room_id: str = ""
    identity: str = field(default="", repr=False)
    attributes: Mapping[str, str] = field(default_factory=dict, repr=False)
    codec: str = ""
    reason: int = DisconnectReason.UNKNOWN_REASON
    error: str = ""
    """One of `callstate`'s words, or other text; "" for an ordinary end."""
    sip_status: int = 0
    """The final status of the INVITE; 0 while there is none."""
    sip_text: str = ""


class Outcome(StrEnum):
    """Where a transfer stands."""

    ONGOING = "ongoing"
    DONE = "done"
    FAILED = "failed"

    @property
    def wire(self) -> SIPTransferStatus:
        """LiveKit's value."""
        return _OUTCOMES[self]


_OUTCOMES = {
    Outcome.ONGOING: SIPTransferStatus.STS_TRANSFER_ONGOING,
    Outcome.DONE: SIPTransferStatus.STS_TRANSFER_SUCCESSFUL,
    Outcome.FAILED: SIPTransferStatus.STS_TRANSFER_FAILED,
}


@dataclass(frozen=True, slots=True)
class TransferInfo:
    """Everything told of a transfer so far. Times as of `CallInfo`."""

    id: str
    """`STR_…`"""
    call: str
    to: str = field(repr=False)
    began: int
    outcome: Outcome = Outcome.ONGOING
    ended: int = 0
    error: str = ""


class IoInfo:
    """The calls, on a Client of SERVICE. Each raises what `Client.call` raises, or BusSyntaxError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def authentication(self, leg: Leg) -> TrunkAnswer:
        """Which trunk the call belongs to, and whether its caller must sign in."""
        got = await self._ask(
            "GetSIPTrunkAuthentication",
            call=_call(leg),
            # The flat fields are deprecated, but older servers read only these.
            sip_call_id=leg.id,
            to=leg.dialed.user.reveal(),
            to_host=leg.dialed.host,
            from_host=leg.caller.host,
            src_address=leg.source,
            **{"from": leg.caller.user.reveal()},
        )
        return TrunkAnswer(
            trunk=got.sip_trunk_id,
            drop=got.drop,
            username=got.username,
            password=got.password,
            realm=got.realm,
            fault=_TRUNK_FAULTS.get(got.error_code, TrunkFault.NONE),
        )

    async def evaluate(self, leg: Leg, trunk: str, pin: Digits | None = None) -> RuleAnswer:
        """Where the dispatch rules send the call. `pin`: what the caller keyed when it was asked; None: it wasn't."""
        keyed = pin.reveal() if pin is not None else ""
        got = await self._ask(
            "EvaluateSIPDispatchRules",
            call=_call(leg),
            sip_trunk_id=trunk,
            sip_call_id=leg.id,
            # Rule matching reads the flat numbers even today.
            calling_number=leg.caller.user.reveal(),
            calling_host=leg.caller.host,
            called_number=leg.dialed.user.reveal(),
            called_host=leg.dialed.host,
            src_address=leg.source,
            pin=keyed,
            no_pin=pin is not None and not keyed,
        )
        verdict = _VERDICTS.get(got.result, Verdict.REJECT)
        if got.result == 0:  # servers that are older than `result`
            verdict = Verdict.PIN if got.request_pin else Verdict.ACCEPT
        if verdict is Verdict.ACCEPT:
            return _rule(got, verdict)
        if verdict is Verdict.PIN:
            wish = wish_of(got.media, got.media_encryption)
            return RuleAnswer(verdict, trunk=got.sip_trunk_id, rule=got.sip_dispatch_rule_id, media=wish)
        return RuleAnswer(verdict, trunk=got.sip_trunk_id)

    async def tell(self, info: CallInfo) -> None:
        """Tell the state of a call; returns once it is published. Raises BusDown."""
        payload = message("UpdateSIPCallStateRequest")(call_info=_info(info)).SerializeToString()
        await self._client.tell("UpdateSIPCallState", payload)

    async def tell_transfer(self, transfer: TransferInfo) -> None:
        """Tell where a transfer stands. Raises BusDown."""
        info = SIPTransferInfo(
            transfer_id=transfer.id,
            call_id=transfer.call,
            transfer_to=transfer.to,
            transfer_initiated_at_ns=transfer.began,
            transfer_completed_at_ns=transfer.ended,
            transfer_status=transfer.outcome.wire,
            error=transfer.error,
        )
        payload = message("UpdateSIPCallStateRequest")(transfer_info=info).SerializeToString()
        await self._client.tell("UpdateSIPCallState", payload)

    async def _ask(self, method: str, **fields: Any) -> Any:
        answer = await self._client.call(method, message(f"{method}Request")(**fields).SerializeToString())
        try:
            return message(f"{method}Response").FromString(answer)
        except DecodeError as bad:
            raise BusSyntaxError(f"The answer to {method} can't be read.", sip_status=503) from bad


def _call(leg: Leg) -> Any:
    return message("SIPCall")(
        lk_call_id=leg.id,
        source_ip=leg.source,
        address=_uri(leg.target, leg),
        to=_uri(leg.dialed, leg),
        via=[_uri(hop, leg) for hop in leg.via],
        sip_call_id=leg.sip_call_id,
        **{"from": _uri(leg.caller, leg)},
    )


_TRANSPORTS = {
    "UDP": SIPTransport.SIP_TRANSPORT_UDP,
    "TCP": SIPTransport.SIP_TRANSPORT_TCP,
    "TLS": SIPTransport.SIP_TRANSPORT_TLS,
}


def _uri(uri: Uri, leg: Leg) -> SIPUri:
    return SIPUri(user=uri.user.reveal(), host=uri.host, port=uri.port, transport=_TRANSPORTS[leg.transport])


def _rule(got: Any, verdict: Verdict) -> RuleAnswer:
    return RuleAnswer(
        verdict=verdict,
        trunk=got.sip_trunk_id,
        rule=got.sip_dispatch_rule_id,
        room=got.room_name,
        identity=got.participant_identity,
        name=got.participant_name,
        metadata=got.participant_metadata,
        attributes=dict(got.participant_attributes),
        token=got.token,
        url=got.ws_url,
        headers=dict(got.headers),
        headers_to_attributes=dict(got.headers_to_attributes),
        attributes_to_headers=dict(got.attributes_to_headers),
        include_headers=got.include_headers,
        ringing_timeout=seconds(got.ringing_timeout),
        max_duration=seconds(got.max_call_duration),
        preset=got.room_preset,
        config=got.room_config if got.HasField("room_config") else None,
        media=wish_of(got.media, got.media_encryption),
    )


def wish_of(media: SIPMediaConfig, older: int) -> MediaWish:
    """What a trunk or a request says of the media; `older`: the field that servers used before."""
    stricter = max(media.encryption, older)  # LiveKit's numbers grow with strictness
    return MediaWish(
        codecs=tuple(codec.name for codec in media.codecs),
        only_listed=media.only_listed_codecs,
        encryption=_ENCRYPTION.get(stricter, Encryption.DISABLE),
        timeout=seconds(media.media_timeout),
    )


def _info(info: CallInfo) -> SIPCallInfo:
    leg = info.leg
    made = SIPCallInfo(
        call_id=leg.id,
        sip_call_id=leg.sip_call_id,
        trunk_id=info.trunk,
        dispatch_rule_id=info.rule,
        room_name=info.room,
        room_id=info.room_id,
        participant_identity=info.identity,
        participant_attributes=info.attributes,
        from_uri=SIPUri(user=leg.caller.user.reveal(), host=leg.source, transport=_TRANSPORTS[leg.transport]),
        to_uri=_uri(leg.dialed, leg),
        call_direction=SIPCallDirection.SCD_OUTBOUND if leg.outbound else SIPCallDirection.SCD_INBOUND,
        call_status=info.status.wire,
        created_at_ns=info.created,
        started_at_ns=info.started,
        ended_at_ns=info.ended,
        disconnect_reason=cast("DisconnectReason", info.reason),
        error=info.error,
        audio_codec=info.codec,
    )
    if info.sip_status:
        made.call_status_code.CopyFrom(SIPStatus(code=cast("SIPStatusCode", info.sip_status), status=info.sip_text))
    return made
