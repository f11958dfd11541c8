"""Strangers at the edge: scanners, guessers and floods nobody here wrote, while calls go on (sipvicious, sipsak)."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from livekit import api
from structlog.testing import capture_logs

from gateway.net import warden
from gateway.rtp.session import SPARED
from gateway.sip.digest import choose
from tests.bench import flood
from tests.e2e.edge_lab import GUARDED, PIN, Lab, lab
from tests.e2e.servers import LiveKit, until
from tests.e2e.sipp import hostport

pytestmark = pytest.mark.e2e
SCANNER, GUESSER, ALLOWED, FORGED = "127.0.0.66", "127.0.0.67", "127.0.0.68", "127.0.0.72"


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Lab]:
    """An edge that trusts nobody; its callers have an address of their own, apart from the attackers'."""
    async with lab(tmp_path, *servers, OFFHOOK_SIP_TRUSTED="") as made:
        made.local = "127.0.0.2"
        yield made
        await made.nothing_left()


async def run(*command: str, within: float = 30.0) -> str:
    """What a program has printed; it is ended after `within` seconds."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(within):
            printed, _ = await process.communicate()
        return printed.decode(errors="replace")
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""


def dropped() -> float:
    return float(warden.DROPPED.labels("shut out")._value.get())


async def a_call(edge: Lab, number: int) -> None:
    """A caller who is answered and hears the agent."""
    async with edge.phone() as phone, edge.caller("call", rtp=phone.port, pause=20) as caller, edge.agent(number):
        await phone.hears(600)
        caller.go_on()
        await caller.ended()


async def test_scanners_get_silence_and_callers_don_t(edge: Lab) -> None:
    await a_call(edge, 0)
    host, port = edge.at("UDP")
    with capture_logs() as logs:
        for tool in (*[("svmap", "--first=5")] * 3, ("svwar", "-e100-120", "-m", "INVITE", "--force")):
            printed = await run(*tool, "-b", SCANNER, "-p", str(port), host)
            assert "SIP Device" not in printed, printed
            assert not re.search(r"\| 1[0-9]{2} ", printed), printed
    told = [(one["source"], one["why"]) for one in logs if one["event"] == "sip.shut_out"]
    assert {why for _, why in told} == {"it scans"}
    assert len(told) == len(set(told)), "each is told of once"
    await a_call(edge, 1)


async def test_a_flood_is_cut_off_while_callers_call(edge: Lab) -> None:
    await a_call(edge, 0)
    before = dropped()
    flood = asyncio.create_task(run("sipsak", "-F", "-s", f"sip:x@{hostport(edge.at('UDP'))}", within=8.0))
    await until(lambda: dropped() > before + 1000)
    await a_call(edge, 1)
    await flood


async def test_who_guesses_passwords_is_soon_not_answered_any_more(edge: Lab) -> None:
    guesser, answers = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), []
    guesser.bind((GUESSER, 0))
    guesser.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        with capture_logs() as logs:
            for number in range(30):
                guesser.sendto(_guess(guesser.getsockname(), edge.at("UDP"), number), edge.at("UDP"))
                try:
                    async with asyncio.timeout(0.7):
                        while True:
                            data = await loop.sock_recv(guesser, 4096)
                            if f"Call-ID: guess-{number}@".encode() in data and not data.startswith(b"SIP/2.0 100"):
                                answers.append(data[8:11].decode())
                                break
                except TimeoutError:
                    break
        assert 3 <= len(answers) <= 20, answers
        assert set(answers) <= {"403", "407"}
        assert [one["why"] for one in logs if one["event"] == "sip.shut_out"] == ["it guesses"]
        assert not re.search(r"[0-9a-f]{32}|nonce|Digest|guess-|\d{8,}", str(logs)), "nothing of what was guessed"
    finally:
        guesser.close()


async def test_who_never_acknowledges_an_answer_is_sent_a_second_of_it_and_stays_a_stranger(edge: Lab) -> None:
    caller, media = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for each in (caller, media):
        each.bind((FORGED, 0))
        each.setblocking(False)
    sip = edge.edge.edge.drivers["UDP"]
    try:
        caller.sendto(_request("INVITE", caller, edge, media.getsockname()[1]), edge.at("UDP"))
        async with asyncio.timeout(10):
            while not (ok := await asyncio.get_running_loop().sock_recv(caller, 4096)).startswith(b"SIP/2.0 200"):
                pass
        assert len(await _heard(media)) in range(40, SPARED + 1)
        assert not sip.warden.knows((FORGED, 5060))
        [call] = edge.edge.edge._calls.values()
        assert call.stranger
        found = re.search(rb"To:.*;tag=([\w.-]+)", ok)
        assert found
        caller.sendto(_request("ACK", caller, edge, 0, found[1].decode()), edge.at("UDP"))
        async with asyncio.timeout(10):
            for _ in range(2 * SPARED):
                await asyncio.get_running_loop().sock_recv(media, 4096)
        assert sip.warden.knows((FORGED, 5060))
        assert not call.stranger
        caller.sendto(_request("BYE", caller, edge, 0, found[1].decode()), edge.at("UDP"))
        await edge.nothing_left()
    finally:
        caller.close()
        media.close()


async def test_a_carrier_that_signs_in_does_so_beside_a_flood_and_is_known_at_once(edge: Lab) -> None:
    carrier, flood = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    carrier.bind((FORGED, 0))
    flood.bind((SCANNER, 0))
    carrier.setblocking(False)
    sip = edge.edge.edge.drivers["UDP"]
    try:
        carrier.sendto(_guarded(carrier, edge), edge.at("UDP"))
        asked = await _final(carrier)
        assert asked.startswith("SIP/2.0 407")
        for number in range(30):  # the strangers' ration is used up
            flood.sendto(_guess(flood.getsockname(), edge.at("UDP"), number), edge.at("UDP"))
        challenge = choose(re.findall(r"Proxy-Authenticate: (.*)\r", asked))
        assert challenge is not None
        proof = challenge.answer("INVITE", f"sip:{GUARDED}@{hostport(edge.at('UDP'))}", "user", "password", "c")
        carrier.sendto(_guarded(carrier, edge, f"Proxy-Authorization: {proof}\r\n"), edge.at("UDP"))
        assert (await _final(carrier)).startswith("SIP/2.0 488"), "there is no media in its offer"
        assert sip.warden.knows((FORGED, 5060))
        assert not sip.warden.knows((SCANNER, 5060))
    finally:
        carrier.close()
        flood.close()


async def _final(carrier: socket.socket) -> str:
    async with asyncio.timeout(10):
        while (got := await asyncio.get_running_loop().sock_recv(carrier, 4096)).startswith(b"SIP/2.0 1"):
            pass
    return got.decode()


def _guarded(carrier: socket.socket, edge: Lab, proof: str = "") -> bytes:
    us, to, body = (
        hostport(carrier.getsockname()),
        hostport(edge.at("UDP")),
        "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nt=0 0\r\n",
    )
    number = 2 if proof else 1
    return (
        f"INVITE sip:{GUARDED}@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bKcarrier{number};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:user@{us}>;tag=c\r\nTo: <sip:{GUARDED}@{to}>\r\n{proof}"
        f"Call-ID: carrier@{us}\r\nCSeq: {number} INVITE\r\nContact: <sip:user@{us}>\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def _heard(media: socket.socket) -> list[bytes]:
    """Packets up to where none comes for half a second."""
    found = []
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0.5 if found else 5.0):
                found.append(await asyncio.get_running_loop().sock_recv(media, 4096))
    return found


def _request(method: str, caller: socket.socket, edge: Lab, media: int, tag: str = "") -> bytes:
    """One of a call to the number with a PIN, which the edge answers itself."""
    us, to = hostport(caller.getsockname()), hostport(edge.at("UDP"))
    body = f"v=0\r\no=- 1 1 IN IP4 {FORGED}\r\ns=-\r\nc=IN IP4 {FORGED}\r\nt=0 0\r\nm=audio {media} RTP/AVP 0\r\n"
    said, number = (body, "1") if method == "INVITE" else ("", "2" if method == "BYE" else "1")
    return (
        f"{method} sip:{PIN}@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{method};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:a@{us}>;tag=a\r\nTo: <sip:{PIN}@{to}>{f';tag={tag}' if tag else ''}\r\n"
        f"Call-ID: forged@{us}\r\nCSeq: {number} {method}\r\nContact: <sip:a@{us}>\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(said)}\r\n\r\n{said}"
    ).encode()


@pytest.mark.long
@pytest.mark.timeout(200)
def test_ten_times_as_much_from_strangers_as_from_callers_costs_no_call() -> None:
    """How long calls take to set up meanwhile is for the bench to say: this machine does much else."""
    found = {each.name: each for each in flood.measure(10.0)}
    failed = found["calls that failed in a flood"]
    assert failed.met, found
    assert failed.samples == 600


@pytest.mark.long
async def test_whom_a_trunk_allows_may_send_any_number(servers: tuple[str, LiveKit], tmp_path: Path) -> None:
    async with servers[1].api() as lk:
        allowed = api.SIPInboundTrunkInfo(name="allowed", numbers=["+15105557777"], allowed_addresses=[ALLOWED])
        made = await lk.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=allowed))
        try:
            async with lab(tmp_path, *servers, OFFHOOK_SIP_TRUSTED="") as edge:
                # The trunks are looked at as the edge starts, and livekit-server has answered long before that.
                await asyncio.sleep(1.0)
                assert await _answered(ALLOWED, edge.at("UDP"), 400) == 400
                assert await _answered("127.0.0.69", edge.at("UDP"), 400) < 300
        finally:
            await lk.sip.delete_trunk(api.DeleteSIPTrunkRequest(sip_trunk_id=made.sip_trunk_id))


async def _answered(source: str, there: tuple[str, int], questions: int) -> int:
    """How many of that many OPTIONS, sent twenty at a time, were answered."""
    asking, answers = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0
    asking.bind((source, 0))
    asking.setblocking(False)
    us, to, loop = hostport(asking.getsockname()), hostport(there), asyncio.get_running_loop()
    try:
        for number in range(questions):
            asking.sendto(
                f"OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bKask{number};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:a@{us}>;tag=a\r\nTo: <sip:{to}>\r\n"
                f"Call-ID: ask{number}@{source}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n".encode(),
                there,
            )
            if number % 20 == 19:
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        for _ in range(20):
                            answers += (await loop.sock_recv(asking, 4096)).startswith(b"SIP/2.0 200")
    finally:
        asking.close()
    return answers


def _guess(here: tuple[str, int], there: tuple[str, int], number: int) -> bytes:
    us, to, body = hostport(here), hostport(there), "v=0\r\no=- 1 1 IN IP4 127.0.0.67\r\ns=-\r\nt=0 0\r\n"
    proof = f'username="user", realm="x", nonce="n{number}", uri="sip:{to}", response="{number:032x}", algorithm=MD5'
    return (
        f"INVITE sip:{GUARDED}@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bKguess{number};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:user@{us}>;tag=g{number}\r\nTo: <sip:{GUARDED}@{to}>\r\n"
        f"Call-ID: guess-{number}@storm\r\nCSeq: 1 INVITE\r\nContact: <sip:user@{us}>\r\n"
        f"Proxy-Authorization: Digest {proof}\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
