"""A lead on its way out: told as the call ends, signed, with what was read back, and its outcome taken by the link."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack
from tests.e2e.hook import hook
from tests.e2e.house.conftest import SECRET, Places
from tests.e2e.test_calls import converse, record, sip_id

pytestmark = [pytest.mark.e2e, pytest.mark.speech, pytest.mark.long, pytest.mark.timeout(180)]

LEADS = "+15105550792"


async def test_a_lead_is_told_signed_when_the_caller_has_hung_up(stack: Stack, caller: Phone, places: Places) -> None:
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        body = await request.text()
        found = Webhook(SECRET).verify(body, dict(request.headers))  # raises where it isn't ours
        if found["type"] == "lead":
            told.put_nowait({**found, "webhook-id": request.headers["webhook-id"]})
        return web.Response()

    async with hook(places.hook, take):
        call = await caller.dial(LEADS)
        await call.answered()
        # The number is keyed in, read back in groups, and confirmed by a key.
        await converse(caller, call, ["My name is John Smith.", "5105550142#", "1#"])
        await call.spoken(25, 0.8)
        assert told.empty(), "the call goes on"
        await call.hang_up()
        async with asyncio.timeout(60):
            found = await told.get()
    row = await record(stack, sip_id(call), ending="served")
    said = [turn["text"] for turn in row["turns"] if turn["speaker"] == "agent"]
    assert any("I have plus 1, 5 1 0, 5 5 5, 0 1 4 2." in text for text in said), said
    lead = found["lead"]
    assert found["id"] == found["webhook-id"]
    assert (lead["contact"]["name"], lead["contact"]["number"]) == ("John Smith", "+15105550142")
    assert lead["confirmed"] == ["number"]
    assert "+15 they can be reached" in lead["score"]["reasons"]
    await _outcome(stack, lead)


async def _outcome(stack: Stack, lead: dict[str, Any]) -> None:
    link = lead["transcript"]
    async with aiohttp.ClientSession() as session:
        async with session.get(link) as answer:
            assert answer.status == 200
            assert "John Smith" in await answer.text()
        async with session.post(link, data={"outcome": "won", "why": "12 chairs"}) as answer:
            assert "it is noted" in await answer.text()
    listed = json.loads(stack.offhook("leads", "export", "--format", "json"))
    (mine,) = [one for one in listed if one["call"] == lead["call"]]
    assert (mine["outcome"], mine["why"], mine["confirmed"]) == ("won", "12 chairs", ["number"])
    assert "http: arrived, 1 tries" in stack.offhook("leads", "show", lead["call"])
