"""Calls over IPv6, and an edge that listens on both families: each call's media is of the family that its peer uses."""

from __future__ import annotations

import asyncio
import socket
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
from tests.e2e.sipp import Sipp, callee

pytestmark = pytest.mark.e2e
TRANSPORTS = {
    "UDP": api.SIPTransport.SIP_TRANSPORT_UDP,
    "TCP": api.SIPTransport.SIP_TRANSPORT_TCP,
    "TLS": api.SIPTransport.SIP_TRANSPORT_TLS,
}


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
    """A certificate for ::1 that vouches for itself, and its key, in one file."""
    file = tmp_path_factory.mktemp("tls") / "edge.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=edge", "-addext",
         "subjectAltName=IP:::1", "-keyout", file, "-out", file.with_suffix(".crt")],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path, certificate: Path) -> AsyncIterator[Lab]:
    """An edge on both families, with every transport; afterwards nothing may be left of any call."""
    ports = {"OFFHOOK_SIP_TCP_PORT": free_port(), "OFFHOOK_SIP_TLS_PORT": free_port()}
    tls = {"OFFHOOK_SIP_TLS_CERTIFICATE": certificate, "OFFHOOK_SIP_TLS_CA": certificate.with_suffix(".crt")}
    async with lab(tmp_path, *servers, OFFHOOK_SIP_HOST="127.0.0.1,::1", **ports, **tls) as made:
        yield made
        await made.nothing_left()
        assert rtp_ports() == set()


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
async def test_a_call_over_ipv6(edge: Lab, transport: str) -> None:
    async with (
        rtp_probe("::1") as phone,
        edge.caller("call", rtp=phone.port, pause=2, transport=transport, host="::1") as caller,
        edge.agent() as agent,
    ):
        phone.tone = 440
        await phone.hears(600)
        await agent.hears(440)
        await caller.ended()
    assert (await edge.end()).by is Party.CALLER
    port = edge.at(transport, "::1")[1]
    how = ";transport=tcp" if transport == "TCP" else ""
    assert f"Contact: <sip:[::1]:{port}{how}>" in caller.report()
    assert "c=IN IP6 ::1" in _answer(caller)


async def test_a_call_over_ipv6_that_we_end(edge: Lab) -> None:
    async with (
        rtp_probe("::1") as phone,
        edge.caller("hung_up_on", rtp=phone.port, host="::1") as caller,
        edge.agent(),
    ):
        await phone.hears(600)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))
        await caller.ended()
    port = edge.at("UDP", "::1")[1]
    assert f"Via: SIP/2.0/UDP [::1]:{port};" in caller.report(), "the BYE goes by the listener that the call came by"


@pytest.mark.parametrize(("signalling", "media"), [("127.0.0.1", "::1"), ("::1", "127.0.0.1"), ("::1", "::1")])
async def test_media_is_of_the_family_that_the_offer_uses(edge: Lab, signalling: str, media: str) -> None:
    async with (
        rtp_probe(media) as phone,
        edge.caller("call", rtp=phone.port, pause=2, host=signalling, media=media) as caller,
        edge.agent() as agent,
    ):
        phone.tone = 440
        await phone.hears(600)
        await agent.hears(440)
        await caller.ended()
    assert f"c=IN IP{6 if ':' in media else 4} {media}\n" in _answer(caller)


async def test_media_of_a_family_that_is_not_served_is_refused(servers: tuple[str, LiveKit], tmp_path: Path) -> None:
    async with lab(tmp_path, *servers, OFFHOOK_SIP_HOST="127.0.0.1") as edge:
        async with edge.caller("refused_at_once", rtp=4000, status="488", media="::1") as caller:
            await caller.ended()
        await edge.nothing_left()


@pytest.mark.parametrize(("host", "transport"), [("[::1]", "UDP"), ("[::1]", "TCP"), ("127.0.0.1", "UDP")])
async def test_we_call_with_an_offer_of_the_family_that_the_target_has(
    edge: Lab, tmp_path: Path, host: str, transport: str
) -> None:
    async with (
        rtp_probe(host.strip("[]")) as phone,
        callee(tmp_path / "callee", "callee_hung_up_on", rtp=phone.port, fill={"ring": "50"}, transport=transport,
               local=host.strip("[]")) as (sipp, port),
        room_peer(edge.livekit, "dialed") as agent,
    ):  # fmt: skip
        phone.tone = 440
        await _dial(edge, f"{host}:{port}", transport)
        await agent.hears(440)
        await phone.hears(600)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room="dialed"))
        await sipp.ended()
    ours = edge.at(transport, host.strip("[]"))[1]
    said = sipp.report()
    assert f"Via: SIP/2.0/{transport} {host}:{ours};" in said
    assert f'From: "{DIALED}" <sip:{DIALED}@{host}:{ours}>' in said
    assert f"Contact: <sip:{host}:{ours}" in said
    assert f"c=IN IP{6 if '[' in host else 4} {host.strip('[]')}" in said


