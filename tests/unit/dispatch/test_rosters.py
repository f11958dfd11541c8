"""Who of each team takes calls now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.calls.people.roster import MemoryRosters, Roster
from gateway.dialplan.overrides import Override
from gateway.dialplan.state import State
from gateway.dispatch.rosters import publish, rosters
from gateway.terms.act import Callee
from tests.unit.dialplan.plans import NOON, example, plan

ANA, DEE = Callee("ana", "+15105550111"), Callee("dee", "+15105550112")
BEN, CHI = Callee("ben", "sip:ben@pbx"), Callee("chi", "")


def away(name: str) -> State:
    override = Override(1, "away", name, NOON.timestamp() + 3600, "", "op", NOON.timestamp())
    return State(away={name: override})


def test_a_roster_holds_who_is_rung_and_how() -> None:
    found = rosters(example(), NOON.replace(hour=15), State())
    assert dict(found) == {
        "sales-desk": Roster("sales-desk", (ANA, BEN, CHI), "ringall", 20.0, 60.0, "America/New_York"),
        "support-desk": Roster("support-desk", (DEE,), "linear", 15.0, 0.0, "America/New_York"),
    }, "chi has a browser only"


def test_who_is_away_or_outside_their_hours_is_not_on_it() -> None:
    assert rosters(example(), NOON.replace(hour=15), away("ana"))["sales-desk"].members == (BEN, CHI)
    friday = datetime(2026, 12, 4, 15, tzinfo=UTC)
    assert rosters(example(), friday, State())["sales-desk"].members == (ANA, CHI), "ben works from Monday to Thursday"


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


async def test_what_changes_with_the_time_is_published() -> None:
    store, at = MemoryRosters(), NOON.replace(hour=15).timestamp()
    assert await publish(store, example(), State(), at)
    assert not await publish(store, example(), State(), at + 1)
    assert await publish(store, example(), away("ana"), at + 2)
    found = await store.get("sales-desk")
    assert found
    assert found.members == (BEN, CHI)
    assert await publish(store, example(), away("ana"), at + 86400 / 2), "the team has closed"
