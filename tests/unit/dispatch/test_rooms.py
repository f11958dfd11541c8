"""What LiveKit is asked for, on an API that only notes it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from livekit import api

from gateway.dispatch.redial import Quiet
from gateway.dispatch.rooms import Rooms
from gateway.terms.direct import HEAR
from gateway.terms.line import PAUSED, QUIET


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


@pytest.mark.parametrize("there", [True, False])
async def test_phones_are_to_be_heard_by_whoever_has_joined(there: bool) -> None:
    sent: list[api.SendDataRequest] = []

    async def send_data(request: api.SendDataRequest) -> None:
        sent.append(request)
        if not there:
            raise api.TwirpError(api.TwirpErrorCode.NOT_FOUND, "no such room", status=404)

    livekit: Any = SimpleNamespace(room=SimpleNamespace(send_data=send_data))
    await Rooms(livekit).have_heard("call-_a")
    assert [(one.room, one.topic, list(one.destination_identities)) for one in sent] == [("call-_a", HEAR, [])]


@pytest.mark.parametrize("dead", [False, True])
async def test_a_room_of_a_server_that_has_died_is_taken_over_to_be_deleted(dead: bool) -> None:
    """As livekit-server 1.13 does: deleting asks the room's own server, creating has one that lives take it over."""
    asked: list[str] = []

    async def create_room(_: api.CreateRoomRequest) -> None:
        asked.append("create")

    async def delete_room(_: api.DeleteRoomRequest) -> None:
        asked.append("delete")
        if dead and "create" not in asked:
            raise TimeoutError

    livekit: Any = SimpleNamespace(room=SimpleNamespace(create_room=create_room, delete_room=delete_room))
    await Rooms(livekit).close("call-_a")
    assert asked == (["delete", "create", "delete"] if dead else ["delete"])


@pytest.mark.parametrize(
    ("answer", "quiet"),
    [
        ('{"quiet": 1.5, "paused": 3}', Quiet(1.5, 3.0)),
        ("", None),
        ("{}", None),
        ("ok", None),
        ("[1, 2]", None),
        ("[" * 15_000, None),
        ('{"quiet": "soon", "paused": 3}', None),
        ('{"quiet": NaN, "paused": 3}', None),
        ('{"quiet": 1' + "0" * 400 + ', "paused": 3}', None),
        ('{"quiet": 1.5}', None),
    ],
)
async def test_what_a_participant_answers_of_its_line_is_read_or_passed_over(answer: str, quiet: Quiet | None) -> None:
    async def request(*_: object) -> SimpleNamespace:
        return SimpleNamespace(payload=answer.replace("quiet", QUIET).replace("paused", PAUSED))

    room = SimpleNamespace(_auth_header=lambda _: {}, _client=SimpleNamespace(request=request))
    livekit: Any = SimpleNamespace(room=room)
    assert await Rooms(livekit).quiet("call-_a", "sip_1") == quiet
