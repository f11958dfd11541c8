"""Calls over TCP and TLS, both ways."""

from __future__ import annotations

import asyncio
import re
import ssl
from pathlib import Path

import pytest
from livekit import api

from gateway.rtp.codec import WIDE
from gateway.terms.ending import Party
from tests.contract.sip.differences import differs
from tests.e2e.dialer import Dialer
from tests.e2e.rtp_probe import LISTENING, mostly
from tests.e2e.servers import until
from tests.e2e.sip_lab import SipLab
from tests.e2e.sipp import hostport

pytestmark = pytest.mark.e2e


@pytest.mark.usefixtures("tcp")
async def test_a_call_over_tcp(edge: SipLab) -> None:
    async with (
        edge.phone() as phone,
        edge.caller("call", rtp=phone.port, pause=2, transport="TCP") as caller,
        edge.agent() as agent,
    ):
        phone.tone = 440
        await phone.hears(600)
        await agent.hears(440)
        await caller.ended()
    assert (await edge.end()).by is Party.CALLER
    assert caller.report().count("INVITE sip:") == 1, "nothing is repeated that TCP delivers"


@pytest.mark.usefixtures("tcp")
async def test_a_call_over_tcp_that_we_end(edge: SipLab) -> None:
    async with (
        edge.phone() as phone,
        edge.caller("hung_up_on", rtp=phone.port, transport="TCP") as caller,
        edge.agent(),
    ):
        await phone.hears(600)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()


@differs("no codec in common")
@pytest.mark.usefixtures("tcp")
async def test_a_call_over_tcp_that_is_refused(edge: SipLab) -> None:
    async with edge.caller("refused_at_once", rtp=9, formats="18 101", status="488", transport="TCP") as caller:
        await caller.ended(within=3)


@pytest.mark.usefixtures("tcp")
async def test_a_call_over_tcp_that_is_cancelled(edge: SipLab) -> None:
    async with edge.caller("cancelled", rtp=9, pause=0.2, transport="TCP") as caller:
        await caller.ended()


async def test_we_call_over_tcp(dialer: Dialer) -> None:
    edge = dialer.edge
    async with (
        edge.phone() as phone,
        dialer.callee("callee_hung_up_on", rtp=phone.port, ring="50", transport="TCP") as (sipp, port),
        dialer.room() as agent,
    ):
        phone.tone = 440
        trunk = await dialer.trunk(port, transport=api.SIPTransport.SIP_TRANSPORT_TCP)
        await dialer.dial(trunk)
        await agent.hears(440)
        await phone.hears(600)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=dialer.name))
        await sipp.ended()


@differs("a connection that breaks while a call rings")
@pytest.mark.usefixtures("tcp")
async def test_a_connection_that_breaks_gives_a_ringing_call_up(edge: SipLab) -> None:
    reader, writer = await asyncio.open_connection(*edge.addresses["TCP"])
    writer.write(_invite(writer, "TCP", edge.numbers.open))
    await until(lambda: len(edge.rooms()) == 1)
    writer.close()
    assert (await edge.end()).by is Party.NETWORK
    del reader


@differs("a keep-alive (RFC 5626)")
@pytest.mark.usefixtures("tls")
async def test_a_keep_alive_over_tls(edge: SipLab, authority: Path) -> None:
    reader, writer = await _secured(edge, authority)
    writer.write(b"\r\n\r\n")
    assert await asyncio.wait_for(reader.readexactly(2), 3) == b"\r\n"
    writer.close()


@pytest.mark.usefixtures("tls")
@pytest.mark.parametrize(
    ("scheme", "contact"),
    [(b"sip", rb"sip:\S+;transport=tls"), pytest.param(b"sips", rb"sips:[^;]+", marks=differs("sips:, inbound"))],
)
async def test_a_call_over_tls(edge: SipLab, authority: Path, scheme: bytes, contact: bytes) -> None:
    reader, writer = await _secured(edge, authority)
    writer.write(_invite(writer, "TLS", edge.numbers.open).replace(b"INVITE sip:", b"INVITE %s:" % scheme))
    async with asyncio.timeout(10), edge.agent():
        answer = b""
        while b"SIP/2.0 200" not in answer or b"a=rtpmap" not in answer:
            answer += await reader.read(4096)
    assert b"SIP/2.0 180" in answer
    assert re.fullmatch(contact, re.findall(rb"Contact: <([^>]+)>", answer)[-1])
    writer.close()
    room = await edge.room()
    await edge.lk.room.delete_room(api.DeleteRoomRequest(room=room))


@pytest.mark.usefixtures("tls")
async def test_baresip_calls_over_tls(edge: SipLab, certificate: Path, authority: Path) -> None:
    async with edge.baresip(certificate, authority) as phone, edge.agent() as agent:
        await agent.hears(440)
        await until(lambda: "incoming rtp for 'audio' established" in phone.said())
        await phone.hang_up()
        await until(lambda: agent.left)
    assert (await edge.end()).by is Party.CALLER


@pytest.mark.usefixtures("tls")
async def test_baresip_is_heard_and_hears_in_g722_above_a_telephone_s_range(
    edge: SipLab, certificate: Path, authority: Path
) -> None:
    async with (
        edge.baresip(certificate, authority, codec="g722", tone=5200.0, listen=True) as phone,
        edge.agent(tone=5600.0, rate=WIDE) as agent,
    ):
        await agent.hears(5200)
        await until(lambda: mostly(phone.heard()[-WIDE // 2 :], 5600, WIDE), 20.0, LISTENING)
        await phone.hang_up()
        await until(lambda: agent.left)
    assert (await edge.end()).by is Party.CALLER


async def _secured(edge: SipLab, authority: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    trusted = ssl.create_default_context(cafile=authority)
    trusted.check_hostname = False  # it is reached by address
    return await asyncio.open_connection(*edge.addresses["TLS"], ssl=trusted)


def _invite(writer: asyncio.StreamWriter, transport: str, dialed: str) -> bytes:
    address = writer.get_extra_info("sockname")[:2]
    host, port = address
    own = hostport(address)
    kind = "IP6" if ":" in host else "IP4"
    body = f"v=0\r\no=- 1 1 IN {kind} {host}\r\ns=-\r\nc=IN {kind} {host}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
    return (
        f"INVITE sip:{dialed}@{own} SIP/2.0\r\nVia: SIP/2.0/{transport} {own};branch=z9hG4bK{port}\r\n"
        f"From: <sip:+15105550123@{own}>;tag=a\r\nTo: <sip:{dialed}@{own}>\r\nCall-ID: {port}-contract\r\n"
        f"CSeq: 1 INVITE\r\nContact: <sip:caller@{own};transport={transport.lower()}>\r\n"
        f"Max-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
