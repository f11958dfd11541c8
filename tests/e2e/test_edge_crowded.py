"""Attackers who take places rather than scan: connections that say nothing, or slowly, or only half agree on TLS. A caller beside
them is heard all the while."""

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
from tests.e2e.edge_lab import Lab, lab, open_sockets
from tests.e2e.room_peer import RoomPeer
from tests.e2e.rtp_probe import RtpProbe
from tests.e2e.servers import LiveKit, free_port, until
from tests.e2e.sipp import Sipp

pytestmark = [pytest.mark.e2e, pytest.mark.long]


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
