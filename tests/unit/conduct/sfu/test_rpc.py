"""What comes of an RPC, in our own errors."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc

from gateway.conduct.sfu.rpc import Unsupported, ask
from gateway.errors import PeerFault, Refused, Unavailable

Code = rtc.RpcError.ErrorCode


class Room:
    """One in which the other side answers so, or fails."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}
        self.local_participant = SimpleNamespace(perform_rpc=self._perform)

    async def _perform(self, **asked: Any) -> str:
        self.asked = asked
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_who_is_asked_gets_json_and_so_long_for_each_way() -> None:
    room: Any = Room("yes")
    assert await ask(room, "sip_1", "hear", {"of": ["sip_2"]}, 1.5) == "yes"
    assert room.asked == {
        "destination_identity": "sip_1",
        "method": "hear",
        "payload": '{"of": ["sip_2"]}',
        "response_timeout": 1.5,
        "max_round_trip_latency": 1.5,
    }


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (Code.UNSUPPORTED_METHOD, Unsupported),
        (Code.APPLICATION_ERROR, Refused),
        (Code.CONNECTION_TIMEOUT, Unavailable),
        (Code.RESPONSE_TIMEOUT, Unavailable),
        (Code.RECIPIENT_NOT_FOUND, Unavailable),
        (Code.RECIPIENT_DISCONNECTED, Unavailable),
        (Code.SEND_FAILED, Unavailable),
        (429, Unavailable),
    ],
)
async def test_what_isnt_known_a_no_and_no_answer_are_told_apart(code: int, fault: type[PeerFault]) -> None:
    room: Any = Room(rtc.RpcError(code, "in their words"))
    with pytest.raises(PeerFault, match=r"^in their words$") as told:
        await ask(room, "sip_1", "hear", {}, 1.0)
    assert type(told.value) is fault
