"""Events are told in order, also through an outage."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gateway.calls.store.memory import MemoryStore
from gateway.conduct import tell
from gateway.conduct.spool import Spool, ship
from gateway.conduct.tell import Teller
from gateway.errors import Unavailable
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind
from tests.e2e.servers import until

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


async def test_what_the_store_has_taken_is_told_and_nothing_that_is_only_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tell, "_RETRY", 0.01)
    store, stored = Flaky(10**6), list[Kind]()
    async with Teller(store, CALL, Spool(tmp_path, "job")) as teller:
        teller.stored = lambda event: stored.append(event.kind)
        await teller.told(Kind.HEARD, {"last_key": 1}, 1.0)
        assert stored == []
        store.failures = 0
        await until(lambda: stored == [Kind.HEARD], 5.0)


async def test_what_must_be_durable_says_when_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tell, "_RETRY", 0.01)
    monkeypatch.setattr(tell, "DURABLE_WITHIN", 0.05)
    monkeypatch.setattr(tell, "FLUSH_WITHIN", 0.05)
    async with Teller(Flaky(10**6), CALL) as teller:
        with pytest.raises(Unavailable):
            await teller.told(Kind.FACTS, {}, 1.0)


async def kinds(store: MemoryStore) -> list[Kind]:
    return [event.kind for event in await store.read("test", count=100, wait=0.1)]


async def test_what_cant_be_told_waits_on_disk_and_counts_as_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tell, "_RETRY", 0.01)
    store = Flaky(10**6)
    async with Teller(store, CALL, Spool(tmp_path, "AJ_1")) as teller:
        await teller.told(Kind.FACTS, {"kind": "lead"}, 1.0)
        await teller.told(Kind.CALLBACK, {"reason": "later"}, 2.0)
        assert await ship(tmp_path, store.tell) == 0, "its job lives: it tells it itself"
    store.failures = 0
    assert await ship(tmp_path, store.tell) == 2
    assert await kinds(store) == [Kind.FACTS, Kind.CALLBACK]
    assert await ship(tmp_path, store.tell) == 0
    assert not list(tmp_path.iterdir())


async def test_nothing_is_left_on_disk_once_all_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tell, "_RETRY", 0.01)
    store = Flaky(2)
    async with Teller(store, CALL, Spool(tmp_path, "AJ_1")) as teller:
        teller.note(Kind.TAKEN, {"epoch": 1}, 1.0)
        await teller.told(Kind.FACTS, {}, 2.0)
        teller.note(Kind.HANGUP, {}, 3.0)
        await until(lambda: store.failures == 0 and not list(tmp_path.iterdir()))
    assert await kinds(store) == [Kind.TAKEN, Kind.FACTS, Kind.HANGUP]


async def test_more_than_memory_bears_is_on_disk_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tell, "_RETRY", 0.01)
    monkeypatch.setattr(tell, "_MOST", 2)
    store = Flaky(1)
    async with Teller(store, CALL, Spool(tmp_path, "AJ_1")) as teller:
        teller.note(Kind.TAKEN, {}, 0.0)
        await until(lambda: list(tmp_path.iterdir()))
        for number in range(1, 4):
            assert not teller.note(Kind.TURN, {}, float(number)).cancelled()
        await until(lambda: store.failures == 0)
    await ship(tmp_path, store.tell)
    read = await store.read("test", count=100, wait=0.1)
    assert {event.at for event in read} == {0.0, 1.0, 2.0, 3.0}
    assert len({event.uid for event in read}) == 4, "told twice, it is one event"


async def test_a_store_that_has_lost_its_last_seconds_is_told_again_in_order() -> None:
    store = Flaky(0)
    async with Teller(store, CALL) as teller:
        await teller.told(Kind.TAKEN, {}, 1.0)
        await teller.told(Kind.ANSWERED, {}, 2.0)
        teller.again()
        await teller.told(Kind.HANGUP, {}, 3.0)
    read = await store.read("test", count=100, wait=0.1)
    assert [event.at for event in read] == [1.0, 2.0, 1.0, 2.0, 3.0]
    assert read[0].uid == read[2].uid


async def test_half_a_line_of_a_killed_job_keeps_nothing_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "AJ_1")
    spool.keep([Event(CALL, Kind.TAKEN, 1.0, {}, uid="a-1"), Event(CALL, Kind.ANSWERED, 2.0, {}, uid="a-2")])
    spool.close()
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o077 == 0
    path.write_text(path.read_text()[:-9])
    store = Flaky(0)
    assert await ship(tmp_path, store.tell) == 1
    assert not list(tmp_path.iterdir())


async def test_a_store_that_is_still_away_leaves_the_file_where_it_is(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "AJ_1")
    spool.keep([Event(CALL, Kind.TAKEN, 1.0, {}, uid="a-1")])
    spool.close()
    store = Flaky(1)
    with pytest.raises(Unavailable):
        await ship(tmp_path, store.tell)
    assert await ship(tmp_path, store.tell) == 1
