"""Asks LiveKit's API for calls, as an agent would."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from livekit import api

from tests.e2e.room_peer import RoomPeer, room_peer
from tests.e2e.sip_lab import SipLab
from tests.e2e.sipp import Sipp, callee, hostport

THEIRS = "+15105550111"


@dataclass
class Dialer:
    """An agent's side of calls that a SIP service makes."""

    edge: SipLab
    directory: Path
    rooms: int = 0
    callees: int = 0
    tag: str = field(default_factory=lambda: secrets.token_hex(3))

    def callee(
        self, scenario: str, *, rtp: int = 9, pause: float = 0.0, calls: int = 1, transport: str = "UDP", **fill: str
    ) -> AbstractAsyncContextManager[tuple[Sipp, int]]:
        """A SIPp that is called, and its port."""
        self.callees += 1
        where = self.directory / f"callee-{self.callees}"
        filled = {"ring": "300", "status": "486", "phrase": "Busy Here", **fill}
        wire = {"transport": transport, "local": self.edge.local}
        return callee(where, scenario, rtp=rtp, pause=pause, calls=calls, fill=filled, **wire)

    async def trunk(self, port: int, **more: object) -> str:
        """An outbound trunk to that port of ours; its id."""
        return await self.edge.trunk(hostport((self.edge.local, port)), **more)

    @asynccontextmanager
    async def room(self) -> AsyncIterator[RoomPeer]:
        """A room of its own, with somebody in it."""
        self.rooms += 1
        async with room_peer(self.edge.livekit, self.name) as peer:
            yield peer

    @property
    def name(self) -> str:
        """The room that calls are made into."""
        return f"{self.edge.prefix}dialed-{self.tag}-{self.rooms}"

    async def dial(
        self, trunk: str, *, wait: bool = True, ringing: float = 0, **more: object
    ) -> api.SIPParticipantInfo:
        """CreateSIPParticipant. Raises the API's error."""
        request = api.CreateSIPParticipantRequest(
            sip_trunk_id=trunk,
            sip_call_to=THEIRS,
            room_name=self.name,
            wait_until_answered=wait,
            **{"participant_identity": "callee", **more},
        )
        if ringing:
            request.ringing_timeout.CopyFrom(Duration(seconds=int(ringing), nanos=round(ringing % 1 * 1e9)))
        return await self.edge.lk.sip.create_sip_participant(request)
