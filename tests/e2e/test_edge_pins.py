"""Dispatch rules with a PIN: the caller is asked for it before it is let into a room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gateway.edge.inbound import pin
from gateway.terms.ending import Party
from tests.e2e import sipp_steps as steps
from tests.e2e.edge_lab import PIN, Lab, lab, make_trunks, rtp_ports
from tests.e2e.rtp_probe import RtpProbe, rtp_probe
from tests.e2e.servers import LiveKit, livekit_server, redis_server, until

pytestmark = pytest.mark.e2e
UP = (steps.invite(), steps.expect(180), steps.expect(200), steps.ack())
STAYS = steps.scenario(*UP, steps.pause(), steps.request("BYE"), steps.expect(200))
HUNG_UP_ON = steps.scenario(*UP, steps.serve("BYE"))
POUND, STAR = 11, 10


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, LiveKit]]:
    directory = tmp_path_factory.mktemp("servers")
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url) as livekit:
        asyncio.run(_trunks(livekit))
        yield redis_url, livekit


async def _trunks(livekit: LiveKit) -> None:
    lk = livekit.api()
    try:
        await make_trunks(lk)
    finally:
        await lk.aclose()


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Lab]:
    async with lab(tmp_path, *servers) as made:
        yield made
        await made.nothing_left()
        assert rtp_ports() == set()


def _speaks(phone: RtpProbe) -> bool:
    return len(phone.heard) > 15 and bool(np.abs(phone.last(0.3).astype(float)).mean() > 300)


def _heard_since(phone: RtpProbe, frames: int) -> bool:
    return len(phone.heard) > frames + 25


async def _key(phone: RtpProbe, *codes: int) -> None:
    for code in codes:
        phone.press(code)
        await asyncio.sleep(0.12)  # as fast as a thumb


async def test_the_right_pin_lets_in(edge: Lab) -> None:
    async with rtp_probe() as phone, edge.caller(STAYS, PIN, rtp=phone.port, pause=9) as caller:
        phone.tone = 440
        await until(lambda: _speaks(phone), 3)
        assert not edge.rooms(), "no room, and no agent, for who hasn't the PIN"
        await _key(phone, 9, STAR, 1, 2, 3, 4, POUND)
        await phone.hears(425, within=5)
        async with edge.agent() as agent:
            await phone.hears(600)
            await agent.hears(440)
            assert agent.caller is not None
            assert agent.caller.attributes["sip.callStatus"] == "active"
            await _key(phone, 7)
            await until(lambda: agent.keys == ["7"])
            await caller.ended()
    ended = await edge.end()
    assert (ended.by, ended.sip_status) == (Party.CALLER, 200)


async def test_a_key_silences_the_prompt(edge: Lab) -> None:
    async with rtp_probe() as phone, edge.caller(STAYS, PIN, rtp=phone.port, pause=3) as caller:
        await until(lambda: _speaks(phone), 3)
        phone.press(1)
        await until(lambda: not _speaks(phone), 0.9)  # the whole prompt takes three seconds
        await caller.ended()


async def test_a_pin_without_the_pound_key(edge: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin, "NEXT_KEY", 0.5)
    async with rtp_probe() as phone, edge.caller(STAYS, PIN, rtp=phone.port, pause=5) as caller:
        await until(lambda: _speaks(phone), 3)
        await _key(phone, 1, 2, 3, 4)
        async with edge.agent():
            await phone.hears(600)
            await caller.ended()


async def test_who_has_no_pin_is_told_so_and_let_go(edge: Lab) -> None:
    """After three tries, whatever they are; no room is made."""
    async with rtp_probe() as phone, edge.caller(HUNG_UP_ON, PIN, rtp=phone.port) as caller:
        for keyed in ((1, 1, 1, POUND), (POUND,), (1,) * 17):
            await until(lambda: _speaks(phone), 5)
            await _key(phone, *keyed)
            await until(partial(_heard_since, phone, len(phone.heard)), 3)
        await caller.ended()
    ended = await edge.end()
    assert (ended.by, ended.sip_text, ended.room) == (Party.GATEWAY, "wrong PIN", "")


async def test_who_keys_nothing_is_let_go(edge: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin, "FIRST_KEY", 0.1)
    async with rtp_probe() as phone, edge.caller(HUNG_UP_ON, PIN, rtp=phone.port) as caller:
        await caller.ended()
    assert (await edge.end()).sip_text == "wrong PIN"


async def test_the_caller_hangs_up_while_it_is_asked(edge: Lab) -> None:
    async with rtp_probe() as phone, edge.caller(STAYS, PIN, rtp=phone.port, pause=0.5) as caller:
        await caller.ended()
    assert (await edge.end()).by is Party.CALLER
