"""Who of each team takes calls now."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.calls.roster import MemoryRosters, Roster
from gateway.dialplan.overrides import Override
from gateway.dialplan.state import State
from gateway.dispatch import rosters as module
from gateway.dispatch.rosters import publish, rosters
from gateway.errors import Unavailable
from gateway.terms.act import Callee
from tests.unit.dialplan.plans import NOON, example, plan

ANA, DEE = Callee("ana", "+15105550111"), Callee("dee", "+15105550112")
BEN = Callee("ben", "sip:ben@pbx")


def away(name: str) -> State:
    override = Override(1, "away", name, NOON.timestamp() + 3600, "", "op", NOON.timestamp())
    return State(away={name: override})


def test_a_roster_holds_who_is_rung_and_how() -> None:
    found = rosters(example(), NOON.replace(hour=15), State())
    assert dict(found) == {
        "sales-desk": Roster("sales-desk", (ANA, BEN), "ringall", 20.0, 60.0, "America/New_York"),
        "support-desk": Roster("support-desk", (DEE,), "linear", 15.0, 0.0, "America/New_York"),
    }, "chi, who has a browser only, isn't rung"


def test_who_is_away_or_outside_their_hours_is_not_on_it() -> None:
    assert rosters(example(), NOON.replace(hour=15), away("ana"))["sales-desk"].members == (BEN,)
    friday = datetime(2026, 12, 4, 15, tzinfo=UTC)
    assert rosters(example(), friday, State())["sales-desk"].members == (ANA,), "ben works from Monday to Thursday"


def test_a_closed_team_has_nobody() -> None:
    assert rosters(example(), NOON.replace(hour=3), State())["sales-desk"].members == ()


def test_people_take_turns(tmp_path: Path) -> None:
    found = plan(
        tmp_path,
        """
offhook: 1
timezone: America/New_York
country: US
numbers: {otherwise: desk}
routes: {desk: {team: desk, unanswered: none}, none: {reject: 480}}
people:
  ana: {call: +1 510 555 0111}
  dee: {call: +1 510 555 0112}
teams:
  desk: {rotate: {every: 1d, from: 2026-11-23 00:00, order: [ana, dee]}}
""",
    )
    assert rosters(found, NOON, State())["desk"].members == (ANA,)
    assert rosters(found, NOON + timedelta(days=1), State())["desk"].members == (DEE,)


class Store(MemoryRosters):
    """Rosters that can be down, and say how often they were asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Semaphore(0)
        self.down = False

    async def put(self, rosters: object) -> bool:
        self.asked.release()
        if self.down:
            raise Unavailable("down")
        return await super().put(rosters)  # type: ignore[arg-type]


async def test_what_is_in_force_is_published_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PUBLISH", 0.001)
    store, state = Store(), State()
    at = NOON.replace(hour=15).timestamp()
    store.down = True
    publishing = asyncio.create_task(publish(store, example, lambda _: state, lambda: at))
    async with asyncio.timeout(5):
        await store.asked.acquire()
        await store.asked.acquire()
        store.down = False
        while (found := await store.get("sales-desk")) is None:
            await store.asked.acquire()
        assert found.members == (ANA, BEN)
        state = away("ana")
        while (found := await store.get("sales-desk")) and found.members != (BEN,):
            await store.asked.acquire()
    publishing.cancel()
    await asyncio.wait([publishing])
