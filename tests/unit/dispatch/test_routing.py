"""The way that calls take by the plan, without any job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.app.catalogue import load as catalogue
from gateway.calls.store.memory import MemoryStore
from gateway.dialplan.load import load
from gateway.dialplan.plan import Plan
from gateway.dialplan.state import State
from gateway.dispatch.redial import SHARED, Line, key
from gateway.dispatch.routing import Routing
from gateway.terms.act import Because, Onward
from gateway.terms.call import Call, CallId, Pool
from gateway.terms.ending import Party
from gateway.terms.event import Event, Kind
from gateway.terms.personal import Words
from gateway.terms.turn import Speaker, Turn, turn_data
from tests.unit.dispatch.world import CALL, arrival

MENU = """\
offhook: 1
timezone: UTC
human: callback
numbers: {+15105550100: front}
people: {ana: {call: +1 510 555 0111}}
teams: {crew: {members: [ana], unanswered: callback}}
routes:
  front: {menu: {say: Press., 1: desk, silence: desk}}
  desk: {team: crew, limits: {calls: 1}, full: busy}
  busy: {message: Please speak.}
"""


def plan(folder: Path, text: str = MENU) -> Plan:
    folder.mkdir(exist_ok=True)
    (folder / "main.yaml").write_text(text)
    read = load(folder, catalogue(), datetime(2026, 11, 23, 15, tzinfo=UTC))
    assert read.plan is not None, read.findings
    return read.plan


class World:
    """Calls that are routed by a plan, which may become another, with so many slots."""

    def __init__(self, first: Plan, slots: Mapping[Pool, int] | None = None) -> None:
        self.store = MemoryStore(lambda: 1000.0)
        self.first, self.plan = first, first
        self.kept: dict[str, Plan] = {}
        self.line = Line.GONE
        self.routing = Routing(
            self.store,
            lambda: self.plan,
            line=self._line_of,
            plan_of=self._plan_of,
            state=lambda _: State(),
            slots=lambda: slots or {},
            clock=lambda: 1000.0,
        )

    async def _line_of(self, _: Call) -> Line:
        return self.line

    async def _plan_of(self, version: str) -> Plan | None:
        return self.kept.get(version)

    async def opened(self, number: int) -> Call:
        there = replace(arrival(), call=CallId(f"SCL_{number}"), room=f"call-_{number}")
        found = await self.routing.open(self.plan, there)
        assert found is not None
        return found[0]


async def test_a_call_that_was_opened_is_opened_once(tmp_path: Path) -> None:
    world = World(plan(tmp_path))
    first, again = [await world.routing.open(world.plan, arrival()) for _ in range(2)]
    assert first is not None
    assert again is not None
    assert ((first[0].id, first[1]), (again[0].id, again[1])) == ((CALL, True), (CALL, False))


async def test_who_finds_no_line_is_refused_once_they_are_there_and_not_before(tmp_path: Path) -> None:
    world = World(plan(tmp_path), {Pool.HOUSE: 1})
    await world.opened(2)
    assert await world.routing.open(world.plan, arrival(joined=False)) is None
    assert await world.store.get(CALL) is None
    found = await world.routing.open(world.plan, arrival())
    assert found is not None
    assert (found[0].reject, found[0].why) == (503, "every line is taken")


async def test_a_full_route_leads_to_what_comes_instead(tmp_path: Path) -> None:
    world = World(plan(tmp_path))
    one, two = await world.opened(1), await world.opened(2)
    led = [await world.routing.lead(call, Onward(Because.KEY, "1"), Pool.HOUSE) for call in (one, two)]
    assert [(call.route, call.because) for call in led if call] == [("desk", "key"), ("busy", "full")]


async def test_who_is_slower_leads_nobody_and_tells_of_nothing(tmp_path: Path) -> None:
    world = World(plan(tmp_path))
    call = await world.opened(1)
    assert await world.routing.lead(call, Onward(Because.KEY, "1"), Pool.HOUSE)
    assert await world.routing.lead(call, Onward(Because.SILENCE), Pool.HOUSE) is None
    told = [event for event in await world.store.read("test", count=100, wait=0.01) if event.kind is Kind.STOP]
    assert [event.data["because"] for event in told] == ["key"]


async def test_a_call_goes_on_by_the_plan_that_routed_it_while_that_is_kept(tmp_path: Path) -> None:
    world = World(plan(tmp_path / "older"))
    one, two = await world.opened(1), await world.opened(2)
    world.plan = plan(tmp_path / "newer", MENU.replace("1: desk", "1: busy"))
    world.kept[world.first.version] = world.first
    led = await world.routing.lead(one, Onward(Because.KEY, "1"), Pool.HOUSE)
    world.kept.clear()
    other = await world.routing.lead(two, Onward(Because.KEY, "1"), Pool.HOUSE)
    assert led is not None
    assert other is not None
    assert (led.route, other.route) == ("desk", "busy")


REDIALED = """\
offhook: 1
timezone: UTC
human: callback
numbers: {+15105550100: front}
routes: {front: {agent: sales, resume: true}}
"""


class Redialed(World):
    """Callers by one number, on a route where who is cut off goes on."""

    async def calls(self, number: int) -> Call:
        call = await self.opened(number)
        await self.routing.name(call)
        await self.store.tell(Event(call.id, Kind.TURN, 1.0, turn_data(Turn(1, Speaker.AGENT, Words("Name?"), 1.0))))
        return call

    async def ends(self, call: Call, by: Party = Party.NETWORK) -> None:
        await self.store.tell(Event(call.id, Kind.HANGUP, 2.0, {"by": by.value}))
        await self.store.end(call.id, Event(call.id, Kind.ENDED, 2.0, {}))


async def test_who_is_cut_off_goes_on_once(tmp_path: Path) -> None:
    world = Redialed(plan(tmp_path, REDIALED))
    first = await world.calls(1)
    await world.ends(first)
    second = await world.calls(2)
    assert second.resumes == (first.id,)
    await world.ends(second, Party.AGENT)
    assert (await world.calls(3)).resumes == ()


async def test_nobody_goes_on_with_what_another_says_by_the_same_number(tmp_path: Path) -> None:
    world = Redialed(plan(tmp_path, REDIALED))
    first = await world.calls(1)
    world.line = Line.LIVE
    second = await world.calls(2)
    assert second.resumes == ()
    world.line = Line.GONE
    for ended, number in ((second, 3), (first, 4)):
        await world.ends(ended)
        again = await world.calls(number)
        assert again.resumes == (), "whichever of them it is"
        await world.ends(again)
    assert await world.store.last(key(first)) == SHARED


async def test_whose_line_is_dead_goes_on_though_their_call_hasnt_ended(tmp_path: Path) -> None:
    world = Redialed(plan(tmp_path, REDIALED))
    first = await world.calls(1)
    world.line = Line.SILENT
    second = await world.calls(2)
    assert second.resumes == (first.id,)
    await world.ends(second)
    world.line = Line.GONE
    assert (await world.calls(3)).resumes == (first.id, second.id), "a caller's own calls are no two callers'"
