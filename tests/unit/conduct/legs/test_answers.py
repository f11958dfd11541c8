"""What people say elsewhere than on the phone, told to the call's job."""

from __future__ import annotations

import asyncio

import pytest

from gateway.calls.acts.cues import Declined, LegHold, LegKey
from gateway.conduct.legs import answers as looking
from gateway.conduct.legs.answers import answering
from gateway.errors import Unavailable
from gateway.handoff.answers import MemoryAnswers
from gateway.terms.call import CallId
from gateway.terms.hold import SILENT

CALL = CallId("SCL_1")


class Answers(MemoryAnswers):
    fails = 2

    async def declined(self, call: CallId) -> frozenset[str]:
        if self.fails:
            self.fails -= 1
            raise Unavailable("away")
        return await super().declined(call)


async def test_each_thing_is_told_once_and_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LOOK", 0.001)
    answers, told = Answers(), asyncio.Queue[Declined | LegHold | LegKey]()
    async with asyncio.timeout(5), answering(answers, CALL, told.put_nowait):
        await answers.decline(CALL, "desk-2")
        assert await told.get() == Declined("desk-2")
        await answers.press(CALL, "desk-1.browser", "*2")
        assert [await told.get(), await told.get()] == [LegKey("desk-1.browser", "*"), LegKey("desk-1.browser", "2")]
        await answers.press(CALL, "desk-1.browser", "3")
        assert await told.get() == LegKey("desk-1.browser", "3")
        for pressed, hold in (("hold", SILENT), ("resume", "")):
            await answers.press(CALL, "desk-1.browser", pressed)
            assert await told.get() == LegHold("desk-1.browser", hold)
        await asyncio.sleep(0.02)
    assert told.empty()


async def test_nobody_looks_while_nothing_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LOOK", 0.001)
    answers, told = MemoryAnswers(), asyncio.Queue[Declined | LegHold | LegKey]()
    async with asyncio.timeout(5), answering(answers, CALL, told.put_nowait) as look:
        look.expect(False)
        await answers.press(CALL, "desk-1.browser", "3")
        await asyncio.sleep(0.02)
        assert told.empty()
        look.expect(True)
        assert await told.get() == LegKey("desk-1.browser", "3")


async def test_a_job_that_takes_over_doesnt_do_again_what_was_pressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LOOK", 0.001)
    answers, told = MemoryAnswers(), asyncio.Queue[Declined | LegHold | LegKey]()
    for key in ("8", "3"):
        async with asyncio.timeout(5), answering(answers, CALL, told.put_nowait):
            await answers.press(CALL, "desk-1.browser", key)
            assert await told.get() == LegKey("desk-1.browser", key)
