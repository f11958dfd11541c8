"""Messages as those who leave, are told of, hear and tick off messages meet them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.calls.words.message import Say, line_of
from gateway.conduct.sound import opus
from gateway.phone.call import Call
from gateway.phone.ears import LIKE, find_like
from gateway.phone.phone import Phone
from gateway.rtp import Samples, wav
from tests.e2e.gateway import Stack
from tests.e2e.hook import hook
from tests.e2e.house.conftest import Places
from tests.e2e.test_calls import record, sip_id
from tests.e2e.test_house import leave_message, said, talk

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]

NOTE, TOLD = "+15105550741", "+15105550742"
FIRST, SECOND = "The blue boxes have not arrived yet.", "Please send somebody to mend our roof."


async def kept(stack: Stack, call: Call) -> dict[str, Any]:
    """The message that the call left."""
    (message,) = (await record(stack, sip_id(call), ending="message"))["messages"]
    found: dict[str, Any] = message
    return found


def holds(audio: Samples, words: Samples) -> bool:
    return find_like(audio, words).score >= LIKE


async def test_a_message_is_recorded_again_by_a_key(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(NOTE)
    await leave_message(caller, call, FIRST)
    await call.press("#")
    await said(caller, call, line_of(Say.AGAIN, "en"))
    await call.press("1")
    await leave_message(caller, call, SECOND)
    await call.press("#")
    await call.talking(0.5)
    await call.press("#")
    await said(caller, call, line_of(Say.KEPT, "en"))
    await call.ended()
    audio = opus.read(stack.state / "messages" / (await kept(stack, call))["file"])
    assert holds(audio, await caller.voice.speak(SECOND))
    assert not holds(audio, await caller.voice.speak(FIRST))


async def test_a_message_ends_by_silence(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(NOTE)
    await leave_message(caller, call, FIRST)
    await said(caller, call, line_of(Say.AGAIN, "en"), 15)
    await said(caller, call, line_of(Say.KEPT, "en"), 15)
    await call.ended()
    assert (await kept(stack, call))["seconds"] < 10


async def test_who_never_speaks_is_asked_again_and_let_go(stack: Stack, caller: Phone) -> None:
    call = await caller.dial(NOTE)
    await call.answered()
    await said(caller, call, line_of(Say.NOTHING, "en"), 25)
    await said(caller, call, line_of(Say.NOTHING_LEFT, "en"), 40)
    await call.ended()
    found = await record(stack, sip_id(call))
    assert not found["messages"]
    assert found["hung_up_by"] == "gateway"


async def test_a_key_skips_the_words_and_zero_leads_to_a_person(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await caller.dial(NOTE)
    await call.answered()
    await call.talking(0.2)
    await call.press("5")
    await call.tone([1000.0], 1.5, 0.2)
    await call.hang_up()
    call = await caller.dial(NOTE)
    await call.answered()
    await call.talking(0.2)
    await call.press("0")
    human = await (await callees.rung()).answer()
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert [stop["act"] for stop in found["stops"]] == ["record", "wait"]


@asynccontextmanager
async def receiver(port: int) -> AsyncIterator[asyncio.Queue[tuple[str, dict[str, Any]]]]:
    """Somebody who is told: the id of each notice, and what it says."""
    told: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        told.put_nowait((request.headers.get("X-Offhook-Notice", ""), await request.json()))
        return web.Response()

    async with hook(port, take):
        yield told


async def test_people_are_told_hear_and_tick_off(stack: Stack, caller: Phone, places: Places, tmp_path: Path) -> None:
    async with receiver(places.hook) as told:
        call = await caller.dial(TOLD)
        await leave_message(caller, call, FIRST)
        await call.hang_up()
        row = await kept(stack, call)
        async with asyncio.timeout(75):
            while (notice := await told.get())[1].get("message_id") != row["id"]:
                pass
    identity, said_of = notice
    assert identity == said_of["id"]
    assert (said_of["team"], said_of["caller"], said_of["dialed"]) == ("restful", "+15105550177", TOLD)
    await _plays(said_of["link"], await caller.voice.speak(FIRST), tmp_path)
    await _ticked_off(stack, row["id"], await caller.voice.speak(FIRST), tmp_path)


async def _plays(link: str, words: Samples, directory: Path) -> None:
    """The link leads to the message, whole and in parts; a changed one leads nowhere."""
    async with aiohttp.ClientSession() as session:
        async with session.get(link) as answer:
            assert (answer.status, answer.content_type) == (200, "audio/ogg")
            whole = await answer.read()
        async with session.get(link, headers={"Range": "bytes=100-199"}) as answer:
            assert answer.status == 206
            assert await answer.read() == whole[100:200]
        async with session.get(link.replace("sig=", "sig=0")) as answer:
            assert answer.status == 403
    (directory / "linked.ogg").write_bytes(whole)
    assert holds(opus.read(directory / "linked.ogg"), words)


async def _ticked_off(stack: Stack, message: str, words: Samples, directory: Path) -> None:
    def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(stack.offhook("messages", "list", "--open", "--json"))
        return [row for row in found if row["id"] == message]

    assert listed()
    shown = await asyncio.to_thread(stack.offhook, "messages", "play", message[:8], "--save", str(directory / "it.wav"))
    assert f"Written to {directory / 'it.wav'}." in shown.replace("\n", "")
    assert holds(wav.telephone((directory / "it.wav").read_bytes()), words)
    stack.offhook("messages", "done", message, "--by", "mary")
    async with asyncio.timeout(5):
        while await asyncio.to_thread(listed):
            pass
    assert "It was done already, by mary." in stack.offhook("messages", "done", message)
