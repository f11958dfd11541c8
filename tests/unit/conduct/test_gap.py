"""Keys that were pressed while no job listened, as the next job gets them: each once, in their order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc

from gateway.conduct.gap import WITHIN, Gap
from gateway.terms.gap import KEPT_FOR, KEYS, SECONDS
from tests.unit.conduct import virtual

CALLER = "sip_1"


class Room:
    """A room whose SIP service answers, or doesn't, after a while."""

    def __init__(self, answers: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.local_participant, self.identity = self, CALLER
        self.asked: list[float] = []
        self._answers = answers
        self._came: Callable[[Any], None] = lambda _: None

    def on(self, event: str, handler: Callable[[Any], None]) -> None:
        assert event == "data_received"
        self._came = handler

    async def perform_rpc(
        self, *, destination_identity: str, method: str, payload: str, response_timeout: float
    ) -> str:
        assert (destination_identity, method) == (CALLER, KEYS)
        self.asked.append(json.loads(payload)[SECONDS])
        await self._answers()
        return "{}"

    def tell(self, keys: str, sender: str = CALLER, topic: str = KEYS) -> None:
        """The answer comes."""
        who = Room(self._answers)
        who.identity = sender
        self._came(rtc.DataPacket(json.dumps(list(keys)).encode(), 0, cast(Any, who), topic))


async def at_once() -> None:
    """The RPC's answer."""


def gap(room: Room, heard: list[str], seconds: float | None = 1.0) -> Gap:
    began = None if seconds is None else asyncio.get_running_loop().time() - seconds
    return Gap(cast(Any, room), CALLER, lambda key, _missed: heard.append(key), began)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.conduct.gap.time.monotonic", lambda: asyncio.get_running_loop().time())


def test_what_was_pressed_meanwhile_comes_first_and_nothing_twice() -> None:
    async def scene() -> list[str]:
        heard: list[str] = []
        room = Room(at_once)
        one = gap(room, heard)
        one.pressed("2")  # by its own packet: the job was in the room already
        one.close()
        await asyncio.sleep(0.01)
        assert room.asked == [pytest.approx(1.0)]
        assert heard == []
        room.tell("12")
        one.pressed("3")
        room.tell("12")
        await asyncio.wait({one.asking} if one.asking else set())
        one.close()
        return heard

    assert virtual.run(scene()) == ["1", "2", "3"]


@pytest.mark.parametrize("refused", [True, False])
def test_a_service_that_keeps_none_costs_no_key(refused: bool) -> None:
    async def answers() -> None:
        if refused:
            raise rtc.RpcError(rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD, "What?")
        await asyncio.sleep(9 * WITHIN)

    async def scene() -> list[str]:
        heard: list[str] = []
        room = Room(answers)
        one = gap(room, heard)
        one.close()
        one.pressed("5")
        await asyncio.sleep(WITHIN + 0.01)
        room.tell("15")  # too late to be told from what has come
        one.pressed("6")
        return heard

    assert virtual.run(scene()) == ["5", "6"]


@pytest.mark.parametrize("seconds", [None, KEPT_FOR + 1.0])
def test_a_first_job_and_one_that_is_too_late_ask_for_nothing(seconds: float | None) -> None:
    async def scene() -> None:
        heard: list[str] = []
        room = Room(at_once)
        one = gap(room, heard, seconds)
        one.close()
        one.pressed("5")
        await asyncio.sleep(0.01)
        assert room.asked == [] and heard == ["5"]

    virtual.run(scene())


def test_nobody_else_tells_keys() -> None:
    async def scene() -> list[str]:
        heard: list[str] = []
        room = Room(at_once)
        one = gap(room, heard)
        one.close()
        room.tell("1", sender="human")
        room.tell("1", topic="chat")
        room.tell("2")
        return heard

    assert virtual.run(scene()) == ["2"]


@given(st.text("0123456789*#", max_size=8), st.integers(0, 8), st.integers(0, 8))
def test_each_key_counts_once_wherever_the_job_joins_and_is_answered(keys: str, joins: int, answered: int) -> None:
    """The keys' packets and the answer come in one order: the answer holds all that were sent before it."""

    async def scene() -> list[str]:
        heard: list[str] = []
        room = Room(at_once)
        one = gap(room, heard)
        one.close()
        for place, key in enumerate(keys):
            if place == answered:
                room.tell(keys[:place])
            if place >= min(joins, answered):
                one.pressed(key)
        if answered >= len(keys):
            room.tell(keys)
        return heard

    assert virtual.run(scene()) == list(keys)
