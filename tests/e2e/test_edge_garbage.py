"""What is left of calls that are over for Python's garbage collector to find, which holds all threads, and so RTP, as it looks."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from livekit import api, rtc
from livekit.rtc._ffi_client import _live_handles

from gateway.edge.call import EdgeCall
from gateway.edge.line import Line
from gateway.edge.room import RoomLeg
from gateway.net.port import Port
from tests.e2e.dialer import THEIRS, Dialer
from tests.e2e.edge_lab import UNKNOWN, Lab, lab
from tests.e2e.rtp_probe import rtp_probe
from tests.e2e.servers import LiveKit, until

pytestmark = pytest.mark.e2e

OF_A_CALL = (EdgeCall, RoomLeg, Line, Port, rtc.Room, rtc.LocalParticipant, rtc.RemoteParticipant)


@contextmanager
def uncollected() -> Iterator[Callable[[], list[object]]]:
    """Meanwhile nobody looks for garbage. Yields what tells the parts of calls, and of the SDK's native side, that there are since."""
    gc.collect()
    before = _parts()
    known = {id(one) for one in before}
    gc.disable()
    try:
        yield lambda: [one for one in _parts() if id(one) not in known]
    finally:
        gc.enable()


def _parts() -> list[object]:
    return [one for one in gc.get_objects() if issubclass(type(one), OF_A_CALL)] + list(_live_handles)


async def test_calls_that_are_over_leave_no_garbage(servers: tuple[str, LiveKit], tmp_path: Path) -> None:
    async with lab(tmp_path, *servers) as edge:
        dialer = Dialer(edge, tmp_path)
        with uncollected() as left:
            await _talk(edge, dialer)
            async with dialer.callee("callee_refuses") as (sipp, port):
                with pytest.raises(api.TwirpError):
                    await dialer.dial(await dialer.trunk(port))
                await sipp.ended()
            for pause in (0.0, 0.3):  # as it joins its room, and in it
                async with edge.caller("cancelled", rtp=9, pause=pause) as caller:
                    await caller.ended()
            async with edge.caller("refused_at_once", UNKNOWN, rtp=9, status="404") as caller:
                await caller.ended()
            await edge.nothing_left()
            with suppress(TimeoutError):
                await until(lambda: not left(), 10, each=0.1)
            assert not left()


async def _talk(edge: Lab, dialer: Dialer) -> None:
    """Let a caller and a callee hear each other, both by the edge: it alone uses the SDK here. One hangs up, one is put out."""
    async with (
        rtp_probe() as calling,
        rtp_probe() as called,
        dialer.callee("callee_hung_up_on", rtp=called.port) as (sipp, port),
        edge.caller("call", rtp=calling.port, pause=30) as caller,
    ):
        calling.tone, called.tone = 440, 660
        room, trunk = await edge.room(), await dialer.trunk(port)
        dial = api.CreateSIPParticipantRequest(sip_trunk_id=trunk, sip_call_to=THEIRS, room_name=room)
        await edge.lk.sip.create_sip_participant(dial)
        await calling.hears(660)
        await called.hears(440)
        caller.go_on()
        await caller.ended()
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=room))
        await sipp.ended()
