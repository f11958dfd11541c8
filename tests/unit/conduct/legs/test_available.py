"""Whether somebody of a team could be rung, before anybody promises it."""

from __future__ import annotations

import pytest

from gateway.calls.people.memory_members import MemoryMembers
from gateway.calls.people.roster import MemoryRosters, Roster
from gateway.conduct.legs.available import looker
from gateway.conduct.talk.port import Person
from gateway.terms.act import Callee
from gateway.terms.call import CallId

NOW = 1764000000.0
DESK = Roster("desk", (Callee("ana", "+15105550111"), Callee("ben", "+15105550112")))


@pytest.mark.parametrize(
    ("roster", "held", "found"),
    [
        (DESK, (), Person.TEAM),
        (DESK, ("ana",), Person.TEAM),
        (DESK, ("ana", "ben"), Person.BUSY),
        (Roster("desk"), (), Person.NOBODY),
        (Roster("desk", open=False), (), Person.CLOSED),
        (None, (), Person.TEAM),
    ],
)
async def test_it_is_known_who_is_free(roster: Roster | None, held: tuple[str, ...], found: Person) -> None:
    members, rosters = MemoryMembers(lambda _: True), MemoryRosters()
    await rosters.put({"desk": roster} if roster else {})
    for name in held:
        await members.hold(CallId(f"SCL_{name}"), 1, name, NOW, talks=True)
    assert await looker(members, rosters, clock=lambda: NOW)("desk") is found
