"""Whether what a phone says goes into its LiveKit room: `gateway.edge.sparing`, with what the SDK and the switchboard know."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass

import structlog
from livekit import rtc

from gateway.edge import metrics
from gateway.edge.sparing import Other, Part, Scene, Sparing
from gateway.edge.switchboard import Place, Switchboard
from gateway.terms import gap
from gateway.terms.direct import HEAR, OF, UNHEARD

log = structlog.get_logger(__name__)

LOOKS_EACH = 5
"""Frames of 20 ms after which the room is looked at anew. Who comes and goes is told by events, and who hears the phone directly is
seen with each frame: what is left, LiveKit tells seconds late itself."""


class Heard:
    """One phone's. `close` it once nothing more is said."""

    def __init__(self, board: Switchboard, call_id: str) -> None:
        self._board, self._call_id = board, call_id
        self._sparing = Sparing()
        self._at: tuple[rtc.Room, Place] | None = None
        self._spared = False
        self._frames = 0
        """Said since the room was looked at."""

    def watch(self, room: rtc.Room, place: Place) -> None:
        """The phone is in its room: from now on a job may say that nobody hears it there."""
        self._at = room, place
        room.on("participant_connected", lambda _: self.changed())
        room.on("participant_disconnected", lambda who: self._sparing.left(who.identity))
        for event in ("reconnecting", "reconnected"):
            room.on(event, self.changed)
        room.on("data_received", self._on_data)

    def changed(self) -> None:
        """Something has happened that a job might not know of: whatever is said goes into the room again."""
        self._sparing.heard()

    def asked(self, who: str) -> None:
        """Somebody asks something of the phone, by an RPC."""
        self._sparing.asked(who)
        self._frames = 0

    def say(self, job: str, unheard: bool) -> bool:
        """A job says whether nobody hears the phone by LiveKit; whether it is kept from the room for that."""
        if not unheard or self._at is None:
            self._sparing.heard()
            return False
        self._frames = 0
        return self._sparing.say(job, self._scene(*self._at), asyncio.get_running_loop().time())

    def needed(self) -> bool:
        """Whether what the phone says now has to go into the room."""
        spared = self._spares()
        if spared is not self._spared:
            self._spared = spared
            metrics.UNHEARD_NOW.inc(1 if spared else -1)
            log.debug("what the phone says is kept from its room" if spared else "it isn't", call=self._call_id)
        return not spared

    def _spares(self) -> bool:
        if self._at is None or not self._sparing.said:
            return False
        _, place = self._at
        looks = self._frames % LOOKS_EACH == 0 or not self._sparing.hearers(place.heard_by)
        self._frames += 1
        return self._sparing.spares(self._scene(*self._at)) if looks else self._spared

    def close(self) -> None:
        """Nothing more is said, and the room isn't looked at any more. Again does no harm."""
        self._sparing.heard()
        self.needed()
        self._at = None

    def _on_data(self, packet: rtc.DataPacket) -> None:
        """What LiveKit's API sends may come from somebody of whom the job doesn't know, or tell of one."""
        if packet.participant is not None:
            self.asked(packet.participant.identity)
        elif packet.topic == HEAR:
            self._sparing.comes(asyncio.get_running_loop().time())
        else:
            self.changed()

    def _scene(self, room: rtc.Room, place: Place) -> Scene:
        others = frozenset(
            Other(who.identity, who.sid, self._part(room, who)) for who in room.remote_participants.values()
        )
        return Scene(others, place.heard_by, room.num_participants, room.is_recording)

    def _part(self, room: rtc.Room, who: rtc.RemoteParticipant) -> Part:
        if self._board.find(room.name, who.identity) is not None:
            return Part.PHONE
        return Part.JOB if who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT else Part.OTHER


@dataclass(frozen=True, slots=True)
class Told:
    """What the RPC HEAR says (`gateway.terms.direct`)."""

    proof: str
    whom: list[str] | None
    """None: as before."""
    unheard: bool = False


def read(payload: str) -> Told:
    """What stands in the RPC HEAR's payload. Raises RpcError."""
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        told = json.loads(payload)
        proof, whom, unheard = told[gap.PROOF], told.get(OF), told.get(UNHEARD)
        named = isinstance(whom, list) and all(isinstance(who, str) for who in whom)
        if isinstance(proof, str) and (named or (whom is None and unheard is not None)):
            return Told(proof, whom, unheard is True)
    raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, "Who is to be heard?")
