"""The edge on real servers, in this process, so that a test can look for what it leaves behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path

from livekit import api

from gateway.app.edge import Running, running
from gateway.bus.callstate import CallState, Status, states
from gateway.config import Settings
from gateway.terms.personal import Number
from tests.e2e.room_peer import RoomPeer, room_peer
from tests.e2e.servers import RTP_PORTS, LiveKit, until
from tests.e2e.sipp import Sipp, sipp

DIALED = "+15105550100"
GUARDED = "+15105550200"
PIN = "+15105550300"
QUICK = "+15105550400"
"""Rings 2 s at most, and lasts 3 s at most."""
UNKNOWN = "+15105559999"
ALL_CODECS = "0 8 101"


class Lab:
    """An edge that serves, and what SIP services tell of calls."""

    def __init__(self, directory: Path, livekit: LiveKit, lk: api.LiveKitAPI, edge: Running) -> None:
        self.directory = directory
        self.livekit = livekit
        self.lk = lk
        self.edge = edge
        self.told: list[CallState] = []
        self._count = 0

    def caller(
        self,
        scenario: str,
        dialed: str = DIALED,
        *,
        rtp: int = 9,
        pause: float = 0.0,
        transport: str = "UDP",
        host: str = "127.0.0.1",
        media: str = "",
        **fill: str,
    ) -> AbstractAsyncContextManager[Sipp]:
        """A SIPp that calls the listener at `host`."""
        self._count += 1
        directory = self.directory / f"sipp-{self._count}"
        filled = {"formats": ALL_CODECS, "headers": ".", "tag": "", **fill}
        where = self.at(transport, host)
        return sipp(
            directory, scenario, where, dialed, rtp=rtp, pause=pause, fill=filled, transport=transport, media=media
        )

    def at(self, transport: str, host: str = "127.0.0.1") -> tuple[str, int]:
        """Where the listener at `host` has that transport."""
        drivers = self.edge.edge.drivers.only(transport)
        return next(sip.address for sip in drivers if sip.address[0] == host)

    async def room(self, number: int = 0) -> str:
        """The name of the room of the call that got the first, second … room."""
        await until(lambda: len(self.rooms()) > number)
        return self.rooms()[number]

    def rooms(self) -> list[str]:
        """The rooms told of, in order."""
        return list(dict.fromkeys(state.room for state in self.told if state.room))

    async def end(self, number: int = 0) -> CallState:
        """How a call ended; by its place among those that came in."""
        await until(lambda: len(self.calls()) > number and self.calls()[number][-1].status is Status.DISCONNECTED)
        return self.calls()[number][-1]

    def calls(self) -> list[list[CallState]]:
        """What was told, by call."""
        ids = dict.fromkeys(state.call_id for state in self.told)
        return [[state for state in self.told if state.call_id == call_id] for call_id in ids]

    @asynccontextmanager
    async def agent(self, number: int = 0, name: str = "agent", tone: float = 600.0) -> AsyncIterator[RoomPeer]:
        """An agent who joins a call's room as soon as it is told of."""
        async with room_peer(self.livekit, await self.room(number), name, tone) as peer:
            yield peer

    async def nothing_left(self) -> None:
        """Return once no call, task or SIP participant is left of the calls that ended."""
        await until(lambda: len(self.edge.edge) == 0)
        async with asyncio.timeout(10):
            while await self._participants():
                await asyncio.sleep(0.05)

    async def _participants(self) -> list[str]:
        rooms = (await self.lk.room.list_rooms(api.ListRoomsRequest())).rooms
        found = [
            (await self.lk.room.list_participants(api.ListParticipantsRequest(room=room.name))).participants
            for room in rooms
        ]
        return [who.identity for each in found for who in each if who.kind == api.ParticipantInfo.Kind.SIP]


def rtp_ports() -> set[int]:
    """UDP ports of the edge's RTP range that are bound now, by anyone."""
    lines = [line for table in ("udp", "udp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    ports = {int(line.split()[1].split(":")[1], 16) for line in lines}
    return ports & set(RTP_PORTS)


def settings(redis_url: str, livekit: LiveKit, **more: object) -> Settings:
    """The edge's settings on these servers."""
    return Settings.model_validate(
        {
            "LIVEKIT_URL": livekit.url,
            "LIVEKIT_API_KEY": livekit.key,
            "LIVEKIT_API_SECRET": livekit.secret,
            "REDIS_URL": redis_url,
            "OFFHOOK_SIP_PORT": 0,
            "OFFHOOK_RTP_FIRST": RTP_PORTS.start,
            "OFFHOOK_RTP_LAST": RTP_PORTS.stop - 1,
            **more,
        }
    )


@asynccontextmanager
async def lab(directory: Path, redis_url: str, livekit: LiveKit, **more: object) -> AsyncIterator[Lab]:
    """The edge, and an ear on the bus that surely hears all that comes."""
    lk = livekit.api()
    try:
        async with running(settings(redis_url, livekit, **more)) as edge, aclosing(states(redis_url)) as told:
            made = Lab(directory, livekit, lk, edge)
            listening = asyncio.create_task(_listen(told, made))
            await _heard(made, redis_url)
            try:
                yield made
            finally:
                listening.cancel()
                await asyncio.wait([listening])
    finally:
        await lk.aclose()


async def make_trunks(lk: api.LiveKitAPI) -> None:
    """The trunks and rules that the tests dial, through LiveKit's API."""
    numbers = {"open": [DIALED], "guarded": [GUARDED], "pin": [PIN], "quick": [QUICK]}
    for name, dialed in numbers.items():
        trunk = api.SIPInboundTrunkInfo(name=name, numbers=dialed)
        trunk.include_headers = api.SIPHeaderOptions.SIP_X_HEADERS
        trunk.headers["X-Gateway"] = "offhook"
        trunk.attributes_to_headers["agent.name"] = "X-Agent"
        if name == "guarded":
            trunk.auth_username, trunk.auth_password = "user", "password"
        if name == "quick":
            trunk.ringing_timeout.FromSeconds(2)
            trunk.max_call_duration.FromSeconds(3)
        made = await lk.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=trunk))
        rule = api.SIPDispatchRuleInfo(name=name, trunk_ids=[made.sip_trunk_id])
        rule.rule.dispatch_rule_callee.room_prefix = "call-"
        rule.rule.dispatch_rule_callee.randomize = True
        if name == "pin":
            rule.rule.dispatch_rule_callee.pin = "1234"
        await lk.sip.create_dispatch_rule(api.CreateSIPDispatchRuleRequest(dispatch_rule=rule))


async def _listen(told: AsyncIterator[CallState], lab: Lab) -> None:
    async for state in told:
        lab.told.append(state)


async def _heard(lab: Lab, redis_url: str) -> None:
    """Return once the passive listener has surely subscribed: tell a state until it hears one."""
    from gateway.bus.client import Client
    from gateway.bus.ioinfo import CallInfo, IoInfo, Leg, Uri
    from gateway.bus.transport import connect

    probe = Leg("SCL_probe", "probe", "127.0.0.1", *[Uri(Number(""), "127.0.0.1")] * 3)
    async with connect(redis_url) as bus, Client(bus, "IOInfo") as client, asyncio.timeout(10):
        while not lab.told:
            await IoInfo(client).tell(CallInfo(probe))
            await asyncio.sleep(0.02)
    lab.told.clear()


def open_sockets() -> int:
    """Sockets that this process holds."""
    count = 0
    for number in os.listdir("/proc/self/fd"):
        try:
            count += os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
        except FileNotFoundError:
            continue
    return count
