"""Gathers what is known of a call when it is over: the tape, the record, the messages' sound."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from gateway.cli.calls import record_json
from gateway.cli.shown import as_json
from gateway.conduct.sound import opus
from gateway.phone.timeline import closed
from gateway.records import store
from gateway.records.schema import DELIVERIES
from tests.chaos.callers import GREETINGS, Party
from tests.chaos.judge import Evidence, Fault, Proof
from tests.chaos.sounds import speech, times
from tests.e2e.gateway import Stack

RECORDED_WITHIN = 20.0
IN_MESSAGE = 0.33
"""Score from which a message holds a sentence: on a machine that is too busy they had 0.38, others 0.25 at most."""
QUIET = 2.0
"""Seconds after which a record that doesn't change is whole."""


async def gather(
    stack: Stack, party: Party, caller: str, scenario: str, fault: Fault | None, finished: bool
) -> Evidence:
    """Everything of one call. `caller`: its number, which no other call has."""
    told, tape = party.call.signalling, party.call.tape
    ended = told.ended or time.monotonic()
    heard = closed(tape.speech_heard.stretches, ended)
    begun = tape.begun or 0.0
    samples = tape.heard.read(0, len(tape.heard))
    record, notices = await _recorded(stack, caller)
    greeting = GREETINGS.get(scenario)
    reference = await party.phone.rendering(greeting) if greeting else None
    return Evidence(
        invited=told.invited,
        answered=told.answered,
        ended=ended,
        ended_by=told.ended_by,
        heard=heard,
        spoken=await asyncio.to_thread(speech, samples, begun, heard),
        said=tuple(party.said),
        greetings=[]
        if reference is None
        else [begun + at for at in await asyncio.to_thread(times, samples, reference)],
        listening=tuple(party.listening),
        finished=finished,
        **({"fault": fault} if fault is not None else {}),
        record=record,
        sounds=await _sounds(stack, party, record or {}),
        humans=party.picked_up,
        notices=notices,
    )


async def _sounds(stack: Stack, party: Party, record: Mapping[str, Any]) -> dict[str, int]:
    found: Counter[str] = Counter()
    sentences = {each.what for each in party.said if each.proof is Proof.SOUND}
    for message in record.get("messages", ()):
        file = stack.state / "messages" / str(message["file"])
        if not file.is_file():
            continue
        audio = await asyncio.to_thread(opus.read, file)
        for sentence in sentences:
            found[sentence] += (
                len(await asyncio.to_thread(times, audio, await party.phone.voice.speak(sentence), IN_MESSAGE)) > 0
            )
    return dict(found)


async def _recorded(stack: Stack, caller: str) -> tuple[dict[str, Any] | None, dict[str, int]]:
    """The caller's record, once it is ended and nothing more is told of it, and the notices that were made of it."""
    deadline, before, since = time.monotonic() + RECORDED_WITHIN, "", time.monotonic()
    while True:
        found, notices = await _look(stack, caller)
        text, now = json.dumps([found, notices], sort_keys=True), time.monotonic()
        if text != before:
            before, since = text, now
        done = found is not None and found["ended"] and now - since > QUIET
        if done or now > deadline:
            return found, notices
        await asyncio.sleep(0.3)


async def _look(stack: Stack, caller: str) -> tuple[dict[str, Any] | None, dict[str, int]]:
    async with store.reading(stack.run.database_url) as connection:
        if connection is None:
            return None, {}
        row = next((row for row in await store.calls(connection, limit=100) if row["caller"] == caller), None)
        if row is None:
            return None, {}
        record = record_json(await store.record(connection, str(row["id"])))
        told = (DELIVERIES.c.subject, DELIVERIES.c.kind, DELIVERIES.c.address)
        query = select(*told).where(DELIVERIES.c.call == row["id"])
        made = Counter((each.subject, each.kind, each.address) for each in await connection.execute(query))
    read: dict[str, Any] = json.loads(json.dumps(as_json(record)))
    return read, {f"{what} {number}": count for number, ((_, what, _), count) in enumerate(made.items())}
