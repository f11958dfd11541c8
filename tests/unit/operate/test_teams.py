"""How the teams stand."""

from __future__ import annotations

from gateway.calls.people.members import Stage
from gateway.calls.people.memory_members import MemoryMembers
from gateway.calls.people.roster import MemoryRosters, Roster
from gateway.operate.teams import OnDuty, TeamNow, teams
from gateway.terms.act import Callee
from gateway.terms.call import CallId

NOW = 1764000000.25
DESK = Roster("desk", tuple(Callee(name, "+15105550111") for name in ("ana", "ben", "chi", "dee", "eve")), "linear")


async def test_every_state_is_told() -> None:
    members, rosters = MemoryMembers(lambda _: True), MemoryRosters()
    await rosters.put({"desk": DESK, "sales": Roster("sales")})

    async def ring(call: str, name: str, at: float) -> None:
        await members.beat(CallId(call), 1, "desk", at, [name], at)
        got = await members.reserve(
            CallId(call), 1, "desk", [name], at, everyone=False, wrap_up=60.0, day=DESK.day(NOW)
        )
        assert got == (name,)

    await ring("talks", "ana", NOW - 300)
    await members.leave(CallId("talks"), 1, "desk", NOW - 130)
    await ring("talked", "ben", NOW - 300)
    await members.leave(CallId("talked"), 1, "desk", NOW - 130)
    await members.release(CallId("talked"), 1, "desk", "ben", NOW - 20, took=True, missed=False)
    for n in range(3):
        await ring("misses", "chi", NOW - 100 + 4 * n)
        await members.release(CallId("misses"), 1, "desk", "chi", NOW - 100 + 4 * n, took=False, missed=True)
    await members.leave(CallId("misses"), 1, "desk", NOW)
    await ring("rings", "dee", NOW - 5)
    assert list(await teams(members, rosters, NOW)) == [
        TeamNow(
            "desk",
            "linear",
            [
                OnDuty("ana", Stage.TALKING, 130.0, 0, 0),
                OnDuty("ben", Stage.WRAP_UP, 40.0, 1, 0),
                OnDuty("chi", Stage.PAUSED, 208.0, 0, 0),
                OnDuty("dee", Stage.RINGING, None, 0, 0),
                OnDuty("eve", Stage.FREE, None, 0, 0),
            ],
            waiting=1,
            longest=5.0,
        ),
        TeamNow("sales", "ringall", [], 0, None),
    ]
