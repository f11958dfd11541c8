"""An agent puts its caller through by the caller's own carrier: REFER, refused once and taken once."""

from __future__ import annotations

import pytest

from agents.words.lines import Say, line_of
from gateway.phone.phone import Phone
from gateway.phone.referred import TAKEN
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.test_house import caller, said

pytestmark = [pytest.mark.e2e, pytest.mark.speech, pytest.mark.timeout(120)]
__all__ = ["caller"]

PUT_THROUGH, ANA = "+15105550650", "tel:+15105550111"


@pytest.mark.long
async def test_a_caller_is_referred_and_comes_back_to_the_agent_where_nobody_takes_them(
    stack: Stack, caller: Phone
) -> None:
    call = await caller.dial(PUT_THROUGH)
    call.transfers.status = 603
    await call.answered()
    await call.spoken(25, 1.0)
    await caller.say(call, "Please connect me to support.")
    await said(caller, call, line_of(Say.NOT_TAKEN, "en"), 30)
    assert call.transfers.to == [f"<{ANA}>"]

    call.transfers.status, call.transfers.outcome = TAKEN, 200
    await call.spoken(10, 1.0)
    await caller.say(call, "Please connect me to support.")
    await call.ended(30)
    assert call.transfers.to == [f"<{ANA}>"] * 2

    found = await record(stack, sip_id(call), ending="served")
    assert [(stop["act"], stop["because"]) for stop in found["stops"]] == [
        ("talk", None), ("ring", "transfer"), ("talk", "unanswered"), ("ring", "transfer")
    ]  # fmt: skip
    assert [(leg["member"], leg["how"], leg["status"]) for leg in found["legs"]] == [
        ("ana", "failed", 603), ("ana", "transferred", None)
    ]  # fmt: skip
    assert found["hung_up_reason"] == "the caller was transferred"
    assert "the caller was put through to ana" in stack.offhook("calls", "show", found["id"])
