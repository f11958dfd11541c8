"""Attackers who take places rather than scan: connections that say nothing, slowly or only half agree on TLS, and a peer who
storms within his own call. A caller beside them is heard all the while."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from gateway.net.door import OF_ONE, OF_STRANGERS
from gateway.net.sip_stream import CONNECTIONS
from tests.e2e.certificate import make_certificate
from tests.e2e.edge_lab import DIALED, PIN, Lab, lab, open_sockets
from tests.e2e.raw_caller import raw_caller
from tests.e2e.room_peer import RoomPeer
from tests.e2e.rtp_probe import RtpProbe, rtp_probe
from tests.e2e.servers import LiveKit, free_port, until
from tests.e2e.sipp import Sipp
from tests.fuzz.storm import GROWTH, Told, memory, stormy

pytestmark = [pytest.mark.e2e, pytest.mark.long]
HOSTILE = "127.0.0.91"


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Lab]:
    """An edge on UDP, TCP and TLS that trusts nobody; its callers have an address of their own."""
    certificate, port = make_certificate(tmp_path), free_port()
    tls = {"OFFHOOK_SIP_TLS_PORT": free_port(), "OFFHOOK_SIP_TLS_CERTIFICATE": certificate}
    more = {"OFFHOOK_SIP_TRUSTED": "", "OFFHOOK_SIP_PORT": port, "OFFHOOK_SIP_TCP_PORT": port, **tls}
    async with lab(tmp_path, *servers, **more) as made:
        made.local = "127.0.0.2"
        yield made
        await made.nothing_left()


@asynccontextmanager
async def talking(edge: Lab, number: int, transport: str = "UDP") -> AsyncIterator[tuple[RtpProbe, RoomPeer, Sipp]]:
    """A call whose two sides hear each other."""
    async with (
        edge.phone() as phone,
        edge.caller("call", rtp=phone.port, pause=20 if transport == "TCP" else 120, transport=transport) as caller,
        edge.agent(number) as agent,
    ):
        phone.tone = 440
        await agent.hears(440)
        await phone.hears(600)
        yield phone, agent, caller


def connected(there: tuple[str, int], source: str) -> socket.socket:
    """A connection from there that nobody has said anything on."""
    made = socket.socket()
    made.bind((source, 0))
    made.connect(there)
    made.setblocking(False)
    return made


@pytest.mark.timeout(120)
async def test_connections_that_only_take_places_keep_no_known_caller_out(edge: Lab) -> None:
    before = open_sockets()
    async with AsyncExitStack() as stack, talking(edge, 0) as (phone, agent, caller):
        ends = []
        for number in range(75):
            for transport in ("TCP", "TLS"):
                for _ in range(OF_ONE):
                    end = await asyncio.to_thread(connected, edge.at(transport), f"127.0.3.{1 + number}")
                    ends.append(stack.enter_context(end))
        for end in ends[:: OF_ONE // 2]:
            end.send(b"OPTIONS sip:")  # and no more, for ten seconds
        await until(lambda: CONNECTIONS._value.get() >= OF_STRANGERS - 50)
        # The caller is known by the call that goes on, and so may come by a connection, too.
        async with talking(edge, 1, "TCP"):
            pass
        assert len(ends) == 75 * 2 * OF_ONE
        assert open_sockets() - before - len(ends) <= 2.6 * OF_STRANGERS, "what the edge holds of 3,000"
        await agent.hears(440)
        await phone.hears(600)
        caller.go_on()
        await caller.ended()
    await until(lambda: CONNECTIONS._value.get() == 0, 30)


@pytest.mark.timeout(60)
async def test_strangers_whose_calls_only_ring_leave_places_to_who_is_known(
    servers: tuple[str, LiveKit], tmp_path: Path
) -> None:
    async with (
        lab(tmp_path, *servers, OFFHOOK_SIP_TRUSTED="", OFFHOOK_EDGE_CALLS=20) as edge,
        AsyncExitStack() as stack,
    ):
        edge.local = "127.0.0.2"
        async with talking(edge, 0) as (_, _, caller):
            strangers = [
                await stack.enter_async_context(raw_caller(edge.at("UDP"), DIALED, 9, f"127.0.4.{1 + number}"))
                for number in range(5)
            ]
            for one in strangers:
                one.invite()
            await until(lambda: sum(one.finals["INVITE", 503] for one in strangers) == 3)
            assert len(edge.edge.edge) == 3, "a tenth of the places is theirs"
            async with talking(edge, 3) as (_, _, second):
                second.go_on()
                await second.ended()
            for one in strangers:
                one.send("CANCEL", sequence=1, branch="rawINVITE1")
            await until(lambda: sum(one.finals["INVITE", 487] for one in strangers) == 2)
            caller.go_on()
            await caller.ended()
        await edge.nothing_left()


@pytest.mark.timeout(120)
async def test_a_peer_who_storms_within_his_call_harms_no_other(tmp_path: Path) -> None:
    """The peer is trusted, and so bound by nothing; each second he sends 210 messages."""
    told = Told()
    async with (
        stormy(tmp_path) as (edge, tape),
        rtp_probe(HOSTILE) as theirs,
        raw_caller(edge.address, PIN, theirs.port, HOSTILE) as hostile,
    ):
        hostile.invite()
        await asyncio.wait_for(hostile.answered.wait(), 20)
        before = memory(edge)
        tape.rewind()
        for number in range(300):
            hostile.again()
            hostile.again("UPDATE")
            hostile.send("INFO", headers="Content-Type: application/dtmf-relay\r\n", body="Signal=5\r\n")
            hostile.send("CANCEL", sequence=1, branch=f"none{number}")
            hostile.send("ACK", sequence=number)
            hostile.send("REFER", headers="Refer-To: <sip:+15105559999@127.0.0.1>\r\n")
            hostile.send("OPTIONS", headers="X-A: b\r\n" * 150)
            await asyncio.sleep(1 / 30)
        tape.judge(told)
        hostile.send("BYE")
        # By then the edge may have hung up, as a PIN was wrong for the third time.
        await until(lambda: hostile.finals["BYE", 200] or hostile.finals["BYE", 481])
        assert told.heard > 0.9, told.line()
        assert memory(edge) - before < GROWTH
        assert hostile.finals["REFER", 202] == 0
        assert hostile.finals["INVITE", 200] >= 1
        assert {code for method, code in hostile.finals if method == "CANCEL"} == {481}
