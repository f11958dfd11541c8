"""No log of a call holds what belongs to its people: numbers, digits, words."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from gateway.calls.sealed import Seal
from gateway.phone.phone import Phone
from gateway.terms.call import CallId
from gateway.terms.sealed import HIDDEN
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

CALLER, SUPPORT, SALES = "+14155553826", "+15105550200", "+15105550100"
SEALED = "+15105550250"
NUMBERS = [r"\D{0,2}".join(number[2:]) for number in (CALLER, SUPPORT, SALES, SEALED)]
KEYS = "739146"
CANARY = "8046153927"
"""Long enough to be nobody else's: the files of a gateway are full of digits."""
SAID = "five one eight two nine six"
"""What a caller says aloud where it is to be keyed in."""
PROBLEM, NAME = "connection is not working", "john smith"


@pytest.mark.long
@pytest.mark.speech
async def test_the_logs_of_calls_hold_nothing_personal(stack: Stack) -> None:
    async with Phone(stack.sip, caller=CALLER) as phone:
        support = await phone.dial(SUPPORT)
        await support.answered()
        await support.spoken(25, 0.8)
        await phone.say(support, "My internet connection is not working.")
        await support.spoken(25, 0.8)
        await support.press(f"{KEYS}#")
        await support.spoken(25, 0.8)
        await support.hang_up()
        sales = await phone.dial(SALES)
        await sales.answered()
        await sales.spoken(25, 0.8)
        await phone.say(sales, "My name is John Smith.")
        await sales.spoken(25, 0.8)
        await sales.hang_up()
    ticket, lead = await record(stack, sip_id(support)), await record(stack, sip_id(sales))
    assert ticket["ticket"]["fields"]["ticket_number"] == KEYS, "the canaries did pass through"
    assert PROBLEM in ticket["ticket"]["fields"]["problem"]
    assert lead["lead"]["fields"]["name"].lower() == NAME
    logs = {path.name: path.read_text(errors="replace") for path in (stack.state / "logs").iterdir()}
    assert all(any(sip_id(call) in text for text in logs.values()) for call in (support, sales)), "these are their logs"
    _none_of(logs, [*NUMBERS, KEYS, " ".join(KEYS), PROBLEM, NAME])


def _none_of(texts: Mapping[str, str], patterns: Iterable[str]) -> None:
    for name, text in texts.items():
        found = list(_canaries(text, patterns))
        assert not found, f"{name} holds {found[:3]}"


def _canaries(text: str, patterns: Iterable[str]) -> Iterable[str]:
    for pattern in patterns:
        for hit in re.finditer(pattern, text, re.IGNORECASE):
            yield text[max(0, hit.start() - 60) : hit.end() + 20]


@pytest.mark.speech
async def test_sealed_digits_are_nowhere_but_in_their_seal(stack: Stack) -> None:
    async with _overheard(stack) as commands, Phone(stack.sip, caller=CALLER) as phone:
        call = await phone.dial(SEALED)
        await call.answered()
        await call.spoken(25, 0.8)
        await phone.say(call, "My internet connection is not working.")
        await call.spoken(25, 0.8)
        await phone.say(call, SAID)
        await call.spoken(25, 0.8)
        await call.press(f"{CANARY}#")
        await call.spoken(25, 0.8)
        kept = await _redis(stack)
        await call.hang_up()
        found = await record(stack, sip_id(call))
    sealed = found["ticket"]["fields"]["ticket_number"]
    secret = stack.run.livekit_api_secret
    assert Seal(secret).open(sealed, CallId(sip_id(call)), "ticket_number").reveal() == CANARY, "it did pass through"
    assert [turn["text"] for turn in found["turns"] if turn["speaker"] == "keypad"] == [HIDDEN]
    aloud = [turn["text"] for turn in found["turns"] if turn["speaker"] == "caller"]
    assert any(HIDDEN in text for text in aloud), "what was said passed through as well"
    asked = [turn["text"] for turn in found["turns"] if turn["speaker"] == "agent"]
    assert any("key in your ticket number" in text for text in asked)
    shown = await asyncio.to_thread(stack.offhook, "leads", "show", "--tickets", sip_id(call))
    assert re.search(r"ticket number\s+sealed\s", shown)
    heard = "\n".join(commands)
    assert sealed in heard, "this is what Redis was told"
    places = {"what Redis was told": heard, "what Redis kept": kept, "its record": json.dumps(found)}
    for path in (path for path in stack.state.rglob("*") if path.is_file()):
        places[str(path.relative_to(stack.state))] = path.read_bytes().decode("latin-1")
    assert "offhook.db" in places
    for process, address in stack.run.http.items():
        places[f"metrics of {process}"] = await asyncio.to_thread(_metrics, address)
    _none_of(places, [CANARY, r"\D{1,3}".join(CANARY), SAID])
    logs = {name: text for name, text in places.items() if name.startswith("logs/")}
    assert any(sip_id(call) in text for text in logs.values()), "these are its logs"
    _none_of(logs, [*NUMBERS, PROBLEM])


@asynccontextmanager
async def _overheard(stack: Stack) -> AsyncIterator[list[str]]:
    """Every command that Redis is given meanwhile: an entry of the stream is gone soon after it was written."""
    commands: list[str] = []
    async with Redis.from_url(stack.run.redis_url) as redis, redis.monitor() as monitor:

        async def listen() -> None:
            async for command in monitor.listen():
                commands.append(str(command["command"]))

        task = asyncio.create_task(listen())
        try:
            yield commands
        finally:
            task.cancel()
            await asyncio.wait({task})


async def _redis(stack: Stack) -> str:
    """Everything that Redis keeps."""
    reads = {b"string": ("GET",), b"hash": ("HGETALL",), b"set": ("SMEMBERS",), b"list": ("LRANGE", 0, -1),
             b"zset": ("ZRANGE", 0, -1), b"stream": ("XRANGE", "-", "+")}  # fmt: skip
    found: list[str] = []
    async with Redis.from_url(stack.run.redis_url) as redis:
        async for key in redis.scan_iter():
            command, *rest = reads[await redis.type(key)]
            value = await redis.execute_command(command, key, *rest)
            found.append(f"{key!r} {value!r} {await redis.dump(key)!r}")
    return "\n".join(found)


def _metrics(address: str) -> str:
    with urllib.request.urlopen(f"{address}/metrics", timeout=5) as answer:
        told: bytes = answer.read()
    return told.decode()
