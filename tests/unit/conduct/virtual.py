"""A clock that jumps to the next thing to happen, and a voice that plays by it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from gateway.conduct.talk.port import Played

_T = TypeVar("_T")
RATE = 8000


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run it; every wait takes no time, and the loop's clock tells how long it was."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)


class Voice:
    """Implements gateway.conduct.talk.port.Voice: plays by the loop's clock, and remembers what was heard when."""

    def __init__(self) -> None:
        self.rate = RATE
        self.heard: list[tuple[float, float, bytes]] = []
        """From, to, and the first samples of what was sent at once."""
        self.most = 0.0
        """Seconds that were queued at most."""
        self._end = 0.0
        self._wake = asyncio.Event()

    @property
    def queued(self) -> float:
        return max(0.0, self._end - self._now())

    def send(self, data: bytes) -> None:
        start = max(self._now(), self._end)
        self._end = start + len(data) / 2 / RATE
        self.heard.append((start, self._end, data[:8]))
        self.most = max(self.most, self.queued)

    async def finish(self) -> Played:
        self._wake.clear()
        try:
            async with asyncio.timeout(self.queued):
                await self._wake.wait()
        except TimeoutError:
            return Played(0.0, interrupted=False)
        return Played(0.0, interrupted=True)

    def clear(self) -> None:
        now = self._now()
        self.heard = [(start, min(end, now), data) for start, end, data in self.heard if start < now]
        self._end = now
        self._wake.set()

    def pause(self) -> None:
        raise NotImplementedError

    def resume(self) -> None:
        raise NotImplementedError

    def runs(self) -> list[tuple[str, float, float]]:
        """What was heard without a gap, by its first sample: (what, from, to); rounded to milliseconds."""
        found: list[tuple[str, float, float]] = []
        for start, end, data in self.heard:
            what = data[:1].decode(errors="replace")
            if found and found[-1][0] == what and abs(found[-1][2] - start) < 1e-6:
                found[-1] = (what, found[-1][1], end)
            else:
                found.append((what, start, end))
        return [(what, round(start, 3), round(end, 3)) for what, start, end in found]

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
