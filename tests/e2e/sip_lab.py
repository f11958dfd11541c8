"""A SIP service on real servers, seen from outside only: SIP, RTP, LiveKit's API and rooms, and what its bus tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from livekit import api
from livekit.protocol.sip import SIPMediaEncryption

from gateway.bus.callstate import CallState, Status, states
from gateway.sip import HostPort
from gateway.terms.personal import Number
from gateway.terms.tones import ON, TONES
from tests.e2e.baresip import Baresip, baresip
from tests.e2e.room_peer import RoomPeer, room_peer
from tests.e2e.rtp_probe import RtpProbe, rtp_probe
from tests.e2e.servers import LiveKit, until
from tests.e2e.sipp import Sipp, hostport, sipp

ALL_CODECS = "0 8 101"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Numbers:
    """What trunks are dialed by."""

    open: str
    guarded: str
    """Demands the password "password" of "user"."""
    pin: str
    """Its rule asks for 1234."""
    quick: str
    """Rings 2 s at most, and lasts 3 s at most."""
    secret: str
    """Takes encrypted media only."""
    unknown: str
    """No trunk has it."""

    def all(self) -> set[str]:
        """Every one."""
        return {*self.trunks().values(), self.unknown}

    def trunks(self) -> dict[str, str]:
        """Those that have a trunk, by its name."""
        return {"open": self.open, "guarded": self.guarded, "pin": self.pin, "quick": self.quick, "secret": self.secret}


@dataclass
class Made:
    """What was made through LiveKit's API, so that it can be taken away again."""

    trunks: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)

    async def delete(self, lk: api.LiveKitAPI) -> None:
        """Delete it, and nothing else."""
        while self.rules:
            await lk.sip.delete_dispatch_rule(api.DeleteSIPDispatchRuleRequest(sip_dispatch_rule_id=self.rules.pop()))
        while self.trunks:
            await lk.sip.delete_trunk(api.DeleteSIPTrunkRequest(sip_trunk_id=self.trunks.pop()))


class SipLab:
    """A SIP service that serves, and what it tells of calls."""

    def __init__(
        self,
        directory: Path,
        livekit: LiveKit,
        lk: api.LiveKitAPI,
        addresses: Mapping[str, HostPort],
        numbers: Numbers,
        *,
        local: str = LOOPBACK,
        prefix: str = "",
    ) -> None:
        self.directory = directory
        self.livekit = livekit
        self.lk = lk
        self.addresses = addresses
        """Where it is reached, by transport."""
        self.numbers = numbers
        self.local = local
        """Our address: of callers, callees and their RTP."""
        self.prefix = prefix
        """What the names of our trunks and rooms start with."""
        self.made = Made()
        self.told: list[CallState] = []
        self._count = 0

    def caller(
        self,
        scenario: str,
        dialed: str = "",
        *,
        rtp: int = 9,
        pause: float = 0.0,
        transport: str = "UDP",
        host: str = "",
        media: str = "",
        **fill: str,
    ) -> AbstractAsyncContextManager[Sipp]:
        """A SIPp that calls; the open trunk unless another number is dialed. `host`: at which of the service's
        addresses; `media`: the address that its SDP names, where that is another than it calls from."""
        self._count += 1
        directory = self.directory / f"sipp-{self._count}"
        filled = {"formats": ALL_CODECS, "headers": ".", "tag": "", **fill}
        where = self.at(transport, host)
        return sipp(
            directory,
            scenario,
            where,
            dialed or self.numbers.open,
            rtp=rtp,
            pause=pause,
            fill=filled,
            transport=transport,
            media=media,
            local="::1" if ":" in where[0] else self.local,
        )

    def at(self, transport: str, host: str = "") -> HostPort:
        """Where the service is reached."""
        return self.addresses[transport]

    def phone(self) -> AbstractAsyncContextManager[RtpProbe]:
        """RTP of a caller or a callee."""
        return rtp_probe(self.local)

    def baresip(
        self, certificate: Path, authority: Path, dialed: str = "", *, srtp: bool = False, **more: Any
    ) -> AbstractAsyncContextManager[Baresip]:
        """A baresip that dials the open trunk over TLS, unless another number is dialed. `authority` vouches for the
        service."""
        dial = f"sip:{dialed or self.numbers.open}@{hostport(self.addresses['TLS'])}"
        return baresip(self.directory / "baresip", dial, certificate, authority, self.local, srtp=srtp, **more)

    async def trunk(self, address: str, **more: object) -> str:
        """Make an outbound trunk with our open number; its id. `address`: as in the API."""
        info = api.SIPOutboundTrunkInfo(name=f"{self.prefix}out", address=address, numbers=[self.numbers.open], **more)
        made = await self.lk.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=info))
        self.made.trunks.append(made.sip_trunk_id)
        return made.sip_trunk_id

    async def room(self, number: int = 0) -> str:
        """The name of the room of the call that got the first, second … room."""
        await until(lambda: len(self.rooms()) > number)
        return self.rooms()[number]

    def rooms(self) -> list[str]:
        """The rooms told of, in order."""
        return list(dict.fromkeys(state.room for state in self.told if state.room))

    async def end(self, number: int = 0) -> CallState:
        """How a call ended; by its place among those that came in."""
        over = (Status.DISCONNECTED, Status.ERROR)
        await until(lambda: len(self.calls()) > number and self.calls()[number][-1].status in over)
        return self.calls()[number][-1]

    def calls(self) -> list[list[CallState]]:
        """What was told, by call."""
        ids = dict.fromkeys(state.call_id for state in self.told)
        return [[state for state in self.told if state.call_id == call_id] for call_id in ids]

    @asynccontextmanager
    async def agent(
        self, number: int = 0, name: str = "agent", tone: float = 600.0, *, deaf: bool = False, rate: int = 8000
    ) -> AsyncIterator[RoomPeer]:
        """An agent who joins a call's room as soon as it is told of. `deaf`: they listen to nobody. `rate`: samples a
        second of what they say and hear."""
        async with room_peer(self.livekit, await self.room(number), name, tone, deaf=deaf, rate=rate) as peer:
            yield peer

    async def nothing_left(self) -> None:
        """Return once no SIP participant is left of our calls that ended."""
        async with asyncio.timeout(30):
            while await self._participants():
                await asyncio.sleep(0.05)

    async def clear(self) -> None:
        """Delete our rooms, and so end what calls are left there, and our outbound trunks."""
        assert self.prefix, "all rooms would be ours"
        for room in await ours(self.lk, self.prefix):
            await self.lk.room.delete_room(api.DeleteRoomRequest(room=room))
        await self.made.delete(self.lk)

    async def _participants(self) -> list[str]:
        found = [
            (await self.lk.room.list_participants(api.ListParticipantsRequest(room=room))).participants
            for room in await ours(self.lk, self.prefix)
        ]
        return [who.identity for each in found for who in each if who.kind == api.ParticipantInfo.Kind.SIP]


