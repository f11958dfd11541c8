"""Dispatch rules with a PIN: the caller is asked for it before it is let into a room."""

from __future__ import annotations

import asyncio
from functools import partial

import numpy as np
import pytest

from gateway.terms.ending import Party
from tests.contract.sip.differences import differs
from tests.e2e import sipp_steps as steps
from tests.e2e.rtp_probe import RtpProbe
from tests.e2e.servers import until
from tests.e2e.sip_lab import SipLab

pytestmark = pytest.mark.e2e
UP = (steps.invite(), steps.expect(180), steps.expect(200), steps.ack())
STAYS = steps.scenario(*UP, steps.until_told(), steps.request("BYE"), steps.expect(200))
HUNG_UP_ON = steps.scenario(*UP, steps.serve("BYE"))
POUND, STAR = 11, 10


def _speaks(phone: RtpProbe) -> bool:
    return len(phone.heard) > 15 and bool(np.abs(phone.last(0.3).astype(float)).mean() > 300)


def _heard_since(phone: RtpProbe, frames: int) -> bool:
    return len(phone.heard) > frames + 25


async def _key(phone: RtpProbe, *codes: int) -> None:
    for code in codes:
        phone.press(code)
        await asyncio.sleep(0.12)  # as fast as a thumb


@differs("a rule with a PIN")
async def test_the_right_pin_lets_in(edge: SipLab) -> None:
    """The star begins anew; then the caller hears ringing until somebody talks to it."""
    async with edge.phone() as phone, edge.caller(STAYS, edge.numbers.pin, rtp=phone.port) as caller:
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
            caller.go_on()
            await caller.ended()
    ended = await edge.end()
    assert (ended.by, ended.sip_status) == (Party.CALLER, 200)


async def test_the_right_pin_and_nothing_else_lets_in(edge: SipLab) -> None:
    async with edge.phone() as phone, edge.caller(STAYS, edge.numbers.pin, rtp=phone.port) as caller:
        phone.tone = 440
        await until(lambda: _speaks(phone), 3)
        assert not edge.rooms()
        await _key(phone, 1, 2, 3, 4, POUND)
        async with edge.agent() as agent:
            await phone.hears(600)
            await agent.hears(440)
            caller.go_on()
            await caller.ended()
    assert (await edge.end()).by is Party.CALLER


@differs("a rule with a PIN")
async def test_a_key_silences_the_prompt(edge: SipLab) -> None:
    async with edge.phone() as phone, edge.caller(STAYS, edge.numbers.pin, rtp=phone.port) as caller:
        await until(lambda: _speaks(phone), 3)
        phone.press(1)
        await until(lambda: not _speaks(phone), 0.9)  # the whole prompt takes three seconds
        caller.go_on()
        await caller.ended()


@differs("a rule with a PIN")
async def test_who_has_no_pin_is_told_so_and_let_go(edge: SipLab) -> None:
    """After three tries, whatever they are; no room is made."""
    async with edge.phone() as phone, edge.caller(HUNG_UP_ON, edge.numbers.pin, rtp=phone.port) as caller:
        for keyed in ((1, 1, 1, POUND), (POUND,), (1,) * 17):
            await until(lambda: _speaks(phone), 5)
            await _key(phone, *keyed)
            await until(partial(_heard_since, phone, len(phone.heard)), 3)
        await caller.ended()
    ended = await edge.end()
    assert (ended.by, ended.sip_text, ended.room) == (Party.GATEWAY, "wrong PIN", "")


async def test_the_caller_hangs_up_while_it_is_asked(edge: SipLab) -> None:
    async with edge.phone() as phone, edge.caller(STAYS, edge.numbers.pin, rtp=phone.port) as caller:
        await until(lambda: _speaks(phone), 3)
        caller.go_on()
        await caller.ended()
    assert (await edge.end()).by is Party.CALLER
