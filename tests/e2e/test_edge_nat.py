"""Peers behind a NAT, whose addresses are nobody's here, and an edge that is behind one itself: several listeners."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from livekit import api

from gateway.bus.callstate import Status
from tests.e2e.edge_lab import DIALED, Lab, lab, rtp_ports
from tests.e2e.room_peer import room_peer
from tests.e2e.rtp_probe import rtp_probe
from tests.e2e.servers import LiveKit, free_port, until
from tests.e2e.sipp import callee

pytestmark = pytest.mark.e2e
INSIDE = "10.11.12.13"
"""What a peer behind a NAT believes its address to be."""
FIRST, OUTSIDE = "127.0.0.2", "127.0.0.77"
"""The first listener, and what peers are told in its place."""

_SDP = f"v=0\r\no=- 1 1 IN IP4 {INSIDE}\r\ns=-\r\nc=IN IP4 {INSIDE}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Lab]:
    """An edge on two addresses of one family; afterwards nothing may be left of any call."""
    hosts = f"{FIRST}={OUTSIDE}, 127.0.0.1"
    async with lab(tmp_path, *servers, OFFHOOK_SIP_HOST=hosts, OFFHOOK_SIP_TCP_PORT=free_port()) as made:
        yield made
        await made.nothing_left()
        assert rtp_ports() == set()


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
async def test_a_caller_behind_a_nat_hears_is_heard_and_is_hung_up_on(edge: Lab, transport: str) -> None:
    async with (
        rtp_probe() as phone,
        edge.caller("behind_nat", rtp=phone.port, transport=transport) as caller,
        edge.agent() as agent,
    ):
        await _answered(edge)
        assert not phone.heard, "its SDP leads nowhere until it speaks"
        phone.tone = 440
        phone.peer = ("127.0.0.1", min(rtp_ports()))
        await phone.hears(600)
        await agent.hears(440)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()
    vias = re.findall(
        rf"Via: SIP/2.0/{transport} {INSIDE}:5060;rport=(\d+);branch=\S+;received=127.0.0.1\b", caller.report()
    )
    assert len(set(vias)) == 1, "it is told where its requests come from"


async def test_a_caller_whose_nat_gives_it_another_address_is_hung_up_on_there(edge: Lab) -> None:
    loop = asyncio.get_running_loop()
    with _socket() as before, _socket() as after:
        before.connect(edge.at("UDP"))
        after.connect(edge.at("UDP"))
        before.send(_written("INVITE", 1, body=_SDP))
        async with edge.agent(), asyncio.timeout(10):
            while b"SIP/2.0 200" not in (answer := await loop.sock_recv(before, 65536)):
                pass
            tag = re.search(rb"To: .*;tag=(\S+)", answer)
            assert tag is not None
            before.send(_written("ACK", 1, tag[1].decode()))
            after.send(_written("UPDATE", 2, tag[1].decode()))
            assert b"SIP/2.0 200" in await loop.sock_recv(after, 65536)
            await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
            bye = await loop.sock_recv(after, 65536)
    assert bye.startswith(b"BYE ")


async def test_a_caller_whose_nat_gives_its_media_another_port_is_heard_and_hears_on(edge: Lab) -> None:
    async with (
        rtp_probe() as phone,
        edge.caller("behind_nat", rtp=phone.port) as caller,
        edge.agent() as agent,
    ):
        await _answered(edge)
        phone.tone, phone.peer = 440, ("127.0.0.1", min(rtp_ports()))
        await phone.hears(600)
        await agent.hears(440)
        await phone.moves()
        phone.heard.clear()
        phone.tone = 880
        await phone.hears(600, 5)
        await agent.hears(880)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()


async def test_a_callee_behind_a_nat_hears_and_is_heard(edge: Lab, tmp_path: Path) -> None:
    async with (
        rtp_probe() as phone,
        callee(tmp_path / "callee", "callee_behind_nat", rtp=phone.port) as (sipp, port),
        room_peer(edge.livekit, "dialed") as agent,
    ):
        await _dial(edge, f"127.0.0.1:{port}")
        phone.tone = 440
        phone.peer = ("127.0.0.1", min(rtp_ports()))
        await phone.hears(600)
        await agent.hears(440)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room="dialed"))
        await sipp.ended()


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
async def test_each_listener_tells_of_its_own_address(edge: Lab, transport: str) -> None:
    async with (
        rtp_probe() as phone,
        edge.caller("hung_up_on", rtp=phone.port, transport=transport, host=FIRST) as caller,
        edge.agent(),
    ):
        await phone.hears(600)
        assert phone.peer is not None
        assert phone.peer[0] == FIRST
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()
    told, port = caller.report(), edge.at(transport, FIRST)[1]
    assert f"Contact: <sip:{OUTSIDE}:{port}" in told
    assert f"c=IN IP4 {OUTSIDE}" in told
    assert f"Via: SIP/2.0/{transport} {OUTSIDE}:{port};rport;" in told


async def test_a_call_goes_out_by_the_listener_that_reaches_its_target(edge: Lab, tmp_path: Path) -> None:
    async with (
        rtp_probe() as phone,
        callee(tmp_path / "callee", "callee_hung_up_on", rtp=phone.port, fill={"ring": "50"}) as (sipp, port),
        room_peer(edge.livekit, "dialed"),
    ):
        await _dial(edge, f"127.0.0.1:{port}")
        await phone.hears(600)
        assert phone.peer is not None
        assert phone.peer[0] == "127.0.0.1", "not the first listener, which isn't on the way there"
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room="dialed"))
        await sipp.ended()
    assert f"Contact: <sip:127.0.0.1:{edge.at('UDP')[1]}>" in sipp.report()


@pytest.mark.parametrize("transport", ["TCP", "UDP"])
async def test_an_invite_that_is_too_large_goes_by_tcp_if_the_callee_takes_it(
    edge: Lab, tmp_path: Path, transport: str
) -> None:
    async with (
        rtp_probe() as phone,
        callee(tmp_path / "callee", "callee_hung_up_on", rtp=phone.port, fill={"ring": "50"}, transport=transport) as (
            sipp,
            port,
        ),
        room_peer(edge.livekit, "dialed"),
    ):
        await _dial(edge, f"127.0.0.1:{port}", {"X-Long": "x" * 1000, "X-Longer": "x" * 1000})
        await phone.hears(600)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room="dialed"))
        await sipp.ended()
    assert f"Via: SIP/2.0/{transport} 127.0.0.1:{edge.at(transport)[1]};" in sipp.report()


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


def _written(method: str, sequence: int, tag: str = "", body: str = "") -> bytes:
    """A request of a caller behind a NAT."""
    lines = [
        f"{method} sip:{DIALED}@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP {INSIDE}:5060;rport;branch=z9hG4bK{method}",
        f"From: <sip:+15105550123@{INSIDE}>;tag=a",
        f"To: <sip:{DIALED}@127.0.0.1>{';tag=' if tag else ''}{tag}",
        "Call-ID: behind-a-nat",
        f"CSeq: {sequence} {method}",
        f"Contact: <sip:+15105550123@{INSIDE}:5060>",
        "Max-Forwards: 70",
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join([*lines, "", ""]) + body).encode()


async def _answered(edge: Lab) -> None:
    await until(lambda: any(state.status is Status.ACTIVE for state in edge.told))


async def _dial(edge: Lab, address: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
    info = api.SIPOutboundTrunkInfo(name=address, address=address, numbers=[DIALED], headers=headers)
    trunk = await edge.lk.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=info))
    request = api.CreateSIPParticipantRequest(
        sip_trunk_id=trunk.sip_trunk_id, sip_call_to="ana", room_name="dialed", wait_until_answered=True
    )
    await edge.lk.sip.create_sip_participant(request)
