"""An agent of which nothing is heard is left, and the call goes on by the plan."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from gateway.conduct.talk import attention as attention_module
from gateway.conduct.talk.attention import REASON, Attention, attended
from gateway.terms.act import Because, Onward
from gateway.terms.call import Brief

AFTER = 0.05


@dataclass
class Stage:
    brief: Brief = field(default_factory=lambda: Brief("sales", dead_air=AFTER))
    onward: Onward | None = None
    attention: Attention = field(default_factory=Attention)
    waited: list[float] = field(default_factory=list)

    def in_vain(self, after: float) -> None:
        self.waited.append(after)


async def hangs() -> str:
    await asyncio.Event().wait()
    return "never"


async def test_an_agent_that_never_speaks_is_left() -> None:
    stage = Stage()
    assert await asyncio.wait_for(attended(stage, hangs()), 10) == REASON
    assert stage.onward == Onward(Because.DEAD_AIR)
    (waited,) = stage.waited
    assert waited >= AFTER


async def test_an_agent_that_ends_is_none_that_hangs() -> None:
    async def ends() -> str:
        return "all was said"

    stage = Stage()
    assert await attended(stage, ends()) == "all was said"
    assert stage.onward is None
    assert not stage.waited


async def test_who_is_given_up_while_a_caller_waits_is_told_how_long_in_vain() -> None:
    """An engine that fails once it has kept the caller waiting."""
    stage = Stage(Brief("sales", dead_air=60.0))

    async def fails() -> str:
        stage.attention.sounds(time.monotonic())  # the greeting
        stage.attention.settled()
        stage.attention.owed()
        raise ValueError("too late")

    with pytest.raises(ValueError, match="too late"):
        await attended(stage, fails())
    assert len(stage.waited) == 1


async def test_nobody_has_waited_in_vain_who_was_answered_or_has_gone() -> None:
    stage = Stage(Brief("sales", dead_air=60.0))

    async def fails() -> str:
        stage.attention.sounds(time.monotonic())
        stage.attention.settled()
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await attended(stage, fails())
    gone = asyncio.create_task(attended(stage, hangs()))
    await asyncio.wait({gone}, timeout=AFTER)
    gone.cancel()
    await asyncio.wait({gone})
    assert not stage.waited


async def test_what_an_agent_raises_is_its_own() -> None:
    async def fails() -> str:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await attended(Stage(), fails())


async def test_nobody_is_watched_whose_brief_gives_no_time() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(attended(Stage(Brief("echo")), hangs()), 2 * AFTER)


async def test_an_agent_that_answers_is_left_alone_until_it_does_not() -> None:
    stage, answered = Stage(Brief("sales", dead_air=0.3)), asyncio.Event()
    attention = stage.attention

    async def talks() -> str:
        attention.sounds(time.monotonic() + 0.01)  # the greeting
        attention.settled()
        answered.set()
        return await hangs()

    call = asyncio.create_task(attended(stage, talks()))
    await answered.wait()
    assert await _within(0.6, call) is None, "nothing is owed"
    attention.owed()
    with attention.filling():
        attention.sounds(time.monotonic() + 5.0)  # "one moment, please"
    attention.settled()
    assert await asyncio.wait_for(call, 10) == REASON


async def _within(seconds: float, call: asyncio.Task[str]) -> str | None:
    done, _ = await asyncio.wait({call}, timeout=seconds)
    return call.result() if done else None


async def test_the_caller_does_not_wait_for_what_hangs_at_its_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_module, "LET_GO_WITHIN", 0.01)
    stage, ends = Stage(), asyncio.Event()

    async def stubborn() -> str:
        try:
            return await hangs()
        except asyncio.CancelledError:
            await ends.wait()
            raise

    assert await asyncio.wait_for(attended(stage, stubborn()), 10) == REASON
    ends.set()
