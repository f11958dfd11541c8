"""What control knows of its store by asking."""

from __future__ import annotations

from gateway.calls.store.memory import MemoryStore
from gateway.calls.store.port import Standing
from gateway.dispatch.trust import SETTLES
from gateway.dispatch.watching import Watch
from gateway.errors import Unavailable


class Server(MemoryStore):
    """A store that goes away and comes back."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)
        self.run = "a"

    async def standing(self) -> Standing:
        if not self.run:
            raise Unavailable("down")
        return Standing(self.run, 1e6)


async def test_a_store_that_was_away_is_believed_after_a_lease_and_another_is_told_all_again() -> None:
    server, now, forgot = Server(), 100.0, list[float]()
    watch = Watch(server, forgot=lambda: forgot.append(now), clock=lambda: now)
    assert not watch.settled()
    await watch.look()
    assert watch.settled()
    server.run = ""
    await watch.look()
    assert not watch.settled()
    server.run = "a"
    await watch.look()
    assert not watch.settled()
    for _ in range(4):
        now += SETTLES / 4
        await watch.look()
    assert watch.settled()
    assert not forgot
    server.run = "b"
    await watch.look()
    assert forgot == [now]
    assert not watch.settled()
