"""A leg whose dialing outlived its job, by the room's own events; everything else of legs is tested on real calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc

from gateway.conduct.legs import EPOCH, Legs
from tests.e2e.servers import until


@dataclass
class Participant:
    identity: str
    attributes: dict[str, str] = field(default_factory=dict)
    disconnect_reason: int = 0


class Room(rtc.EventEmitter[str]):
    name = "call-_x"

    def __init__(self) -> None:
        super().__init__()
        self.remote_participants: dict[str, Participant] = {}
        self.removed: list[str] = []
        self.room = self

    async def remove_participant(self, who: Any) -> None:
        self.removed.append(who.identity)

    def comes(self, name: str, epoch: int) -> None:
        who = Participant(f"leg-{name}", {EPOCH: str(epoch)})
        self.remote_participants[who.identity] = who
        self.emit("participant_connected", who)


@pytest.mark.parametrize("took_over", [True, False])
async def test_a_leg_of_the_job_before_that_comes_late_is_dropped(took_over: bool) -> None:
    room = Room()
    legs = Legs(
        cast(Any, room), cast(Any, room), cast(Any, SimpleNamespace(epoch=2)), cast(Any, None), lambda _: None,
        hearing=cast(Any, None),
    )  # fmt: skip
    async with legs:
        room.comes("there", 1)
        if took_over:
            assert [one.leg for one in legs.present()] == ["there"]
        room.comes("ours", 2)
        room.comes("late", 1)
        if took_over:
            await until(lambda: room.removed, 2.0)
        legs.leave()
    assert room.removed == (["leg-late"] if took_over else [])
