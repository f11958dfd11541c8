"""When a job finds that LiveKit doesn't reach it: a stand-in tells what comes, and who has been asked for it."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any, cast

import aiohttp
import pytest
from livekit import api, rtc
from livekit.rtc._proto.stats_pb2 import RtcStats

from gateway.conduct.sfu import reach, staying
from gateway.conduct.sfu.staying import ASKS, TOPIC, Doubt, Staying, send_us

FOR = 0.5
"""Seconds in which it would have been found many times."""


class World:
    """A room of which something comes, or not. Each thing that is asked may bring something."""

    def __init__(self) -> None:
        self.connection_state: int = rtc.ConnectionState.CONN_CONNECTED
        self.tells = True
        """The SDK does."""
        self.asked: list[str] = []
        self.looks = self.came = 0
        self.flows_for = 3
        """Looks at which a track has come."""
        self.each = 1000
        """Packets of it at one."""
        self.brings = 0
        """What LiveKit's API brings."""
        self.takes = 0.0
        """Seconds of it."""
        self.heard, self.answers, self.is_first = True, True, True
        self.stands = 0.0
        """Seconds for which we stand still as we look, once nothing comes."""
        self.waits = 0.0
        """Seconds that the SDK takes to tell then."""

    async def get_rtc_stats(self) -> rtc.RtcStats:
        self.looks += 1
        if self.looks > self.flows_for:
            time.sleep(self.stands)  # noqa: ASYNC251  it is the process that stands still
            await asyncio.sleep(self.waits)
            if not self.tells:
                raise RuntimeError("the room isn't connected")
        else:
            self.came += self.each
        told = RtcStats()
        told.candidate_pair.candidate_pair.packets_received = self.came
        return rtc.RtcStats(publisher_stats=[told], subscriber_stats=[])

    async def ask(self) -> bool:
        self.asked.append("ask")
        await asyncio.sleep(self.takes)
        self.came += self.brings
        return self.answers

    async def first(self) -> bool:
        self.asked.append("first")
        return self.is_first

    async def looks_until_astray(self, monkeypatch: pytest.MonkeyPatch, late: float = 60.0) -> int:
        """How many it takes."""
        for module, name in ((reach, "LOOK"), (reach, "SOON"), (staying, "COMES")):
            monkeypatch.setattr(module, name, 0.01)
        monkeypatch.setattr(reach, "LOST", 0.4)
        monkeypatch.setattr(reach, "QUIET", 0.025)
        monkeypatch.setattr(reach, "FLOWS", 10_000)
        monkeypatch.setattr(staying, "ASKED_WITHIN", 0.02)
        monkeypatch.setattr(staying, "LATE", late)
        doubt = Doubt(lambda: self.heard, self.ask, self.first)
        await asyncio.wait_for(Staying(cast(Any, self), doubt).astray(), 10.0)
        return self.looks

    async def stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It does."""
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.looks_until_astray(monkeypatch), FOR)


@pytest.fixture
def world() -> World:
    return World()


ALL = 3 + 40
"""Looks after which a connection is lost by itself."""


async def test_one_whose_track_stops_and_who_gets_nothing_of_what_is_sent_is_cut_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await world.looks_until_astray(monkeypatch) == 3 + 1 + ASKS
    assert world.asked == [*["ask"] * ASKS, "first"]


async def test_one_who_hears_nobody_waits_for_what_would_come_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.each = 1
    assert await world.looks_until_astray(monkeypatch) == 3 + 3 + ASKS
    assert world.asked == [*["ask"] * ASKS, "first"]


async def test_one_who_hears_nobody_and_gets_reports_is_not_asked_after(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.each, world.flows_for = 1, 10**6
    await world.stays(monkeypatch)
    assert world.asked == []


async def test_one_whose_track_stops_for_good_gets_what_is_sent_and_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its caller holds: LiveKit's API is asked now and then, not at each look."""
    world.brings = 1
    await world.stays(monkeypatch)
    assert set(world.asked) == {"ask"}
    assert len(world.asked) < world.looks / 3


async def test_one_packet_may_be_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = True

    async def ask() -> bool:
        nonlocal first
        world.brings, first = int(not first), not first
        return await World.ask(world)

    monkeypatch.setattr(world, "ask", ask)
    await world.stays(monkeypatch)
    assert "first" not in world.asked


async def test_it_waits_where_nobody_hears_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.heard = False
    assert await world.looks_until_astray(monkeypatch) >= ALL
    assert world.asked == []


async def test_it_waits_where_livekit_itself_stands_still(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked again: a busy one may have refused."""
    world.answers = False
    assert await world.looks_until_astray(monkeypatch) >= ALL
    assert len(world.asked) > 10
    assert "first" not in world.asked


async def test_it_waits_where_others_have_found_the_same_and_asks_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.is_first = False
    assert await world.looks_until_astray(monkeypatch) >= ALL
    assert world.asked == [*["ask"] * ASKS, "first"]


async def test_an_api_that_does_not_answer_holds_nothing_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands still together with the rest: waiting for it counts as much as a look."""
    world.takes = 3600.0
    looks = await world.looks_until_astray(monkeypatch) - 3
    assert looks == len(world.asked) == math.ceil(0.4 / (0.01 + 0.02))
    assert set(world.asked) == {"ask"}


async def test_one_that_stands_still_itself_believes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.stands = 0.02
    assert await world.looks_until_astray(monkeypatch, late=0.02) >= ALL
    assert world.asked == []


async def test_an_sdk_that_tells_late_says_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.waits = 0.1
    assert await world.looks_until_astray(monkeypatch) >= ALL
    assert world.asked == []


@pytest.mark.parametrize("tells", [True, False])
async def test_it_waits_while_the_sdk_connects_anew(world: World, monkeypatch: pytest.MonkeyPatch, tells: bool) -> None:
    """Its signalling was cut, and what it then does may take a second."""
    world.tells = tells
    if tells:
        world.connection_state = rtc.ConnectionState.CONN_RECONNECTING
    assert await world.looks_until_astray(monkeypatch) >= ALL
    assert world.asked == []


@pytest.mark.parametrize("bad", [None, api.TwirpError("internal", "", status=500), aiohttp.ClientError(), OSError()])
async def test_livekit_is_asked_to_send_to_us_alone(bad: Exception | None) -> None:
    sent: list[api.SendDataRequest] = []

    class Service:
        async def send_data(self, told: api.SendDataRequest) -> None:
            sent.append(told)
            if bad is not None:
                raise bad

    class Us:
        name, identity = "call-1", "job"

        @property
        def local_participant(self) -> Us:
            return self

    assert await send_us(cast(Any, Service()), cast(Any, Us())) is (bad is None)
    [told] = sent
    assert (told.room, list(told.destination_identities), told.topic) == ("call-1", ["job"], TOPIC)