async def ours(lk: api.LiveKitAPI, prefix: str) -> list[str]:
    """Names of the rooms that start so."""
    rooms = (await lk.room.list_rooms(api.ListRoomsRequest())).rooms
    return [room.name for room in rooms if room.name.startswith(prefix)]


async def make_inbound(lk: api.LiveKitAPI, numbers: Numbers, made: Made, prefix: str = "") -> None:
    """The trunks and rules that the tests dial, through LiveKit's API; `made` tells of them, even when some fail.

    Rooms are called `prefix` + call-…
    """
    for name, dialed in numbers.trunks().items():
        trunk = api.SIPInboundTrunkInfo(name=prefix + name, numbers=[dialed])
        trunk.include_headers = api.SIPHeaderOptions.SIP_X_HEADERS
        trunk.headers["X-Gateway"] = "offhook"
        trunk.attributes_to_headers["agent.name"] = "X-Agent"
        if name == "guarded":
            trunk.auth_username, trunk.auth_password = "user", "password"
        if name == "secret":
            trunk.media_encryption = SIPMediaEncryption.SIP_MEDIA_ENCRYPT_REQUIRE
        if name == "quick":
            trunk.ringing_timeout.FromSeconds(2)
            trunk.max_call_duration.FromSeconds(3)
        created = await lk.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=trunk))
        made.trunks.append(created.sip_trunk_id)
        rule = api.SIPDispatchRuleInfo(name=prefix + name, trunk_ids=[created.sip_trunk_id])
        rule.rule.dispatch_rule_callee.room_prefix = f"{prefix}call-"
        rule.rule.dispatch_rule_callee.randomize = True
        if name == "pin":
            rule.rule.dispatch_rule_callee.pin = "1234"
            rule.attributes[TONES] = ON
        ruled = await lk.sip.create_dispatch_rule(api.CreateSIPDispatchRuleRequest(dispatch_rule=rule))
        made.rules.append(ruled.sip_dispatch_rule_id)


@asynccontextmanager
async def listening(lab: SipLab, redis_url: str, wanted: Callable[[CallState], bool]) -> AsyncIterator[None]:
    """An ear on the bus that surely hears all that comes, and keeps what is wanted in `lab.told`."""
    heard = asyncio.Event()

    async def listen(told: AsyncIterator[CallState]) -> None:
        async for state in told:
            if state.call_id == PROBE:
                heard.set()
            elif wanted(state):
                lab.told.append(state)

    async with aclosing(states(redis_url)) as told:
        task = asyncio.create_task(listen(told))
        try:
            await _until_heard(heard, redis_url)
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


PROBE = "SCL_probe"


async def _until_heard(heard: asyncio.Event, redis_url: str) -> None:
    """Return once the passive listener has surely subscribed: tell a state until it hears one."""
    from gateway.bus.client import Client
    from gateway.bus.ioinfo import CallInfo, IoInfo, Leg, Uri
    from gateway.bus.transport import connect

    probe = Leg(PROBE, "probe", LOOPBACK, *[Uri(Number(""), LOOPBACK)] * 3)
    async with connect(redis_url) as bus, Client(bus, "IOInfo") as client, asyncio.timeout(10):
        while not heard.is_set():
            await IoInfo(client).tell(CallInfo(probe))
            await asyncio.sleep(0.02)