async def test_a_name_s_next_address_may_be_of_the_other_family(
    edge: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A carrier with AAAA and A records whose IPv6 is out: the call goes on over IPv4, with an offer that fits."""
    loop = asyncio.get_running_loop()
    resolve = loop.getaddrinfo

    async def both(host: str, port: int, **more: int) -> list[tuple[object, ...]]:
        if host != "carrier.test":
            return await resolve(host, port, **more)  # type: ignore[return-value]
        kind = (socket.SOCK_DGRAM, 17, "")
        return [(socket.AF_INET6, *kind, ("::1", port, 0, 0)), (socket.AF_INET, *kind, ("127.0.0.1", port))]

    monkeypatch.setattr(loop, "getaddrinfo", both)
    async with (
        rtp_probe() as phone,
        callee(tmp_path / "callee", "callee_hung_up_on", rtp=phone.port, fill={"ring": "50"}) as (sipp, port),
        room_peer(edge.livekit, "dialed"),
    ):
        await _dial(edge, f"carrier.test:{port}", "UDP")
        await phone.hears(600)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room="dialed"))
        await sipp.ended()
    assert "c=IN IP4 127.0.0.1" in sipp.report()


async def test_a_call_over_tls_and_ipv6(edge: Lab, certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=certificate.with_suffix(".crt"))
    reader, writer = await asyncio.open_connection(*edge.at("TLS", "::1"), ssl=trusted, server_hostname="::1")
    writer.write(_invite(writer))
    async with asyncio.timeout(10), edge.agent():
        answer = b""
        while b"SIP/2.0 200" not in answer or b"a=rtpmap" not in answer:
            answer += await reader.read(4096)
    assert b"Contact: <sip:[::1]:" in answer
    assert b"c=IN IP6 ::1" in answer
    writer.close()
    await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))


async def test_baresip_calls_over_tls_and_ipv6(edge: Lab, certificate: Path, tmp_path: Path) -> None:
    dialed = f"sip:{DIALED}@[::1]:{edge.at('TLS', '::1')[1]}"
    async with (
        baresip(tmp_path / "baresip", dialed, certificate, certificate.with_suffix(".crt"), "::1") as phone,
        edge.agent() as agent,
    ):
        await agent.hears(440)
        await until(lambda: "incoming rtp for 'audio' established" in phone.said())
        await phone.hang_up()
        await until(lambda: agent.left)
    assert (await edge.end()).by is Party.CALLER


async def test_we_call_over_tls_and_ipv6(edge: Lab) -> None:
    """The edge itself is called; its certificate is for ::1, and not for 127.0.0.1."""
    async with room_peer(edge.livekit, "dialed"):
        for host, status in (("[::1]", "404"), ("127.0.0.1", "503")):
            port = edge.at("TLS", host.strip("[]"))[1]
            with pytest.raises(api.TwirpError) as refused:
                await _dial(edge, f"{host}:{port}", "TLS", UNKNOWN)
            assert refused.value.metadata["sip_status_code"] == status
    await edge.lk.room.delete_room(api.DeleteRoomRequest(room="dialed"))


async def _dial(edge: Lab, address: str, transport: str, whom: str = "ana") -> None:
    info = api.SIPOutboundTrunkInfo(
        name=f"{address} {transport}", address=address, numbers=[DIALED], transport=TRANSPORTS[transport]
    )
    trunk = await edge.lk.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=info))
    request = api.CreateSIPParticipantRequest(
        sip_trunk_id=trunk.sip_trunk_id, sip_call_to=whom, room_name="dialed", wait_until_answered=True
    )
    await edge.lk.sip.create_sip_participant(request)


def _answer(caller: Sipp) -> str:
    """The 200 to the INVITE, as SIPp wrote it down."""
    found = caller.report().replace("\r", "").partition("SIP/2.0 200 OK")[2]
    return found.partition("message sent")[0]


def _invite(writer: asyncio.StreamWriter) -> bytes:
    port = writer.get_extra_info("sockname")[1]
    body = "v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 0:0::1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
    return (
        f"INVITE sip:{DIALED}@[::1] SIP/2.0\r\nVia: SIP/2.0/TLS [::1]:{port};branch=z9hG4bK{port}\r\n"
        f"From: <sip:+15105550123@[::1]>;tag=a\r\nTo: <sip:{DIALED}@[::1]>\r\nCall-ID: {port}\r\n"
        f"CSeq: 1 INVITE\r\nContact: <sip:caller@[::1]:{port};transport=tls>\r\n"
        f"Max-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
