"""What is done for a caller ends with the route's minutes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from gateway.conduct import bounded as module
from gateway.conduct.bounded import bounded
from gateway.terms.act import TALK, Because, Choose, Onward, Over
from gateway.terms.call import Call
from tests.contract.calls import a_call

OVER = Over("done")


class Work:
    """Goes on until it is cancelled."""

    def __init__(self) -> None:
        self.cancelled = False

    async def run(self) -> Over:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return OVER


async def done() -> Over:
    return OVER


@pytest.mark.parametrize("ends", [0.0, 4e9])
async def test_what_ends_by_itself_does(ends: float) -> None:
    assert await bounded(replace(a_call(), ends=ends), done()) == OVER


@pytest.mark.parametrize("act", [TALK, Choose("?", "1")])
async def test_at_the_end_the_call_goes_on_to_the_goodbye(act: Choose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE", 0.02)
    work = Work()
    call: Call = replace(a_call(), act=act, ends=time.time() + 0.01)
    assert await asyncio.wait_for(bounded(call, work.run()), 10) == Onward(Because.MINUTES)
    assert work.cancelled


async def test_an_agent_may_finish_its_sentence() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bounded(replace(a_call(), act=TALK, ends=time.time() - 1), Work().run()), 0.05)
