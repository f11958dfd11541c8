"""Dispatch rules with a PIN: the caller is asked for it before it is let into a room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from gateway.edge.inbound import machine, pin
from gateway.rtp import FRAME, dtmf
from tests.e2e import sipp_steps as steps
from tests.e2e.edge_lab import PIN, Lab, lab, rtp_ports
from tests.e2e.rtp_probe import RtpProbe, rtp_probe
from tests.e2e.servers import LiveKit, until

pytestmark = pytest.mark.e2e
UP = (steps.invite(), steps.expect(180), steps.expect(200), steps.ack())
STAYS = steps.scenario(*UP, steps.pause(), steps.request("BYE"), steps.expect(200))
HUNG_UP_ON = steps.scenario(*UP, steps.serve("BYE"))
POUND, STAR = 11, 10


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


async def test_a_pin_without_the_pound_key(edge: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin, "NEXT_KEY", 0.5)
    async with rtp_probe() as phone, edge.caller(STAYS, PIN, rtp=phone.port, pause=5) as caller:
        await until(lambda: _speaks(phone))
        await _key(phone, 1, 2, 3, 4)
        async with edge.agent():
            await phone.hears(600)
            await caller.ended()


async def test_a_pin_by_tones_where_the_rule_takes_them(edge: Lab) -> None:
    await until(lambda: edge.edge.edge._shared.toned)
    async with rtp_probe() as phone, edge.caller(STAYS, PIN, rtp=phone.port, pause=5) as caller:
        await until(lambda: _speaks(phone))
        phone.says.extend(dtmf.tones("1234#").reshape(-1, FRAME))
        async with edge.agent():
            await phone.hears(600)
            await caller.ended()


async def test_who_keys_nothing_is_let_go(edge: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin, "FIRST_KEY", 0.1)
    monkeypatch.setattr(machine, "PIN_TRIES", 1)
    async with rtp_probe() as phone, edge.caller(HUNG_UP_ON, PIN, rtp=phone.port) as caller:
        await caller.ended()
    assert (await edge.end()).sip_text == "wrong PIN"
