"""What LiveKit is asked for, on an API that only notes it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from livekit import api

from gateway.dispatch.rooms import Rooms


async def test_a_room_is_there_before_a_job_is_sent_to_it() -> None:
    asked: list[object] = []

    async def create_room(request: api.CreateRoomRequest) -> None:
        asked.append(request)

    async def create_dispatch(request: api.CreateAgentDispatchRequest) -> api.AgentDispatch:
        asked.append(request)
        return api.AgentDispatch(id="AD_1")

    livekit: Any = SimpleNamespace(
        room=SimpleNamespace(create_room=create_room), agent_dispatch=SimpleNamespace(create_dispatch=create_dispatch)
    )
    assert await Rooms(livekit).dispatch("offhook-house", "call-_a", "{}") == "AD_1"
    assert asked == [
        api.CreateRoomRequest(name="call-_a"),
        api.CreateAgentDispatchRequest(agent_name="offhook-house", room="call-_a", metadata="{}"),
    ]
