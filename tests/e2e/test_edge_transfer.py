"""Callers who are sent elsewhere: LiveKit's API asks for the transfer, SIPp is referred."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from livekit import api

from gateway.terms.ending import Party
from tests.e2e.edge_lab import Lab, lab, make_trunks, rtp_ports
from tests.e2e.rtp_probe import power, rtp_probe
from tests.e2e.servers import LiveKit, livekit_server, redis_server, until

pytestmark = pytest.mark.e2e
DESK = "+15105550177"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, LiveKit]]:
    directory = tmp_path_factory.mktemp("servers")
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url) as livekit:
        asyncio.run(_make_trunks(livekit))
        yield redis_url, livekit


async def _make_trunks(livekit: LiveKit) -> None:
    lk = livekit.api()
    try:
        await make_trunks(lk)
    finally:
        await lk.aclose()


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Lab]:
    """The edge; afterwards nothing may be left of any call."""
    async with lab(tmp_path, *servers) as made:
        yield made
        await made.nothing_left()
        assert rtp_ports() == set()


async def transfer(edge: Lab, to: str = f"tel:{DESK}", *, within: float = 0, **more: object) -> None:
    """TransferSIPParticipant of the first call. Raises the API's error."""
    room = await edge.room()
    people = (await edge.lk.room.list_participants(api.ListParticipantsRequest(room=room))).participants
    who = next(one.identity for one in people if one.kind == api.ParticipantInfo.Kind.SIP)
    request = api.TransferSIPParticipantRequest(room_name=room, participant_identity=who, transfer_to=to, **more)
    if within:
        request.ringing_timeout.CopyFrom(Duration(seconds=int(within)))
    await edge.lk.sip.transfer_sip_participant(request)


REFER = "Refer-To: .tel:.15105550177."


async def test_a_caller_is_sent_elsewhere(edge: Lab) -> None:
    fill = {"fragment": "SIP/2.0 200 OK", "refer": REFER}
    async with rtp_probe() as phone, edge.caller("transferred", rtp=phone.port, pause=0.5, **fill) as caller:
        async with edge.agent():
            await phone.hears(600)
            await transfer(edge, headers={"X-Lead": "42"})
            await caller.ended()
        assert "X-Lead: 42" in caller.report()
    assert (await edge.end()).by is Party.CALLER


async def test_the_caller_hears_ringing_while_it_is_sent(edge: Lab) -> None:
    fill = {"fragment": "SIP/2.0 486 Busy Here", "refer": REFER}
    async with (
        rtp_probe() as phone,
        edge.caller("transferred", rtp=phone.port, pause=2, **fill) as caller,
        edge.agent(),
    ):
        await phone.hears(600)
        going = asyncio.create_task(transfer(edge, play_dialtone=True))
        await until(lambda: power(phone.last(0.5), 425) > 0.9)
        with pytest.raises(api.TwirpError) as failed:
            await going
        assert (failed.value.code, failed.value.metadata["sip_status_code"]) == ("resource_exhausted", "486")
        await phone.hears(600)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()


async def test_a_transfer_that_is_refused_leaves_the_call_as_it_is(edge: Lab) -> None:
    async with (
        rtp_probe() as phone,
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


async def test_a_transfer_that_is_never_decided_ends_in_time(edge: Lab) -> None:
    async with (
        rtp_probe() as phone,
        edge.caller("transfer_refused", rtp=phone.port, fragment="202 Accepted") as caller,
        edge.agent(),
    ):
        await phone.hears(600)
        started = time.monotonic()
        with pytest.raises(api.TwirpError) as failed:
            await transfer(edge, within=2)
        assert 1.5 < time.monotonic() - started < 2.2
        assert failed.value.metadata["sip_status_code"] == "408"
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()


async def test_where_nobody_can_be_sent_is_told(edge: Lab) -> None:
    async with rtp_probe() as phone, edge.caller("hung_up_on", rtp=phone.port) as caller, edge.agent():
        await phone.hears(600)
        with pytest.raises(api.TwirpError, match="transfer_to"):
            await transfer(edge, "the desk")
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()
