"""LiveKit's rooms, as far as calls go: who calls, sending jobs, turning callers away. Translates, decides nothing."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from livekit import api
from livekit.protocol.models import DataPacket, ParticipantInfo
from livekit.protocol.room import PerformRpcRequest, PerformRpcResponse

from gateway.calls.hearing import leg_name
from gateway.dispatch.decide import PREFIX, Arrival
from gateway.dispatch.redial import Quiet
from gateway.errors import Unavailable
from gateway.sip.message import phrase_of
from gateway.terms.call import CallId, Pool
from gateway.terms.direct import HEAR
from gateway.terms.legs import EDGE, UNNAMED
from gateway.terms.line import LINE, PAUSED, QUIET
from gateway.terms.personal import Number

REJECT = "offhook.reject"
"""The attribute of a SIP participant that names the status the embedded edge is to reject with."""
_HEADER = "sip.h."
_TELLS = 0.5
"""Seconds that our SIP service may take to tell of a line; another caller waits."""
_ENDS = 1.0
"""Seconds that a livekit-sip may take to end a call."""
WITHIN = 3.0
"""Seconds that one request to LiveKit may take."""
_COMES = 1.5
"""Seconds that a SIP service may take from joining a room to publishing its track."""
_LOOKS = 0.03
_AT_ONCE = 8
_OURS = frozenset(pool.agent_name for pool in Pool)
"""Rooms have other dispatches too: LiveKit's own of agents without a name."""


@dataclass(frozen=True, slots=True)
class Present:
    """Who was in a room, and what had been sent there."""

    identities: frozenset[str] = frozenset()
    """Of everybody."""
    agents: Sequence[str] = ()
    """Those of the jobs."""
    dispatches: Sequence[str] = ()
    """LiveKit's ids of ours."""


