"""Calls over TCP and TLS, both ways."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from livekit import api

from gateway.terms.ending import Party
from tests.e2e.baresip import baresip
from tests.e2e.edge_lab import DIALED, UNKNOWN, Lab, lab, make_trunks, rtp_ports
from tests.e2e.room_peer import room_peer
from tests.e2e.rtp_probe import rtp_probe
from tests.e2e.servers import LiveKit, free_port, livekit_server, redis_server, until
from tests.e2e.sipp import callee

pytestmark = pytest.mark.e2e


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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that vouches for itself, and its key, in one file."""
    file = tmp_path_factory.mktemp("tls") / "edge.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=edge", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", file, "-out", file.with_suffix(".crt")],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path, certificate: Path) -> AsyncIterator[Lab]:
    """An edge on UDP, TCP and TLS; afterwards nothing may be left of any call."""
    ports = {"OFFHOOK_SIP_TCP_PORT": free_port(), "OFFHOOK_SIP_TLS_PORT": free_port()}
    tls = {"OFFHOOK_SIP_TLS_CERTIFICATE": certificate, "OFFHOOK_SIP_TLS_CA": certificate.with_suffix(".crt")}
    async with lab(tmp_path, *servers, **ports, **tls) as made:
        yield made
        await made.nothing_left()
        assert rtp_ports() == set()


async def test_a_call_over_tcp(edge: Lab) -> None:
    async with (
        rtp_probe() as phone,
        edge.caller("call", rtp=phone.port, pause=2, transport="TCP") as caller,
        edge.agent() as agent,
    ):
        phone.tone = 440
        await phone.hears(600)
        await agent.hears(440)
        await caller.ended()
    assert (await edge.end()).by is Party.CALLER
    assert caller.report().count("INVITE sip:") == 1, "nothing is repeated that TCP delivers"


async def test_a_call_over_tcp_that_we_end(edge: Lab) -> None:
    async with (
        rtp_probe() as phone,
        edge.caller("hung_up_on", rtp=phone.port, transport="TCP") as caller,
        edge.agent(),
    ):
        await phone.hears(600)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()


async def test_what_is_refused_and_cancelled_over_tcp(edge: Lab) -> None:
    async with edge.caller("refused_at_once", UNKNOWN, rtp=9, status="404", transport="TCP") as caller:
        await caller.ended(within=3)
    async with edge.caller("cancelled", rtp=9, pause=0.2, transport="TCP") as caller:
        await caller.ended()


async def test_we_call_over_tcp(edge: Lab, tmp_path: Path) -> None:
    async with (
        rtp_probe() as phone,
        callee(tmp_path / "callee", "callee_hung_up_on", rtp=phone.port, fill={"ring": "50"}, transport="TCP") as (
            sipp,
            port,
        ),
        room_peer(edge.livekit, "dialed-tcp") as agent,
    ):
        phone.tone = 440
        info = api.SIPOutboundTrunkInfo(
            name="tcp", address=f"127.0.0.1:{port}", numbers=[DIALED], transport=api.SIPTransport.SIP_TRANSPORT_TCP
        )
        trunk = await edge.lk.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=info))
        request = api.CreateSIPParticipantRequest(
            sip_trunk_id=trunk.sip_trunk_id, sip_call_to="ana", room_name="dialed-tcp", wait_until_answered=True
        )
        await edge.lk.sip.create_sip_participant(request)
        await agent.hears(440)
        await phone.hears(600)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room="dialed-tcp"))
        await sipp.ended()


async def test_a_connection_that_breaks_gives_a_ringing_call_up(edge: Lab) -> None:
    reader, writer = await asyncio.open_connection(*edge.edge.edge.drivers["TCP"].address)
    writer.write(_invite(writer, "TCP"))
    await until(lambda: len(edge.rooms()) == 1)
    writer.close()
    assert (await edge.end()).by is Party.NETWORK
    del reader


async def test_a_call_over_tls_and_a_keep_alive(edge: Lab, certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=certificate.with_suffix(".crt"))
    where = edge.edge.edge.drivers["TLS"].address
    reader, writer = await asyncio.open_connection(*where, ssl=trusted, server_hostname="localhost")
    writer.write(b"\r\n\r\n")
    assert await asyncio.wait_for(reader.readexactly(2), 3) == b"\r\n"
    writer.write(_invite(writer, "TLS"))
    async with asyncio.timeout(10), edge.agent():
        answer = b""
        while b"SIP/2.0 200" not in answer or b"a=rtpmap" not in answer:
            answer += await reader.read(4096)
    assert b"SIP/2.0 180" in answer
    assert b";transport=tls>" in answer
    writer.close()
    room = await edge.room()
    await edge.lk.room.delete_room(api.DeleteRoomRequest(room=room))


async def test_we_call_over_tls_only_whom_we_can_trust(edge: Lab, certificate: Path, tmp_path: Path) -> None:
    async with room_peer(edge.livekit, "dialed-tls"):
        ours = edge.edge.edge.drivers["TLS"].address[1]
        for host, status in (("localhost", "404"), ("127.0.0.1", "503")):
            # The edge itself is called: its certificate is for localhost, whatever address that has.
            info = api.SIPOutboundTrunkInfo(
                name=host, address=f"{host}:{ours}", numbers=[DIALED], transport=api.SIPTransport.SIP_TRANSPORT_TLS
            )
            trunk = await edge.lk.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=info))
            request = api.CreateSIPParticipantRequest(
                sip_trunk_id=trunk.sip_trunk_id, sip_call_to=UNKNOWN, room_name="dialed-tls", wait_until_answered=True
            )
            with pytest.raises(api.TwirpError) as refused:
                await edge.lk.sip.create_sip_participant(request)
            assert refused.value.metadata["sip_status_code"] == status
    await edge.lk.room.delete_room(api.DeleteRoomRequest(room="dialed-tls"))


async def test_baresip_calls_over_tls(edge: Lab, certificate: Path, tmp_path: Path) -> None:
    port = edge.edge.edge.drivers["TLS"].address[1]
    dialed = f"sip:{DIALED}@127.0.0.1:{port}"
    async with baresip(tmp_path / "baresip", dialed, certificate) as phone, edge.agent() as agent:
        await agent.hears(440)
        await until(lambda: "incoming rtp for 'audio' established" in phone.said())
        await phone.hang_up()
        await until(lambda: agent.left)
    assert (await edge.end()).by is Party.CALLER


def _invite(writer: asyncio.StreamWriter, transport: str) -> bytes:
    host, port = writer.get_extra_info("sockname")[:2]
    body = f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
    return (
        f"INVITE sip:{DIALED}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} {host}:{port};branch=z9hG4bK{port}\r\n"
        f"From: <sip:+15105550123@{host}>;tag=a\r\nTo: <sip:{DIALED}@127.0.0.1>\r\nCall-ID: {port}@{host}\r\n"
        f"CSeq: 1 INVITE\r\nContact: <sip:caller@{host}:{port};transport={transport.lower()}>\r\n"
        f"Max-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
