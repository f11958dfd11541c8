"""Events are told in order, also through an outage."""

from __future__ import annotations

import time

import pytest

from gateway.calls.memory import MemoryStore
from gateway.conduct import tell
from gateway.conduct.tell import Teller
from gateway.errors import Unavailable
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind

CALL = CallId("SCL_1")


class Flaky(MemoryStore):
    def __init__(self, failures: int) -> None:
        super().__init__(time.monotonic)
        self.failures = failures

    async def tell(self, event: Event) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable("down")
        await super().tell(event)


@pytest.mark.parametrize("failures", [0, 2])
async def test_they_keep_their_order(failures: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tell, "_RETRY", 0.01)
    store = Flaky(failures)
    async with Teller(store, CALL) as teller:
        teller.note(Kind.TAKEN, {"epoch": 1}, 1.0)
        teller.note(Kind.ANSWERED, {}, 2.0)
        await teller.told(Kind.FACTS, {"kind": "lead"}, 3.0)
        teller.note(Kind.HANGUP, {"by": "agent"}, 4.0)
    read = await store.read("test", count=10, wait=0.1)
    assert [(event.kind, event.at) for event in read] == [
        (Kind.TAKEN, 1.0),
        (Kind.ANSWERED, 2.0),
        (Kind.FACTS, 3.0),
        (Kind.HANGUP, 4.0),
    ]


async def test_what_must_be_durable_says_when_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tell, "_RETRY", 0.01)
    monkeypatch.setattr(tell, "DURABLE_WITHIN", 0.05)
    monkeypatch.setattr(tell, "FLUSH_WITHIN", 0.05)
    async with Teller(Flaky(10**6), CALL) as teller:
        with pytest.raises(Unavailable):
            await teller.told(Kind.FACTS, {}, 1.0)
