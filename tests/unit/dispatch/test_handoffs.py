"""Where a caller gets whom an agent gives to a human, and where from there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.app.catalogue import load as catalogue
from gateway.bus.callstate import Status
from gateway.dialplan.load import load
from gateway.dialplan.plan import Plan
from gateway.dialplan.state import State
from gateway.dispatch import stops
from gateway.dispatch.decide import TRIES, Arrival, arrived
from gateway.dispatch.reconcile import PARTS_WITHIN
from gateway.handoff.state import SETTLE
from gateway.terms.act import RING_BACK, TALK, Because, Handoff, Onward, Promise, Record, Ring, Talk
from gateway.terms.call import Call, CallId, Left, Phase, Pool
from gateway.terms.ending import Party
from gateway.terms.event import Kind
from gateway.terms.personal import Number
from gateway.terms.times import patience
from tests.unit.dialplan.plans import loaded
from tests.unit.dispatch.world import CALL, World, arrival, state

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
PLAN = """\
offhook: 1
timezone: UTC
country: US
human: callback
numbers:
  "+15105550100": sales
  "+15105550200": quiet
  "+15105550300": own
  "+15105550400": teams
  "+15105550500": without
  "+15105550600": screens
  "+15105550700": back
  "+15105550800": never
  "+15105550900": hasty
  "+15105551000": shared
people:
  ana: {call: +1 510 555 0111, notify: ["sms:+15105550111", "mailto:ana@acme.example"]}
  ben: {call: +1 510 555 0112}
  eve: {browser: yes, notify: ["mailto:eve@acme.example"]}
  fay: {browser: fay}
  turns: {rotate: {order: [ana, ben]}}
teams:
  desk: {members: [ben, turns], notify: ["mailto:desk@acme.example"]}
  other: {members: [ana], unanswered: leave}
  hasty: {members: [ana], ring_back: 30s}
  screens: {members: [eve, ben]}
  shared: {members: [fay, ana], notify: ["mailto:shared@acme.example"]}
routes:
  sales: {agent: sales, handoff: desk}
  quiet: {agent: sales, handoff: desk, introduce: false}
  back: {agent: sales, handoff: hasty, ring_back: 2m}
  never: {agent: sales, handoff: hasty, ring_back: no}
  own: {agent: sales, handoff: other, unanswered: {callback: {within: 30m}}}
  teams: {agent: sales, handoff: other}
  without: {agent: sales}
  screens: {agent: sales, handoff: screens}
  hasty: {agent: sales, handoff: hasty}
  shared: {agent: sales, handoff: shared}
  leave: {message: {unanswered: Nobody is there., otherwise: Please speak., notify: desk}}
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    where = tmp_path_factory.mktemp("plan") / "main.yaml"
    where.write_text(PLAN)
    found = load(where, catalogue(), datetime.fromtimestamp(NOON, UTC))
    assert found.plan, [str(one) for one in found.findings]
    return found.plan


def at_agent(plan: Plan, dialed: str) -> Call:
    arrival = Arrival(CallId("SCL_1"), "call-1", "sip_1", Number(dialed), Number("+14155550142"), "ST_1", joined=True)
    return arrived(plan, arrival, NOON, State())[0]


def after(plan: Plan, call: Call, because: Because, why: str = "", state: State | None = None) -> Call:
    return stops.led(plan, call, Onward(because, why=why), NOON, state or State())[0]


@pytest.mark.parametrize(("dialed", "introduce"), [("+15105550100", True), ("+15105550200", False)])
def test_an_agent_gives_its_caller_to_the_routes_team(plan: Plan, dialed: str, introduce: bool) -> None:
    call = at_agent(plan, dialed)
    assert call.brief.handoff == "desk"
    given = after(plan, call, Because.HANDOFF)
    cards = (("ana", ("sms:+15105550111", "mailto:ana@acme.example")),)
    assert given.act == Handoff("desk", introduce=introduce, notify=("mailto:desk@acme.example",), cards=cards)
    assert (given.pool, given.because, given.route, given.brief.agent) == (Pool.HOUSE, "handoff", call.route, "")


