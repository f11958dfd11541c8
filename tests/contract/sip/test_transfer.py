"""Callers who are sent elsewhere: LiveKit's API asks for the transfer, SIPp is referred."""

from __future__ import annotations

import asyncio
import time

import pytest
from google.protobuf.duration_pb2 import Duration
from livekit import api

from gateway.terms.ending import Party
from tests.contract.sip.differences import differs
from tests.e2e.rtp_probe import power
from tests.e2e.servers import until
from tests.e2e.sip_lab import SipLab

pytestmark = pytest.mark.e2e
DESK = "+15105550177"
REFER = "Refer-To: .?tel:.15105550177"


async def transfer(edge: SipLab, to: str = f"tel:{DESK}", *, within: float = 0, **more: object) -> None:
    """TransferSIPParticipant of the first call. Raises the API's error."""
    room = await edge.room()
    people = (await edge.lk.room.list_participants(api.ListParticipantsRequest(room=room))).participants
    who = next(one.identity for one in people if one.kind == api.ParticipantInfo.Kind.SIP)
    request = api.TransferSIPParticipantRequest(room_name=room, participant_identity=who, transfer_to=to, **more)
    if within:
        request.ringing_timeout.CopyFrom(Duration(seconds=int(within)))
    await edge.lk.sip.transfer_sip_participant(request)


async def test_a_caller_is_sent_elsewhere(edge: SipLab) -> None:
    fill = {"fragment": "SIP/2.0 200 OK", "refer": REFER}
    async with edge.phone() as phone, edge.caller("transferred", rtp=phone.port, pause=0.5, **fill) as caller:
        async with edge.agent():
            await phone.hears(600)
            await transfer(edge, headers={"X-Lead": "42"})
            await caller.ended()
        assert "X-Lead: 42" in caller.report()
    assert (await edge.end()).by is Party.CALLER


@differs("a callee who is busy or unavailable (486, 480), to the API's user")
async def test_the_caller_hears_ringing_while_it_is_sent(edge: SipLab) -> None:
    fill = {"fragment": "SIP/2.0 486 Busy Here", "refer": REFER}
    async with (
        edge.phone() as phone,
        edge.caller("transferred", rtp=phone.port, pause=2, **fill) as caller,
        edge.agent(),
    ):
        await phone.hears(600)
        going = asyncio.create_task(transfer(edge, play_dialtone=True))
        await until(lambda: power(phone.last(0.5), 425) > 0.9)
        with pytest.raises(api.TwirpError) as failed:
            await going
        assert (failed.value.code, failed.value.metadata["sip_status_code"]) == ("failed_precondition", "486")
        await phone.hears(600)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()


async def test_a_transfer_that_is_refused_leaves_the_call_as_it_is(edge: SipLab) -> None:
    async with (
        edge.phone() as phone,
        edge.caller("transfer_refused", rtp=phone.port, fragment="603 Decline") as caller,
        edge.agent(),
    ):
        await phone.hears(600)
        with pytest.raises(api.TwirpError) as failed:
            await transfer(edge)
        assert failed.value.metadata["sip_status_code"] == "603"
        await phone.hears(600)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()


@differs("a transfer that takes too long")
async def test_a_transfer_that_is_never_decided_ends_in_time(edge: SipLab) -> None:
    async with (
        edge.phone() as phone,
        edge.caller("transfer_refused", rtp=phone.port, fragment="202 Accepted") as caller,
        edge.agent(),
    ):
        await phone.hears(600)
        started = time.monotonic()
        with pytest.raises(api.TwirpError) as failed:
            await transfer(edge, within=2)
        assert 1.5 < time.monotonic() - started < 10.0
        assert failed.value.metadata["sip_status_code"] == "408"
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()


async def test_where_nobody_can_be_sent_is_told(edge: SipLab) -> None:
    async with edge.phone() as phone, edge.caller("hung_up_on", rtp=phone.port) as caller, edge.agent():
        await phone.hears(600)
        with pytest.raises(api.TwirpError, match="transfer_to"):
            await transfer(edge, "the desk")
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()