class Rooms:
    """The rooms of one LiveKit. Every method raises Unavailable when LiveKit doesn't answer, or refuses."""

    def __init__(self, livekit: api.LiveKitAPI) -> None:
        self._livekit = livekit
        self.callerless: frozenset[str] = frozenset()
        """Rooms of ours that had people who were rung and no caller, at the last look (`callers`)."""
        self.listed: frozenset[str] = frozenset()
        """All rooms of ours that there were at the last look."""

    async def callers(self) -> Mapping[CallId, Arrival]:
        """Everybody who is in one of our rooms by telephone."""
        async with _asking():
            rooms = (await self._livekit.room.list_rooms(api.ListRoomsRequest())).rooms
        names = [room.name for room in rooms if room.name.startswith(PREFIX)]
        found: dict[CallId, Arrival] = {}
        callerless: set[str] = set()
        for first in range(0, len(names), _AT_ONCE):
            some = names[first : first + _AT_ONCE]
            for name, (there, rung) in zip(some, await asyncio.gather(*map(self._in, some)), strict=True):
                found.update(there)
                if rung and not there:
                    callerless.add(name)
        self.callerless, self.listed = frozenset(callerless), frozenset(names)
        return found

    async def _in(self, room: str) -> tuple[Mapping[CallId, Arrival], bool]:
        """Who calls there, and whether somebody is there who was rung."""
        async with _asking(missing_ok=True):
            there = await self._livekit.room.list_participants(api.ListParticipantsRequest(room=room))
            rung = any(leg_name(one.identity) for one in there.participants)
            attended = any(one.kind == ParticipantInfo.Kind.AGENT for one in there.participants)
            arrivals = [arrival(room, participant) for participant in there.participants]
            return {one.call: replace(one, attended=attended) for one in arrivals if one is not None}, rung
        return {}, False

    async def has(self, room: str, identity: str) -> bool:
        """Whether the participant is in the room."""
        async with _asking(missing_ok=True):
            await self._livekit.room.get_participant(api.RoomParticipantIdentity(room=room, identity=identity))
            return True
        return False

    async def dispatch(self, agent_name: str, room: str, metadata: str) -> str:
        """Ask for a job of the pool; LiveKit's id of the dispatch. It creates a room that isn't there yet.

        A dispatch alone creates it, too, and asks it at once: before the room's subscription to such requests has reached
        Redis the request is lost, and livekit-server makes it again after a second (measured: 4 of 120; 0 of 120 so).
        """
        wanted = api.CreateAgentDispatchRequest(agent_name=agent_name, room=room, metadata=metadata)
        async with _asking():
            await self._livekit.room.create_room(api.CreateRoomRequest(name=room))
            return (await self._livekit.agent_dispatch.create_dispatch(wanted)).id

    async def present(self, room: str) -> Present:
        """Who is in the room, and which of our dispatches it has; nobody and none of a room that isn't there."""
        async with _asking(missing_ok=True):
            sent, found = await asyncio.gather(
                self._livekit.agent_dispatch.list_dispatch(room),
                self._livekit.room.list_participants(api.ListParticipantsRequest(room=room)),
            )
            agents = [one.identity for one in found.participants if one.kind == ParticipantInfo.Kind.AGENT]
            ours = [one.id for one in sent if one.agent_name in _OURS]
            return Present(frozenset(one.identity for one in found.participants), agents, ours)
        return Present()

    async def withdraw(self, room: str, old: Present) -> None:
        """Withdraw the dispatches, and put the agents out of the room, that were there then: another has been sent."""
        await asyncio.gather(
            *(self._withdraw(room, dispatch) for dispatch in old.dispatches),
            *(self._remove(room, agent) for agent in old.agents),
        )

    async def turn_away(self, room: str, identity: str, status: int) -> bool:
        """Reject the caller with the status, or end an answered call; False when they aren't in the room.

        The embedded edge rejects with the very status. A livekit-sip rejects with 486 whatever happens, and takes
        headers: the status goes into a Reason (RFC 3326).
        """
        there = await self._has_come(room, identity)
        if there is not None and EDGE not in there:
            await self._end_call(room, identity, status)
        told = api.UpdateParticipantRequest(room=room, identity=identity, attributes={REJECT: str(status)})
        async with _asking(missing_ok=True):
            await self._livekit.room.update_participant(told)
            await self._livekit.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=identity))
            return True
        return False

    async def _has_come(self, room: str, identity: str) -> Mapping[str, str] | None:
        """Wait, a little, until the caller's SIP service has published its track: put out while it still connects, it
        would notice only when it gives up, and the caller would ring on. Its attributes; None when it isn't there."""
        clock = asyncio.get_running_loop().time
        ends, told = clock() + _COMES, None
        while clock() < ends:
            there = None
            async with _asking(missing_ok=True):
                one = api.RoomParticipantIdentity(room=room, identity=identity)
                there = await self._livekit.room.get_participant(one)
            if there is None:
                return None
            told = dict(there.attributes)
            if there.tracks:
                break
            await asyncio.sleep(_LOOKS)
        return told

    async def _end_call(self, room: str, identity: str, status: int) -> None:
        """Ask a livekit-sip to end the call itself, with a Reason."""
        reason = f'SIP;cause={status};text="{phrase_of(status)}"'
        # Where that fails, it is put out of the room next, which ends the call too.
        await self._call(room, identity, "lk.sip.EndCall", {"headers": {"Reason": reason}}, _ENDS)

    async def quiet(self, room: str, identity: str) -> Quiet | None:
        """How long nothing has come over a caller's line; None where their SIP service doesn't tell, or in no words of ours. Raises
        nothing."""
        told = await self._call(room, identity, LINE, {}, _TELLS)
        now, before = _seconds(told.get(QUIET)), _seconds(told.get(PAUSED))
        return Quiet(now, before) if now is not None and before is not None else None

    async def have_heard(self, room: str) -> None:
        """Have our SIP service say into the room what all its phones say (`gateway.terms.direct`): whoever has joined by themselves
        is heard of by it up to three seconds later, and would hear nothing until then."""
        kind = DataPacket.Kind.RELIABLE
        async with _asking(missing_ok=True):
            await self._livekit.room.send_data(api.SendDataRequest(room=room, data=b"1", topic=HEAR, kind=kind))

    async def _call(
        self, room: str, identity: str, method: str, payload: Mapping[str, object], within: float
    ) -> Mapping[str, Any]:
        """Call a participant's method; its answer, empty where none that can be read comes in `within` seconds."""
        request = PerformRpcRequest(
            room=room,
            destination_identity=identity,
            method=method,
            payload=json.dumps(payload),
            response_timeout_ms=round(within * 1000),
        )
        service = self._livekit.room
        grants = service._auth_header(api.VideoGrants(room_admin=True, room=room))
        try:
            async with asyncio.timeout(within):
                # livekit-api 1.2 has the messages and no method for this request.
                client = service._client
                answer = await client.request("RoomService", "PerformRpc", request, grants, PerformRpcResponse)
        except (api.TwirpError, aiohttp.ClientError, OSError, TimeoutError):
            return {}
        return _read(answer.payload)

    async def close(self, room: str) -> None:
        """Delete the room, if it is there.

        One whose livekit-server has died stays in the list, and nobody answers for it: who asks for it to be created has a
        server that lives take it over.
        """
        try:
            await self._delete(room)
        except Unavailable:
            async with _asking():
                await self._livekit.room.create_room(api.CreateRoomRequest(name=room))
            await self._delete(room)

    async def _delete(self, room: str) -> None:
        async with _asking(missing_ok=True):
            await self._livekit.room.delete_room(api.DeleteRoomRequest(room=room))

    async def _withdraw(self, room: str, dispatch: str) -> None:
        async with _asking(missing_ok=True):
            await self._livekit.agent_dispatch.delete_dispatch(dispatch, room)

    async def _remove(self, room: str, identity: str) -> None:
        async with _asking(missing_ok=True):
            await self._livekit.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=identity))


