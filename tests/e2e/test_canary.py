"""No log of a call holds what belongs to its people: numbers, digits, words."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack
from tests.e2e.test_calls import record, sip_id

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

CALLER, SUPPORT, SALES = "+14155553826", "+15105550200", "+15105550100"
NUMBERS = [r"\D{0,2}".join(number[2:]) for number in (CALLER, SUPPORT, SALES)]
KEYS = "739146"
PROBLEM, NAME = "connection is not working", "john smith"


@pytest.mark.speech
async def test_the_logs_of_calls_hold_nothing_personal(stack: Stack) -> None:
    async with Phone(stack.sip, caller=CALLER) as phone:
        support = await phone.dial(SUPPORT)
        await support.answered(10)
        await support.spoken(25, 0.8)
        await phone.say(support, "My internet connection is not working.")
        await support.spoken(25, 0.8)
        await support.press(f"{KEYS}#")
        await support.spoken(25, 0.8)
        await support.hang_up()
        sales = await phone.dial(SALES)
        await sales.answered(10)
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
    for name, text in logs.items():
        found = list(_canaries(text, [*NUMBERS, KEYS, " ".join(KEYS), PROBLEM, NAME]))
        assert not found, f"{name} holds {found[:3]}"


def _canaries(text: str, patterns: Iterable[str]) -> Iterable[str]:
    for pattern in patterns:
        for hit in re.finditer(pattern, text, re.IGNORECASE):
            yield text[max(0, hit.start() - 60) : hit.end() + 20]