@pytest.mark.parametrize(
    ("ring", "members", "seconds"),
    [("ringall", 9, 120.0), ("linear", 2, 120.0), ("linear", 9, 9 * (30.0 + SETTLE)), ("random", 40, 600.0)],
)
def test_each_of_a_team_is_rung_once_before_it_is_given_up(
    tmp_path: Path, ring: str, members: int, seconds: float
) -> None:
    names = [f"m{number}" for number in range(members)]
    people = "".join(f"  {name}: {{call: +1 510 555 {100 + number:04}}}\n" for number, name in enumerate(names))
    many = loaded(
        tmp_path,
        "offhook: 1\ntimezone: UTC\nhuman: callback\nnumbers: {+15105550100: line}\n"
        "routes: {line: {agent: sales, handoff: many}}\n"
        f"people:\n{people}teams: {{many: {{members: [{', '.join(names)}], ring: {ring}, for: 30s}}}}\n",
    ).plan
    assert many is not None
    act = after(many, at_agent(many, "+15105550100"), Because.HANDOFF).act
    assert isinstance(act, Handoff)
    assert act.at_most == seconds


@pytest.mark.parametrize(
    ("dialed", "seconds"),
    [("+15105550100", RING_BACK), ("+15105550700", 120.0), ("+15105550800", 0.0), ("+15105550900", 30.0)],
)
def test_the_route_or_else_the_team_says_how_soon_a_lost_line_is_rung_back(
    plan: Plan, dialed: str, seconds: float
) -> None:
    given = after(plan, at_agent(plan, dialed), Because.HANDOFF)
    assert isinstance(given.act, Handoff)
    assert given.act.ring_back == seconds


@pytest.mark.parametrize(
    ("written", "said"),
    [("yes", ""), ("soon", "'soon' is no length of time for 'ring_back'."), ("3h", "'ring_back' can't be 3h.")],
)
def test_how_soon_must_be_a_time_or_no(tmp_path: Path, written: str, said: str) -> None:
    where = tmp_path / "main.yaml"
    where.write_text(PLAN.replace("ring_back: 30s", f"ring_back: {written}"))
    found = load(where, catalogue(), datetime.fromtimestamp(NOON, UTC)).findings
    assert [one.what for one in found if "ring_back" in one.what] == ([said] if said else [])


def test_whom_nobody_takes_their_agent_talks_on_with(plan: Plan) -> None:
    given = after(plan, at_agent(plan, "+15105550100"), Because.HANDOFF)
    back = after(plan, given, Because.UNANSWERED, "busy")
    assert back.act == Talk("busy")
    assert (back.pool, back.brief.agent, back.brief.notice) == (Pool.AGENTS, "sales", "")
    again = after(plan, back, Because.HANDOFF)
    assert isinstance(again.act, Handoff), "it may be tried once more"


def test_without_agents_they_are_called_back(plan: Plan) -> None:
    given = after(plan, at_agent(plan, "+15105550100"), Because.HANDOFF)
    back = after(plan, given, Because.UNANSWERED, "busy", State(no_agent=True))
    assert isinstance(back.act, Promise)


def test_the_plan_may_say_something_else_for_the_route_or_the_team(plan: Plan) -> None:
    own = after(plan, after(plan, at_agent(plan, "+15105550300"), Because.HANDOFF), Because.UNANSWERED, "busy")
    assert isinstance(own.act, Promise)
    assert (own.act.reason, own.act.within) == ("nobody took the call", 1800)
    team = after(plan, after(plan, at_agent(plan, "+15105550400"), Because.HANDOFF), Because.UNANSWERED, "busy")
    assert isinstance(team.act, Record)
    assert (team.route, team.act.say) == ("leave", "Nobody is there.")