def _read(answer: str) -> Mapping[str, Any]:
    """A participant's answer, whoever it is; empty for what isn't an object."""
    try:
        told = json.loads(answer or "{}")
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _seconds(told: object) -> float | None:
    try:
        return float(told) if isinstance(told, int | float) and math.isfinite(told) else None
    except OverflowError:
        return None


def arrival(room: str, participant: ParticipantInfo) -> Arrival | None:
    """The caller that a participant is; None when it is none of ours."""
    told = participant.attributes
    if participant.kind != ParticipantInfo.Kind.SIP or not room.startswith(PREFIX) or not told.get("sip.callID"):
        return None
    if not told.get("sip.ruleID"):
        return None  # somebody who was called into the room: no dispatch rule let them in
    return Arrival(
        call=CallId(told["sip.callID"]),
        room=room,
        identity=participant.identity,
        dialed=Number(told.get("sip.trunkPhoneNumber", "")),
        caller=Number(told.get("sip.phoneNumber", "")),
        trunk=told.get("sip.trunkID", ""),
        joined=True,
        edge="" if told.get(EDGE) == UNNAMED else told.get(EDGE, ""),
        headers={name.removeprefix(_HEADER).lower(): text for name, text in told.items() if name.startswith(_HEADER)},
    )


@asynccontextmanager
async def _asking(*, missing_ok: bool = False) -> AsyncIterator[None]:
    """Bound a request and tell failures as ours. With `missing_ok`, what isn't there (any more) ends the block."""
    try:
        async with asyncio.timeout(WITHIN):
            yield
    except api.TwirpError as bad:
        if missing_ok and bad.code == api.TwirpErrorCode.NOT_FOUND:
            return
        raise Unavailable(f"LiveKit refuses: {bad.code}.", remedy="Check LIVEKIT_API_KEY and the server.") from bad
    except (aiohttp.ClientError, OSError, TimeoutError) as bad:
        raise Unavailable("LiveKit doesn't answer.", remedy="Check LIVEKIT_URL and the server.") from bad
