"""Words that several legs are told are made once, and nobody's going away takes them from the others; where nothing
can be said nobody waits for it."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Self, cast

import pytest

from gateway.calls.acts.cues import LegHeard
from gateway.conduct.legs import whispers
from gateway.conduct.legs.whispers import Whispers, _Made
from gateway.errors import Unavailable
from tests.e2e.servers import until


class Wording:
    """Fails as often as it is told to; the first making waits."""

    def __init__(self, fails: int) -> None:
        self.fails, self.asked, self.on = fails, 0, asyncio.Event()

    async def get(self, text: str) -> str:
        self.asked += 1
        await self.on.wait()
        if self.fails:
            self.fails -= 1
            raise Unavailable("No voice.")
        return f"audio of {text}"


@pytest.mark.parametrize("leaves", [True, False])
async def test_words_are_made_anew_where_whoever_made_them_failed_or_left(leaves: bool) -> None:
    wording = Wording(0 if leaves else 1)
    made = _Made(cast(Any, wording))
    first, *others = [asyncio.create_task(made.get("hello")) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if leaves:
        first.cancel()
    wording.on.set()
    async with asyncio.timeout(5):
        found = await asyncio.gather(first, *others, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError if leaves else Unavailable)
    assert found[1:] == ["audio of hello"] * 2
    assert wording.asked == 2


class Mute:
    """A Mouth, and its Track, that can't be opened."""

    opened = 0

    def __init__(self, *_: object) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def open(self) -> None:
        Mute.opened += 1
        raise TimeoutError


async def test_where_nothing_can_be_whispered_it_counts_as_heard_and_is_tried_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(whispers, "Mouth", Mute)
    monkeypatch.setattr(whispers, "Track", Mute)
    told = asyncio.Queue[object]()
    async with Whispers(cast(Any, None), cast(Any, None), cast(Any, None), told.put_nowait) as them:
        for tries in (1, 2):
            them.whisper("one", ("hello",))
            assert await asyncio.wait_for(told.get(), 5) == LegHeard("one")
            assert Mute.opened == tries


class Listening:
    """A LegEar; who is heard."""

    heard: ClassVar[list[str]] = []

    def __init__(self, leg: str, _: object) -> None:
        self.leg = leg

    async def __aenter__(self) -> Self:
        Listening.heard.append(self.leg)
        return self

    async def __aexit__(self, *_: object) -> None:
        Listening.heard.remove(self.leg)


async def test_a_leg_is_heard_to_which_nothing_is_said() -> None:
    async with Whispers(cast(Any, None), cast(Any, None), cast(Any, Listening), lambda _: None) as them:
        them.listen("one")
        them.listen("one")
        await until(lambda: Listening.heard == ["one"])
        them.end("one")
        await until(lambda: not Listening.heard)
        them.listen("one")
        await until(lambda: Listening.heard == ["one"])
    assert Listening.heard == []
