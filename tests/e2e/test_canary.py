"""No log of a call holds what belongs to its people: numbers, digits, words."""

from __future__ import annotations

import re

import pytest

from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack
from tests.e2e.test_calls import record, sip_id

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

CALLER = "+14155553826"
DIALED = "+15105550200"
KEYS = "739146"
WORDS = "My internet connection is not working."
HEARD = "connection is not working"


@pytest.mark.speech
async def test_the_logs_of_a_call_hold_nothing_personal(stack: Stack) -> None:
    async with Phone(stack.run.sip, caller=CALLER) as phone:
        call = await phone.dial(DIALED)
        await call.answered(10)
        await call.spoken(25, 0.8)
        await phone.say(call, WORDS)
        await call.spoken(25, 0.8)
        await call.press(f"{KEYS}#")
        await call.spoken(25, 0.8)
        await call.hang_up()
    found = await record(stack, sip_id(call))
    said = " ".join(turn["text"] for turn in found["turns"])
    assert KEYS in said, "the canaries did pass through"
    assert HEARD in said
    logs = {path.name: path.read_text(errors="replace") for path in (stack.state / "logs").iterdir()}
    assert any(sip_id(call) in text for text in logs.values()), "the logs are of this call"
    canaries = [CALLER.lstrip("+"), DIALED.lstrip("+"), KEYS, " ".join(KEYS), HEARD, "4155553826"]
    for name, text in logs.items():
        for canary in canaries:
            places = [text[max(0, hit.start() - 60) : hit.end() + 20] for hit in re.finditer(re.escape(canary), text)]
            assert not places, f"{name} holds {canary!r}: {places[:3]}"