ENDINGS = """\
  split: {agent: sales, handoff: desk, unanswered: {busy: own, no_answer: {callback: {within: 30m}}, mailbox: {say: Only a mailbox answered.},
    declined: {say: They decline., to: leave}, closed: {say: They are closed., to: {callback: {within: 2h}}}, otherwise: {say: Well., to: leave}}}
  by-team: {agent: sales, handoff: apart}
  both: {agent: sales, handoff: apart, unanswered: {busy: leave}}
  rings: {dial: ana, unanswered: {busy: {say: She is on the phone., to: sales}, otherwise: leave}}
"""
APART = """\
  apart: {members: [ana], unanswered: {nobody: {say: Nobody is in., to: leave}, otherwise: callback}}
"""


@pytest.fixture(scope="module")
def told_apart(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan with a step for each ending."""
    numbers = '  "+15105551100": split\n  "+15105551200": by-team\n  "+15105551300": both\n  "+15105551400": rings\n'
    text = PLAN.replace("people:\n", numbers + "people:\n").replace("teams:\n", "teams:\n" + APART) + ENDINGS
    found = loaded(tmp_path_factory.mktemp("apart"), text)
    assert found.plan, [str(one) for one in found.findings]
    return found.plan


SPLIT, BY_TEAM, BOTH, RINGS = (f"+1510555{number}00" for number in (11, 12, 13, 14))


@pytest.mark.parametrize(
    ("dialed", "why", "act", "route", "said"),
    [
        (SPLIT, "busy", Talk, "own", ""),
        (SPLIT, "no answer", Promise, "split", ""),
        (SPLIT, "machine", Talk, "split", ""),
        (SPLIT, "declined", Record, "leave", "They decline."),
        (SPLIT, "closed", Promise, "split", "They are closed."),
        (SPLIT, "hung up", Record, "leave", "Well."),
        (SPLIT, "unreachable", Record, "leave", "Well."),
        (SPLIT, "undecided", Record, "leave", "Well."),
        (SPLIT, "nobody", Record, "leave", "Well."),
        (BY_TEAM, "nobody", Record, "leave", "Nobody is in."),
        (BY_TEAM, "busy", Promise, "by-team", ""),
        (BOTH, "busy", Record, "leave", ""),
        (BOTH, "nobody", Record, "leave", "Nobody is in."),
    ],
)
def test_each_ending_has_its_own_step_and_words(
    told_apart: Plan, dialed: str, why: str, act: type, route: str, said: str
) -> None:
    given = after(told_apart, at_agent(told_apart, dialed), Because.HANDOFF)
    there = after(told_apart, given, Because.UNANSWERED, why)
    assert (type(there.act), there.route, there.brief.notice) == (act, route, said)
    if (dialed, why) == (SPLIT, "machine"):
        assert there.act == Talk("machine", "Only a mailbox answered."), "the agent goes on, in the plan's words"


def test_whom_the_agent_couldnt_promise_anybody_goes_where_the_plan_says(told_apart: Plan) -> None:
    call = at_agent(told_apart, SPLIT)
    assert call.brief.untaken == ("busy", "closed")
    there = after(told_apart, call, Because.UNANSWERED, "closed")
    assert isinstance(there.act, Promise)
    assert there.act.within == 7200
    assert at_agent(told_apart, BY_TEAM).brief.untaken == ("nobody",)
    assert at_agent(told_apart, BOTH).brief.untaken == ("busy", "nobody")


def test_one_phone_has_endings_too(told_apart: Plan) -> None:
    ringing = at_agent(told_apart, RINGS)
    assert isinstance(ringing.act, Ring)
    busy = after(told_apart, ringing, Because.UNANSWERED, "busy")
    assert (busy.act, busy.route, busy.brief.notice) == (TALK, "sales", "She is on the phone.")
    assert isinstance(after(told_apart, ringing, Because.UNANSWERED, "no answer").act, Record)


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ("{agent: sales, handoff: desk, unanswered: {voicemail: leave}}", "Here it is called 'mailbox'."),
        (
            "{agent: sales, handoff: desk, unanswered: {busy: nowhere}}",
            "'unanswered: busy' of 'without' leads to a route 'nowhere'",
        ),
        ("{agent: sales, handoff: desk, unanswered: {busy: {say: Hm., go: leave}}}", "There is no 'go' in busy."),
        ("{dial: ana, unanswered: {busy: {say: Hm.}, otherwise: leave}}", "Nothing follows the words of 'busy'."),
        ("{dial: ana, unanswered: {busy: leave}}", "Add otherwise: with a route's name to its unanswered."),
        ("{dial: ana, unanswered: {busy: own-goal, otherwise: leave}}", "without (unanswered: busy) → own-goal"),
    ],
)
def test_what_is_wrong_with_an_endings_step_is_told(tmp_path: Path, route: str, said: str) -> None:
    text = PLAN.replace("without: {agent: sales}", f"without: {route}")
    if "own-goal" in route:
        text += "  own-goal: {dial: ben, unanswered: {busy: without, otherwise: without}}\n"
    told = [str(one) for one in loaded(tmp_path, text).findings]
    assert any(said in one for one in told), told


def test_a_message_goes_to_the_team(plan: Plan) -> None:
    left = after(plan, at_agent(plan, "+15105550100"), Because.MESSAGE)
    assert isinstance(left.act, Record)
    assert (left.act.team, left.act.notify, left.act.because) == ("desk", ("mailto:desk@acme.example",), "unanswered")


def test_a_route_without_a_team_gives_nobody_to_one(plan: Plan) -> None:
    call = at_agent(plan, "+15105550500")
    assert call.brief.handoff == ""
    assert isinstance(after(plan, call, Because.HANDOFF).act, Promise)


@pytest.mark.parametrize("more", ["introduce: false", "ring_back: no", "unanswered: leave"])
def test_what_is_about_a_handoff_needs_one(tmp_path: Path, more: str) -> None:
    where = tmp_path / "main.yaml"
    where.write_text(PLAN.replace("without: {agent: sales}", f"without: {{agent: sales, {more}}}"))
    [finding] = load(where, catalogue(), datetime.fromtimestamp(NOON, UTC)).findings
    assert "it is about a handoff" in finding.what


DESK = Handoff("desk")


async def with_caller_given_to_a_human(bridged: str = "", act: Handoff = DESK) -> World:
    """A call whose job rings a team for its caller, or has connected one of it."""
    world = World()
    await world.one.arrived(arrival())
    call = await world.store.get(CALL)
    assert call
    assert await world.store.take(CALL, call.epoch, "job-1", 3.0)
    there = replace(call, act=act, stop=2, pool=Pool.HOUSE, checkpoint="", bridged="")
    assert await world.store.lead(there, {})
    if bridged:
        assert await world.store.keep(CALL, call.epoch, 2, "{}", bridged)
    return world


async def test_a_job_may_tell_whoever_has_answered_that_the_caller_has_gone() -> None:
    world = await with_caller_given_to_a_human()
    await world.one.gone(CALL)
    known = await world.store.get(CALL)
    assert known
    assert (known.phase, world.rooms.did("close")) == (Phase.ENDED, 0)
    await world.one.reconcile()
    assert world.rooms.did("close") == 0
    world.now += PARTS_WITHIN
    await world.one.reconcile()
    assert world.rooms.did("close") == 1, "a job that has died leaves nobody behind"


@pytest.mark.parametrize(("ring_back", "closed"), [(0.0, 1), (RING_BACK, 0)])
async def test_two_who_talked_need_such_a_moment_where_a_lost_caller_is_called_back(
    ring_back: float, closed: int
) -> None:
    world = await with_caller_given_to_a_human("desk-1", Handoff("desk", ring_back=ring_back))
    await world.one.gone(CALL)
    assert world.rooms.did("close") == closed
    world.now += PARTS_WITHIN
    await world.one.reconcile()
    assert world.rooms.did("close") == 1


def test_a_handoff_knows_who_may_take_it_in_a_browser_and_who_can_nowhere_else(plan: Plan) -> None:
    act = after(plan, at_agent(plan, "+15105550600"), Because.HANDOFF).act
    assert isinstance(act, Handoff)
    assert (act.browsers, act.no_phone) == (("eve",), ("eve",))
    assert act.cards == (("eve", ("mailto:eve@acme.example",)),)


def test_whose_link_has_no_address_of_its_own_gets_it_by_the_teams(plan: Plan) -> None:
    act = after(plan, at_agent(plan, "+15105551000"), Because.HANDOFF).act
    assert isinstance(act, Handoff)
    assert act.browsers == ("fay",)
    assert dict(act.cards)["fay"] == ("mailto:shared@acme.example",)


@pytest.mark.parametrize("lost", [True, False])
async def test_a_caller_whose_human_has_left_while_no_job_was_there_is_given_to_the_next(lost: bool) -> None:
    """Whether they are rung back, a third is there, or all is said is for its machine to say."""
    world = await with_caller_given_to_a_human("desk-1")
    world.rooms.there[CALL] = arrival()
    world.now += patience(0)
    await world.one.parted("call-_x", "leg-desk-1", lost=lost)
    assert (world.rooms.did("close"), await world.store.live() != []) == (0, True)
    await world.one.supervise()
    call = await world.store.get(CALL)
    assert call
    assert (call.epoch, call.parted) == (2, Left("desk-1", world.now, lost))
    assert [one[1] for one in world.rooms.done if one[0] == "dispatch"] == ["offhook-agents", "offhook-house"]
    assert Kind.HANGUP not in await world.kinds()


async def test_a_job_that_has_only_just_come_hears_how_the_human_has_left() -> None:
    world = await with_caller_given_to_a_human("desk-1")
    await world.one.parted("call-_x", "leg-desk-1", lost=True)
    call = await world.store.get(CALL)
    assert call
    assert (call.epoch, call.parted) == (1, Left("desk-1", world.now, lost=True))


@pytest.mark.parametrize(("by", "lost"), [(Party.NETWORK, True), (Party.CALLER, False)])
async def test_a_job_hears_how_the_human_has_left_where_livekit_sends_no_webhook(by: Party, lost: bool) -> None:
    """Their SIP service tells how their call has ended."""
    world = await with_caller_given_to_a_human("desk-1")
    theirs = state(Status.DISCONNECTED, call_id="SCL_theirs", identity="leg-desk-1", by=by, outbound=True)
    await world.one.heard(replace(theirs, status=Status.ACTIVE))
    await world.one.heard(replace(theirs, identity="leg-desk-2"))
    await world.one.heard(replace(theirs, room=""))
    call = await world.store.get(CALL)
    assert call
    assert call.parted is None
    await world.one.heard(theirs)
    call = await world.store.get(CALL)
    assert call
    assert call.parted == Left("desk-1", world.now, lost)


@pytest.mark.parametrize(("lost", "ending"), [(True, "lost"), (False, "served")])
async def test_a_caller_whose_human_has_left_waits_for_a_job_no_longer_than_others(lost: bool, ending: str) -> None:
    world = await with_caller_given_to_a_human("desk-1")
    world.rooms.there[CALL] = arrival()
    world.now += patience(0)
    await world.one.parted("call-_x", "leg-desk-1", lost=lost)
    for _ in range(TRIES + 1):
        world.now += patience(1)
        await world.one.supervise()
    assert world.rooms.done[-2:] == [("turn away", "503"), ("close",)]
    assert [event.data["ending"] for event in await world.events() if event.kind is Kind.ENDED] == [ending]
