"""The card of whoever is rung for an agent's caller: signed, as the phone rings, and its link stops the ringing."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from agents.words.lines import Say, line_of
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack
from tests.e2e.hook import hook
from tests.e2e.house.conftest import SECRET, Places
from tests.e2e.records import record, sip_id
from tests.e2e.test_house import said

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]

CARDED = "+15105550795"
SOON = 10.0
"""Seconds after the phone began to ring in which the card comes on a busy machine; 2 on a quiet one."""


@pytest.mark.parametrize("phase", ["ringing", "whispering", "deciding"])
async def test_whoever_is_rung_has_a_card_and_its_link_declines(
    stack: Stack, caller: Phone, callees: Phone, places: Places, phase: str
) -> None:
    told: asyncio.Queue[tuple[float, dict[str, Any]]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        found = Webhook(SECRET).verify(await request.text(), dict(request.headers))
        if found["type"] == "card":
            told.put_nowait((time.monotonic(), found))
        return web.Response()

    async with hook(places.hook, take):
        call = await caller.dial(CARDED)
        await call.answered()
        await call.talking(0.5)
        await call.press("0")
        ringing = await callees.rung()
        rang = time.monotonic()
        async with asyncio.timeout(30):
            came, found = await told.get()
        print(f"the card came {came - rang:.2f} s after the phone began to ring")
        assert came - rang < SOON
        card = found["card"]
        assert card["number"] == "+15105550177"
        async with aiohttp.ClientSession() as session:
            async with session.get(card["decline"]) as answer:
                assert answer.status == 200
            await call.wait(1.0)
            human: Call | None = None
            if phase != "ringing":
                human = await ringing.answer()
                await human.talking(0.5)
            if phase == "deciding" and human is not None:
                await said(callees, human, word(HandoffWord.CHOOSE, "en-US"))
            async with session.post(card["decline"]) as answer:
                assert "It is noted" in await answer.text()
        if human is None:
            await ringing.given_up(5.0)
            await said(caller, call, word(HandoffWord.PUT_THROUGH, "en-US"))
        else:
            await human.ended(8.0)
    await said(caller, call, line_of(Say.AWAY_DECLINED, "en-US").split(". ", maxsplit=1)[0] + ".", 40.0)
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [one["about"]["tried"] for one in found["notes"] if one["kind"] == "handoff"] == ["declined"]
