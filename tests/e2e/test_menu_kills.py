"""A caller goes through a menu to an agent, and the job of either dies: each goes on where it was."""

from __future__ import annotations

import time

import pytest

from gateway.phone.call import silence
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.test_house import TOLD, caller, said  # noqa: F401  the fixture is ours too
from tests.e2e.test_house_kills import TAKEN_OVER, killed
from tests.e2e.test_resume import begun, gap

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.speech, pytest.mark.timeout(120)]

PROMPT = "What can we do for you?"


async def test_what_was_said_at_a_menu_is_answered_once_though_the_jobs_on_the_way_die(
    stack: Stack,
    caller: Phone,  # noqa: F811
) -> None:
    call = await caller.dial(TOLD)
    await call.answered()
    await call.talking(0.3)
    await killed(stack)
    await call.say(silence(0.5))
    await said(caller, call, PROMPT, TAKEN_OVER)
    await caller.say(call, "My name is John Smith")
    agent = await begun(stack)
    at = time.monotonic()
    agent.kill()
    await call.line(await caller.rendering("For a person, say person or press zero."), 25.0, what="the notice")
    print("silence, and from the death of the agent's:", gap(call, at))
    await call.quiet(2.5, 25.0)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="served")
    assert [stop["act"] for stop in found["stops"]] == ["choose", "talk"]
    assert len(found["attempts"]) == 4, "two jobs of each"
    turns = [(turn["speaker"], turn["text"]) for turn in found["turns"]]
    spoke = [speaker for speaker, _ in turns]
    assert spoke.count("caller") == 1, "whatever a busy machine's recognizer makes of it"
    assert not any("How can I help" in text for _, text in turns), "nobody asks what was said already"
    assert sum("automated assistant" in text for _, text in turns) == 1
    assert spoke.count("agent") >= 2, "it is answered"
