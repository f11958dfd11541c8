"""Calls over IPv6, and an edge that listens on both families: each call's media is of the family that its peer uses."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from livekit import api

from gateway.bus.callstate import Status
from gateway.terms.ending import Party
from tests.e2e import sipp_steps as steps
from tests.e2e.baresip import baresip
from tests.e2e.edge_lab import DIALED, UNKNOWN, Lab, lab, rtp_ports
from tests.e2e.room_peer import room_peer
from tests.e2e.rtp_probe import power, rtp_probe
from tests.e2e.servers import LiveKit, free_port, until
from tests.e2e.sipp import Sipp, callee

pytestmark = pytest.mark.e2e
UP = (steps.expect(180), steps.expect(200), steps.ack())
BYE = (steps.request("BYE"), steps.expect(200))
TRANSPORTS = {
    "UDP": api.SIPTransport.SIP_TRANSPORT_UDP,
    "TCP": api.SIPTransport.SIP_TRANSPORT_TCP,
    "TLS": api.SIPTransport.SIP_TRANSPORT_TLS,
}


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
        edge.caller("call", rtp=phone.port, pause=9, host=signalling, media=media) as caller,
        edge.agent() as agent,
    ):
        phone.tone = 440
        await phone.hears(600)
        await agent.hears(440)
        caller.go_on()
        await caller.ended()
    assert f"c=IN IP{6 if ':' in media else 4} {media}\n" in _answer(caller)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize(("before", "after"), [("127.0.0.1", "::1"), ("::1", "127.0.0.1")])
async def test_media_moves_to_the_other_family(edge: Lab, method: str, before: str, after: str) -> None:
    async with rtp_probe(before) as first, rtp_probe(after) as second:
        first.tone, second.tone = 440, 1000
        moved = steps.request(method, body=steps.sdp(host=after, port=second.port, version=2))
        made = steps.scenario(
            *(steps.invite(body=steps.sdp(host=before)), *UP, steps.until_told(), moved),
            *(steps.expect(200, f"c=IN IP{6 if ':' in after else 4} {after}"), *([steps.ack()] if method == "INVITE" else [])),
            *(steps.until_told(), *BYE),
        )  # fmt: skip
        async with edge.caller(made, rtp=first.port) as caller, edge.agent() as agent:
            await first.hears(600)
            await agent.hears(440)
            caller.go_on()
            was = rtp_ports()
            await second.hears(600)
            await agent.hears(1000)
            assert len(rtp_ports() - was) == len(rtp_ports()) == 2, (
                "the first ports, of media and reports, are free again"
            )
            caller.go_on()
            silent = len(first.heard)
            await caller.ended()
            assert len(first.heard) == silent
    assert (await edge.end()).by is Party.CALLER


async def test_media_stays_where_it_is_when_the_other_family_is_not_served(
    servers: tuple[str, LiveKit], tmp_path: Path
) -> None:
    moved = steps.request("INVITE", body=steps.sdp(host="::1", version=2))
    made = steps.scenario(steps.invite(), *UP, moved, steps.refused(488), steps.pause(1.0), *BYE)
    async with lab(tmp_path, *servers, OFFHOOK_SIP_HOST="127.0.0.1") as edge:
        async with rtp_probe() as phone, edge.caller(made, rtp=phone.port) as caller, edge.agent():
            await until(lambda: "SIP/2.0 488" in caller.report())
            await phone.hears(600)
            await caller.ended()
        await edge.nothing_left()


async def test_ipv4_media_behind_a_nat_of_a_caller_who_signals_over_ipv6(edge: Lab) -> None:
    """Nothing tells what its NAT's address is; the first sender is it, for good."""
    made = steps.scenario(steps.invite(body=steps.sdp(host="10.11.12.13")), *UP, steps.until_told(), *BYE)
    async with (
        rtp_probe() as phone,
        rtp_probe() as other,
        edge.caller(made, rtp=phone.port, host="::1") as caller,
        edge.agent() as agent,
    ):
        await until(lambda: any(state.status is Status.ACTIVE for state in edge.told))
        assert not phone.heard, "its SDP leads nowhere until it speaks"
        phone.tone, other.tone = 440, 1000
        phone.peer = ("127.0.0.1", min(rtp_ports()))
        await phone.hears(600)
        other.peer = phone.peer
        await agent.hears(440)
        caller.go_on()
        await caller.ended()
    assert not other.heard


async def test_ipv4_media_at_an_address_of_the_internet_is_taken_from_nobody_else(edge: Lab) -> None:
    made = steps.scenario(steps.invite(body=steps.sdp(host="8.8.8.8")), *UP, steps.pause(), *BYE)
    async with (
        rtp_probe() as other,
        edge.caller(made, rtp=9, pause=1.5, host="::1") as caller,
        edge.agent() as agent,
    ):
        await until(lambda: any(state.status is Status.ACTIVE for state in edge.told))
        other.tone = 1000
        other.peer = ("127.0.0.1", min(rtp_ports()))
        await caller.ended()
    assert not other.heard
    assert power(agent.last(0.5), 1000) < 0.1


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


async def test_baresip_signals_over_ipv6_and_has_ipv4_media(edge: Lab, certificate: Path, tmp_path: Path) -> None:
    """Its SDP names an address of this machine from which it doesn't send: as from behind a NAT."""
    dialed = f"sip:{DIALED}@[::1]:{edge.at('TLS', '::1')[1]}"
    authority = certificate.with_suffix(".crt")
    async with (
        baresip(tmp_path / "baresip", dialed, certificate, authority, "::1", prefer_ipv6=False) as phone,
        edge.agent() as agent,
    ):
        await agent.hears(440)
        await until(lambda: "incoming rtp for 'audio' established" in phone.said())
        await phone.hang_up()
        await until(lambda: agent.left)
    assert (await edge.end()).by is Party.CALLER


