"""What livekit-server asks of a SIP service: the service SIPInternal, typed.

server = Server(bus, SERVICE)
await server.register("CreateSIPParticipant", creating(handler))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError

from gateway.bus.errors import RemoteError
from gateway.bus.ioinfo import MediaWish, wish_of
from gateway.bus.wire import message, seconds
from gateway.sip.message import phrase_of
from gateway.terms.personal import Number

SERVICE = "SIPInternal"
CREATE = "CreateSIPParticipant"
TRANSFER = "TransferSIPParticipant"
"""Its topic is the call's id."""


@dataclass(frozen=True, slots=True)
class Written:
    """A SIP address that the API's user wrote whole, as for a From header. All empty: none was."""

    raw: str = field(default="", repr=False)
    """A URI, in angle brackets or not; when it is there, the others are empty."""
    user: str = field(default="", repr=False)
    host: str = ""
    port: int = 0
    name: str = field(default="", repr=False)
    """Display name."""

    def __bool__(self) -> bool:
        return bool(self.raw or self.host)


@dataclass(frozen=True, slots=True)
class Dial:
    """A call that is to be made: CreateSIPParticipant, with the trunk's settings merged in by livekit-server."""

    id: str
    """`SCL_…`: the participant's `sip.callID`."""
    trunk: str
    address: str
    """Host, or host:port, that the INVITE goes to."""
    number: Number
    """Who is said to call."""
    dialed: Number
    from_host: str = ""
    """Host of the From header; "" for ours."""
    transport: int = 0
    """LiveKit's SIPTransport."""
    request_uri: Written = field(default_factory=Written)
    from_header: Written = field(default_factory=Written)
    to_header: Written = field(default_factory=Written)
    to_user: Number = field(default_factory=lambda: Number(""))
    """Stands in To for the one that is called; "" for none."""
    display_name: str | None = field(default=None, repr=False)
    """Of the From header: None for the number, "" for none."""
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    room: str = ""
    identity: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    metadata: str = field(default="", repr=False)
    attributes: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    url: str = ""
    keys: str = field(default="", repr=False)
    """To be pressed after the answer; `w` waits half a second."""
    dialtone: bool = False
    """The room hears ringing until the answer."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers_to_attributes: Mapping[str, str] = field(default_factory=dict)
    attributes_to_headers: Mapping[str, str] = field(default_factory=dict)
    include_headers: int = 0
    """Headers of the answer that become attributes: 0 none, 1 those with X-, 2 all."""
    ringing_timeout: float = 0.0
    """Seconds; 0 for the default."""
    max_duration: float = 0.0
    """Seconds; 0 for the default."""
    media: MediaWish = field(default_factory=MediaWish)
    waits: bool = False
    """The API's user wants to hear of the answer, not only of the dialing."""


@dataclass(frozen=True, slots=True)
class Created:
    """The participant that stands for the call."""

    participant: str
    """LiveKit's id: `PA_…`."""
    identity: str = field(repr=False)
    call: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """A call's peer that is to be sent elsewhere: TransferSIPParticipant."""

    to: str = field(repr=False)
    """A number, or a SIP or tel URI."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """For the REFER."""
    dialtone: bool = False
    """The peer hears ringing until its new destination answers."""
    timeout: float = 0.0
    """Seconds; 0 for the default."""


def transferring(transfer: Callable[[Transfer], Awaitable[None]]) -> Callable[[bytes], Awaitable[bytes]]:
    """A bus handler of TRANSFER, for the topic of one call. `transfer` raises RemoteError."""

    async def handle(payload: bytes) -> bytes:
        try:
            got = message("TransferSIPParticipantRequest").FromString(payload)
        except DecodeError as bad:
            raise RemoteError("malformed_request", "The request can't be read.") from bad
        timeout = seconds(got.ringing_timeout)
        await transfer(Transfer(got.transfer_to, dict(got.headers), got.play_dialtone, timeout))
        return b""

    return handle


def creating(create: Callable[[Dial], Awaitable[Created]]) -> Callable[[bytes], Awaitable[bytes]]:
    """A bus handler of CREATE. `create` raises RemoteError for what the API's user is to be told."""

    async def handle(payload: bytes) -> bytes:
        created = await create(_dial(payload))
        answer = message("CreateSIPParticipantResponse")(
            participant_id=created.participant, participant_identity=created.identity, sip_call_id=created.call
        )
        found: bytes = answer.SerializeToString()
        return found

    return handle


def refused(status: int, text: str = "", *, what: str = "") -> RemoteError:
    """The error for a call that ended with a SIP status. `what`: more than the status says."""
    text = text or phrase_of(status)
    code = _CODES.get(status) or ("failed_precondition" if 500 <= status < 600 else "invalid_argument")
    return RemoteError(code, what or f"INVITE failed: sip status: {status}: {text}", sip=(status, text))


_CODES = {
    301: "not_found",
    302: "not_found",
    401: "permission_denied",
    402: "permission_denied",
    403: "permission_denied",
    404: "not_found",
    407: "unauthenticated",
    # LiveKit's clients try again by themselves after `deadline_exceeded`: that would ring a phone twice.
    408: "canceled",
    409: "failed_precondition",
    410: "not_found",
    412: "failed_precondition",
    416: "out_of_range",
    428: "unauthenticated",
    433: "permission_denied",
    436: "unauthenticated",
    437: "unauthenticated",
    438: "unauthenticated",
    440: "resource_exhausted",
    470: "permission_denied",
    480: "failed_precondition",
    481: "not_found",
    482: "failed_precondition",
    483: "failed_precondition",
    486: "failed_precondition",
    487: "aborted",
    491: "aborted",
    494: "unauthenticated",
    504: "deadline_exceeded",
    505: "invalid_argument",
    513: "invalid_argument",
    600: "resource_exhausted",
    603: "permission_denied",
    604: "not_found",
    607: "permission_denied",
    608: "permission_denied",
}
"""PSRPC's word for a SIP status, as LiveKit maps them (livekit/protocol 1.51, livekit/sip.go; before that 480 and 486 were
`resource_exhausted`)."""


def _dial(payload: bytes) -> Dial:
    try:
        got = message("CreateSIPParticipantRequest").FromString(payload)
    except DecodeError as bad:
        raise RemoteError("malformed_request", "The request can't be read.") from bad
    return Dial(
        id=got.sip_call_id,
        trunk=got.sip_trunk_id,
        address=got.address,
        number=Number(got.number),
        dialed=Number(got.call_to),
        from_host=got.hostname,
        transport=got.transport,
        request_uri=_written(got.sip_request_uri),
        from_header=_written(got.sip_from_header),
        to_header=_written(got.sip_to_header),
        to_user=Number(got.to_user_override),
        display_name=got.display_name if got.HasField("display_name") else None,
        username=got.username,
        password=got.password,
        room=got.room_name,
        identity=got.participant_identity,
        name=got.participant_name,
        metadata=got.participant_metadata,
        attributes=dict(got.participant_attributes),
        token=got.token,
        url=got.ws_url,
        keys=got.dtmf,
        dialtone=got.play_dialtone,
        headers=dict(got.headers),
        headers_to_attributes=dict(got.headers_to_attributes),
        attributes_to_headers=dict(got.attributes_to_headers),
        include_headers=got.include_headers,
        ringing_timeout=seconds(got.ringing_timeout),
        max_duration=seconds(got.max_call_duration),
        media=wish_of(got.media, got.media_encryption),
        waits=got.wait_until_answered,
    )


def _written(got: Any) -> Written:
    name = getattr(got, "display_name", "")
    return Written(got.raw, got.values.user, got.values.host, got.values.port, name)
