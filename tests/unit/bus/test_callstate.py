from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.models import DisconnectReason
from livekit.protocol.sip import SIPCallInfo, SIPCallStatus, SIPStatus, SIPUri

from gateway.bus.callstate import ROOM_LOST, CallState, Status, hung_up_by, read
from gateway.bus.envelope import Grant, Request, encode
from gateway.bus.errors import BusSyntaxError
from gateway.bus.wire import message
from gateway.terms.ending import Party
from gateway.terms.personal import Number


def ended(reason: int = 0, *, error: str = "", answered: bool = False, status: int = 0) -> SIPCallInfo:
    info = SIPCallInfo(
        call_status=SIPCallStatus.SCS_DISCONNECTED, disconnect_reason=reason, error=error, started_at_ns=int(answered)
    )
    if status:
        info.call_status_code.CopyFrom(SIPStatus(code=status))
    return info


@pytest.mark.parametrize(
    ("info", "party"),
    [
        (ended(DisconnectReason.CLIENT_INITIATED, answered=True), Party.CALLER),
        (ended(DisconnectReason.CLIENT_INITIATED, status=487), Party.CALLER),
        (
            ended(DisconnectReason.CLIENT_INITIATED, error="deadline_exceeded: media-timeout", answered=True),
            Party.NETWORK,
        ),
        (ended(DisconnectReason.MEDIA_FAILURE, answered=True), Party.NETWORK),
        (ended(DisconnectReason.UNKNOWN_REASON, error=ROOM_LOST, answered=True), Party.NETWORK),
        (ended(DisconnectReason.ROOM_DELETED, answered=True), Party.AGENT),
        (ended(DisconnectReason.PARTICIPANT_REMOVED, answered=True), Party.AGENT),
        (ended(DisconnectReason.PARTICIPANT_REMOVED, status=603), Party.GATEWAY),
        (ended(DisconnectReason.ROOM_DELETED, status=486), Party.GATEWAY),
        (ended(DisconnectReason.CLIENT_INITIATED, error="max-call-duration", answered=True), Party.GATEWAY),
        (ended(DisconnectReason.SERVER_SHUTDOWN, answered=True), Party.GATEWAY),
        (ended(status=404), Party.GATEWAY),
        (ended(answered=True), Party.UNKNOWN),
        (SIPCallInfo(call_status=SIPCallStatus.SCS_ACTIVE, disconnect_reason=1), Party.UNKNOWN),
    ],
)
def test_who_hung_up(info: SIPCallInfo, party: Party) -> None:
    assert hung_up_by(info) is party


@given(st.sampled_from(DisconnectReason.values()), st.text(), st.booleans(), st.integers(0, 699))
def test_every_end_has_a_party(reason: int, error: str, answered: bool, status: int) -> None:
    assert isinstance(hung_up_by(ended(reason, error=error, answered=answered, status=status)), Party)


def published(info: SIPCallInfo) -> bytes:
    payload = message("UpdateSIPCallStateRequest")(call_info=info).SerializeToString()
    return encode(Request("REQ_1", "CLI_1", 1_700_000_000_500_000_000, 2**62, payload))


def test_reading_a_state() -> None:
    info = ended(DisconnectReason.CLIENT_INITIATED, answered=True, status=200)
    info.call_id, info.room_name, info.audio_codec = "SCL_1", "call-x", "PCMU/8000"
    info.from_uri.CopyFrom(SIPUri(user="+15105550123"))
    info.to_uri.CopyFrom(SIPUri(user="+15105550100"))
    state = read(published(info))
    assert state == CallState(
        call_id="SCL_1",
        room="call-x",
        status=Status.DISCONNECTED,
        sip_status=200,
        sip_text="",
        by=Party.CALLER,
        codec="PCMU/8000",
        from_user=Number("+15105550123"),
        to_user=Number("+15105550100"),
        at=1_700_000_000.5,
    )
    assert "5550123" not in repr(state)


def test_what_is_no_call_state() -> None:
    assert read(encode(Grant("REQ_1", "SRV_1"))) is None
    assert read(published(SIPCallInfo())) is None
    with pytest.raises(BusSyntaxError):
        read(encode(Request("r", "c", 1, 2, b"\xff\xff\xff")))


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read(data)
    except BusSyntaxError:
        return