async def test_a_sips_call_over_tls_and_ipv6(edge: Lab, certificate: Path) -> None:
    """The Contact stays sips: when the call is refreshed, too; and no sip: call takes its place."""
    trusted = ssl.create_default_context(cafile=certificate.with_suffix(".crt"))
    reader, writer = await asyncio.open_connection(*edge.at("TLS", "::1"), ssl=trusted, server_hostname="::1")
    writer.write(_invite(writer).replace(b"INVITE sip:", b"INVITE sips:"))
    ours = b"Contact: <sips:[::1]:%d>" % edge.at("TLS", "::1")[1]
    async with asyncio.timeout(10), edge.agent():
        answer = b""
        while b"SIP/2.0 200" not in answer or b"a=rtpmap" not in answer:
            answer += await reader.read(4096)
        assert answer.count(ours) == answer.count(b"Contact:") == 2, "in the 180 and in the 200"
        tag = re.findall(rb"To: .*;tag=(\S+)", answer)[-1]
        writer.write(_in_dialog(writer, "ACK", 1, tag))
        writer.write(_in_dialog(writer, "UPDATE", 2, tag))
        answer = b""
        while b"CSeq: 2 UPDATE" not in answer or not answer.endswith(b"\r\n\r\n"):
            answer += await reader.read(4096)
        assert ours in answer, "though the Request-URI is sip: now"
        port = b"%d" % writer.get_extra_info("sockname")[1]
        named = b"Call-ID: second\r\nReplaces: " + port + b";to-tag=" + tag + b";from-tag=a\r\n"
        writer.write(_invite(writer).replace(b"Call-ID: " + port + b"\r\n", named).replace(b"z9hG4bK", b"z9hG4bKtoo"))
        answer = b""
        while b"Call-ID: second" not in answer.rpartition(b"SIP/2.0 4")[2] or not answer.endswith(b"\r\n\r\n"):
            answer += await reader.read(4096)
        assert b"SIP/2.0 403" in answer
    writer.close()
    await edge.lk.room.delete_room(api.DeleteRoomRequest(room=await edge.room()))


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
async def test_a_sips_call_by_another_transport_is_refused(edge: Lab, transport: str) -> None:
    first = steps.scenario(steps.invite(), steps.refused(480, 'Warning: 380 .* "SIPS Not Allowed"'))
    made = first.replace("INVITE sip:", "INVITE sips:", 1)
    async with edge.caller(made, transport=transport) as caller:
        await caller.ended()


@pytest.mark.parametrize("scheme", ["sip", "sips"])
async def test_we_call_a_sips_address(edge: Lab, certificate: Path, scheme: str) -> None:
    heard: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(10):
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            kept = re.findall(rb"(?m)^(?:Via|From|To|Call-ID|CSeq): .*\r\n", heard[0])
            writer.write(b"SIP/2.0 486 Busy Here\r\n" + b"".join(kept) + b"Content-Length: 0\r\n\r\n")
            await reader.read()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with await asyncio.start_server(refuse, "::1", ssl=context) as server, room_peer(edge.livekit, "dialed"):
        target = f"{scheme}:ana@[::1]:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(api.TwirpError) as refused:
            await _dial(edge, "[::1]", "TLS", uri=target)
        assert refused.value.metadata["sip_status_code"] == "486"
    await edge.lk.room.delete_room(api.DeleteRoomRequest(room="dialed"))
    assert heard[0].startswith(f"INVITE {target} SIP/2.0\r\n".encode())
    how = "" if scheme == "sips" else ";transport=tls"
    assert f"Contact: <{scheme}:[::1]:{edge.at('TLS', '::1')[1]}{how}>\r\n".encode() in heard[0]


async def test_we_call_over_tls_and_ipv6(edge: Lab) -> None:
    """The edge itself is called; its certificate is for ::1, and not for 127.0.0.1."""
    async with room_peer(edge.livekit, "dialed"):
        for host, status in (("[::1]", "404"), ("127.0.0.1", "503")):
            port = edge.at("TLS", host.strip("[]"))[1]
            with pytest.raises(api.TwirpError) as refused:
                await _dial(edge, f"{host}:{port}", "TLS", UNKNOWN)
            assert refused.value.metadata["sip_status_code"] == status
    await edge.lk.room.delete_room(api.DeleteRoomRequest(room="dialed"))


async def _dial(edge: Lab, address: str, transport: str, whom: str = "ana", uri: str = "") -> None:
    info = api.SIPOutboundTrunkInfo(
        name=f"{address} {transport}", address=address, numbers=[DIALED], transport=TRANSPORTS[transport]
    )
    trunk = await edge.lk.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=info))
    request = api.CreateSIPParticipantRequest(
        sip_trunk_id=trunk.sip_trunk_id, sip_call_to=whom, room_name="dialed", wait_until_answered=True
    )
    if uri:
        request.sip_request_uri.raw = uri
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


def _in_dialog(writer: asyncio.StreamWriter, method: str, sequence: int, tag: bytes) -> bytes:
    port = writer.get_extra_info("sockname")[1]
    return (
        f"{method} sip:[::1] SIP/2.0\r\nVia: SIP/2.0/TLS [::1]:{port};branch=z9hG4bK{port}{sequence}\r\n"
        f"From: <sip:+15105550123@[::1]>;tag=a\r\nTo: <sip:{DIALED}@[::1]>;tag={tag.decode()}\r\nCall-ID: {port}\r\n"
        f"CSeq: {sequence} {method}\r\nContact: <sip:caller@[::1]:{port};transport=tls>\r\n"
        "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()
