"""Where a call gets, and where it goes on: each kind of route by each word of the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app.catalogue import load as catalogue
from gateway.dialplan.actions import Goto, Limits
from gateway.dialplan.load import load
from gateway.dialplan.model import Place, Ref
from gateway.dialplan.overrides import Override
from gateway.dialplan.plan import Plan
from gateway.dialplan.state import State, state_of
from gateway.dispatch import stops
from gateway.dispatch.decide import Arrival, arrived
from gateway.dispatch.ended import ending
from gateway.errors import OurFault
from gateway.terms.act import (
    TALK,
    Act,
    Because,
    By,
    Callee,
    Choose,
    Dismiss,
    Onward,
    Promise,
    Record,
    Ring,
    Talk,
    Wait,
)
from gateway.terms.call import Call, CallId, Pool
from gateway.terms.ending import Ending
from gateway.terms.event import Kind
from gateway.terms.personal import Number

PLACE = Place("main.yaml", 1, 1)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
PLAN = """\
offhook: 1
timezone: UTC
country: US
human: desk
numbers:
  "+15105550100": front
  "+15105550200": direct
  "+15105550300": shut
  "+15105550400": line
hours: {office: Mon-Fri 9-5, night: Mon-Fri 22-23}
people:
  ana: {call: +1 510 555 0111}
  ben: {call: "sip:ben@pbx", hours: night}
teams:
  crew: {members: [ana], notify: ["mailto:crew@acme.example"], unanswered: leave}
  own: {members: [ben]}
routes:
  front: {menu: {say: Press 1 or talk., 1: direct, 2: away, 3: refuse, speech: help, silence: leave}}
  help: {agent: support, no_agent: leave}
  desk: {team: crew, wait: {press: {1: leave}, at_most: 2m}}
  line: {team: own, unanswered: direct}
  direct: {dial: ana, ring: 12s, unanswered: leave}
  away: {dial: ben, unanswered: {callback: {within: 30m}}}
  refuse: {reject: 603}
  shut: {agent: sales, hours: night, closed: leave, limits: {calls: 5}}
  leave: {message: {closed: "We open {reopens}.", otherwise: Please speak., notify: crew}}
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    where = tmp_path_factory.mktemp("plan") / "main.yaml"
    where.write_text(PLAN)
    loaded = load(where, catalogue(), datetime.fromtimestamp(NOON, UTC))
    assert loaded.plan, [str(one) for one in loaded.findings]
    return loaded.plan


def call_to(plan: Plan, dialed: str, state: State | None = None) -> Call:
    arrival = Arrival(CallId("SCL_1"), "call-_x", "sip_1", Number(dialed), Number("+15105550177"), "ST_1", joined=True)
    return arrived(plan, arrival, NOON, state)[0]


def on(plan: Plan, call: Call, because: Because, key: str = "", state: State | None = None) -> Call:
    return stops.led(plan, call, Onward(because, key), NOON, state or State())[0]


@pytest.mark.parametrize(
    ("dialed", "act"),
    [
        ("+15105550100", Choose("Press 1 or talk.", "123", speech=True)),
        ("+15105550200", Ring(Callee("ana", "+15105550111"), 12.0)),
        ("+15105550400", Wait("own")),
    ],
)
def test_a_call_begins_at_the_act_of_its_route(plan: Plan, dialed: str, act: Act) -> None:
    call = call_to(plan, dialed)
    assert (call.act, call.pool, call.stop, call.reject) == (act, Pool.HOUSE, 1, 0)
    assert call.brief.agent == ""


def test_closed_hours_lead_to_the_words_for_them(plan: Plan) -> None:
    call = call_to(plan, "+15105550300")
    assert (call.route, call.because) == ("leave", "closed")
    assert isinstance(call.act, Record)
    assert call.act.say.startswith("We open ")
    assert "{" not in call.act.say
    assert (call.act.because, call.act.team, call.act.notify) == ("closed", "crew", ("mailto:crew@acme.example",))


@pytest.mark.parametrize(
    ("dialed", "because", "key", "route", "kind"),
    [
        ("+15105550100", Because.KEY, "1", "direct", Ring),
        ("+15105550100", Because.KEY, "3", "refuse", Dismiss),
        ("+15105550100", Because.SPEECH, "", "help", Talk),
        ("+15105550100", Because.SILENCE, "", "leave", Record),
        ("+15105550100", Because.HUMAN, "", "desk", Wait),
        ("+15105550200", Because.UNANSWERED, "", "leave", Record),
        ("+15105550400", Because.UNANSWERED, "", "direct", Ring),
        ("+15105550200", Because.DEAD_AIR, "", "direct", Promise),
    ],
)
def test_each_word_leads_where_the_plan_says(
    plan: Plan, dialed: str, because: Because, key: str, route: str, kind: type[Act]
) -> None:
    led = on(plan, call_to(plan, dialed), because, key)
    assert (led.route, type(led.act), led.stop) == (route, kind, 2)
    assert led.pool is (Pool.AGENTS if kind is Talk else Pool.HOUSE)


def minutes(plan: Plan, **limits: float) -> Plan:
    """The plan with the minutes that those routes give a call."""
    routes = {name: replace(plan.routes[name], limits=Limits(minutes=least)) for name, least in limits.items()}
    return replace(plan, routes={**plan.routes, **routes})


def test_a_routes_minutes_begin_when_the_call_gets_there_and_end_in_a_goodbye(plan: Plan) -> None:
    limited = minutes(plan, help=5.0)
    call = call_to(limited, "+15105550100")
    assert call.ends == 0.0
    talking = on(limited, call, Because.SPEECH)
    assert (type(talking.act), talking.ends) == (Talk, NOON + 300.0)
    over = on(limited, talking, Because.MINUTES)
    assert (over.act, over.because, over.ends) == (Dismiss("the route's minutes were up", "minutes"), "minutes", 0.0)
    assert over.pool is Pool.HOUSE
    assert ending(replace(over, told=frozenset({Kind.TURN.value}))) is Ending.SERVED


def test_the_fewest_minutes_on_the_way_count(plan: Plan) -> None:
    assert call_to(minutes(plan, front=2.0), "+15105550100").ends == NOON + 120.0
    both = minutes(plan, front=2.0, desk=1.0)
    both = replace(
        both, routes={**both.routes, "front": replace(both.routes["front"], action=Goto(Ref("desk", PLACE)))}
    )
    waiting = call_to(both, "+15105550100")
    assert (waiting.act, waiting.ends) == (Wait("crew", at_most=60.0, press="1"), 0.0)


def test_whoever_waits_or_is_rung_goes_on_to_unanswered_when_the_minutes_are_up(plan: Plan) -> None:
    rung = call_to(minutes(plan, direct=0.1), "+15105550200")
    assert (rung.act, rung.ends) == (Ring(Callee("ana", "+15105550111"), 6.0), 0.0)


def test_a_team_says_what_comes_when_its_route_doesnt(plan: Plan) -> None:
    desk = on(plan, call_to(plan, "+15105550100"), Because.HUMAN)
    led = on(plan, desk, Because.UNANSWERED)
    assert isinstance(led.act, Record)
    assert (led.act.say, led.because) == ("Please speak.", "unanswered")


def test_a_failed_agent_leads_to_no_agent_and_out_of_a_line_by_its_key(plan: Plan) -> None:
    helped = on(plan, call_to(plan, "+15105550100"), Because.SPEECH)
    assert helped.brief.leads_without_agent
    assert helped.brief.leads_to_person
    assert helped.brief.country == "US"
    assert on(plan, helped, Because.NO_AGENT).route == "leave"
    desk = on(plan, helped, Because.HUMAN)
    assert on(plan, desk, Because.KEY, "1").route == "leave"


HELPED = """\
offhook: 1
timezone: UTC
country: US
human: callback
numbers: {"+15105550100": sales, "+15105550200": other}
hours: {office: Mon-Fri 9-5}
routes:
  sales: {agent: sales, human: helpdesk}
  other: {agent: sales, human: always}
  helpdesk: {agent: support, hours: office, closed: leave}
  always: {agent: support}
  leave: {message: {otherwise: Please speak., notify: "mailto:crew@acme.example"}}
"""


def test_an_agent_who_stands_for_a_person_keeps_the_hours_of_its_route(tmp_path: Path) -> None:
    (tmp_path / "main.yaml").write_text(HELPED)
    loaded = load(tmp_path, catalogue(), datetime.fromtimestamp(NOON, UTC))
    assert loaded.plan is not None, loaded.findings
    sales = call_to(loaded.plan, "+15105550100")
    assert (sales.brief.human, sales.brief.leads_to_person) == ("", True), "control is asked"
    assert on(loaded.plan, sales, Because.HUMAN).route == "helpdesk"
    night, _ = stops.led(loaded.plan, sales, Onward(Because.HUMAN), NOON + 12 * 3600, State())
    assert (night.route, night.because) == ("leave", "closed")
    other = call_to(loaded.plan, "+15105550200")
    assert (other.brief.human, other.brief.leads_to_person) == ("support", False), "taken over in the same job"


def test_who_is_outside_their_hours_or_away_is_not_rung(plan: Plan) -> None:
    ben = on(plan, call_to(plan, "+15105550100"), Because.KEY, "2")
    assert ben.act == Ring(None, 25.0)
    promised = on(plan, ben, Because.UNANSWERED)
    assert promised.act == Promise("nobody took the call", 1800.0)
    gone = state_of([Override(1, "away", "ana", NOON + 60, "", "ops", NOON)], NOON + 1)
    assert call_to(plan, "+15105550200", gone).act == Ring(None, 12.0)


def test_a_menu_that_cant_be_said_leads_on_as_silence_does_where_the_plan_says_nothing(plan: Plan) -> None:
    menu = call_to(plan, "+15105550100")
    assert on(plan, menu, Because.DEAD_AIR).route == on(plan, menu, Because.SILENCE).route == "leave"


def test_an_operators_words_come_first(plan: Plan) -> None:
    told = state_of([Override(1, "notice", "all", NOON + 60, "We move.", "ops", NOON)], NOON + 1)
    menu = call_to(plan, "+15105550100", told)
    assert isinstance(menu.act, Choose)
    assert (menu.act.say, menu.brief.notice) == ("We move.\nPress 1 or talk.", ""), "a prompt a line"
    assert call_to(plan, "+15105550400", told).brief.notice == "We move."


def test_an_operators_notice_is_told_again_only_to_who_may_have_skipped_it(plan: Plan) -> None:
    told = state_of([Override(1, "notice", "all", NOON + 60, "We move.", "ops", NOON)], NOON + 1)
    line = call_to(plan, "+15105550400", told)
    assert (line.brief.notice, line.noticed) == ("We move.", ("We move.",))
    rung, _ = stops.led(plan, line, Onward(Because.UNANSWERED), NOON, told)
    assert (rung.brief.notice, rung.noticed) == ("", ("We move.",))
    left, _ = stops.led(plan, rung, Onward(Because.UNANSWERED), NOON, told)
    assert isinstance(left.act, Record)
    assert left.act.say == "Please speak."

    menu = call_to(plan, "+15105550100", told)
    for onward in (Onward(Because.KEY, "1"), Onward(Because.HUMAN)):
        after, _ = stops.led(plan, menu, onward, NOON, told)
        assert after.brief.notice == "We move.", "a key cuts words off"
    agent, _ = stops.led(plan, menu, Onward(Because.SPEECH), NOON, told)
    assert (agent.act, agent.brief.notice) == (TALK, "")
    person, _ = stops.led(plan, agent, Onward(Because.HUMAN), NOON, told)
    assert (person.route, person.brief.notice) == ("desk", "")
    more = state_of([Override(1, "notice", "all", NOON + 60, "We have moved.", "ops", NOON)], NOON + 1)
    later, _ = stops.led(plan, agent, Onward(Because.HUMAN), NOON, more)
    assert later.brief.notice == "We have moved.", "another one is news"


def test_a_full_route_is_passed_by_and_counts_where_the_call_is(plan: Plan) -> None:
    opened = State(opened={"night": Override(1, "open", "night", NOON + 60, "", "ops", NOON)})
    arrival = Arrival(CallId("SCL_1"), "call-_x", "sip_1", Number("+15105550300"), Number(""), "ST_1", joined=True)
    call, limits = arrived(plan, arrival, NOON, opened)
    assert (call.act, limits) == (TALK, {"shut": 5})
    _, after = stops.led(plan, call, Onward(Because.HUMAN), NOON, opened)
    assert after == {}


def test_a_rejected_call_has_no_stop(plan: Plan) -> None:
    assert call_to(plan, "+15105550999").reject == 404


@given(
    route=st.sampled_from(["front", "help", "desk", "line", "direct", "away", "refuse", "shut", "leave", "gone"]),
    because=st.sampled_from(list(Because)),
    key=st.sampled_from(["", "1", "9"]),
)
def test_every_word_on_every_route_leads_somewhere(plan: Plan, route: str, because: Because, key: str) -> None:
    """A plan that has changed, or a job of another version, must not strand a caller."""
    try:
        led = on(plan, replace(call_to(plan, "+15105550100"), route=route), because, key)
    except OurFault as bad:
        pytest.fail(str(bad))
    assert led.stop == 2
    assert led.route in plan.routes or isinstance(led.act, Promise | Dismiss)


TRANSFERS = """
offhook: 1
timezone: UTC
country: US
human: callback
numbers: {+15105550100: sales, +15105550101: open}
outbound: {countries: [US]}
routes:
  sales: {agent: sales, transfer: {to: {ana: ana, front: (510) 555-0177}, by: dial, ring: 10s}}
  open: {agent: sales, transfer: {to: {ana: ana}, numbers: yes}}
people: {ana: {call: (510) 555-0111}}
"""


@pytest.fixture(scope="module")
def transfers(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    directory = tmp_path_factory.mktemp("plan")
    (directory / "main.yaml").write_text(TRANSFERS)
    found = load(directory, catalogue(), datetime.fromtimestamp(NOON, UTC))
    assert found.plan is not None, [str(one) for one in found.findings]
    return found.plan


def through(plan: Plan, dialed: str, to: str, state: State | None = None) -> Call:
    there, _ = stops.led(plan, call_to(plan, dialed), Onward(Because.TRANSFER, to), NOON, state or State())
    assert (there.because, there.pool) == ("transfer", Pool.HOUSE)
    return there


def test_an_agents_caller_is_put_through_to_whom_the_route_allows(transfers: Plan) -> None:
    assert through(transfers, "+15105550100", "ana").act == Ring(Callee("ana", "+15105550111"), 10.0, By.DIAL)
    assert through(transfers, "+15105550100", "front").act == Ring(Callee("", "+15105550177"), 10.0, By.DIAL)
    assert through(transfers, "+15105550101", "ana").act == Ring(Callee("ana", "+15105550111"), 25.0, By.EITHER)


def test_nobody_else_is(transfers: Plan) -> None:
    for to in ("eve", "+15105550199", "sip:eve@pbx", "+19005550199", ""):
        assert through(transfers, "+15105550100", to).act == Ring(None, 10.0, By.DIAL)
    number = Callee("", "+15105550199")
    assert through(transfers, "+15105550101", number.address).act == Ring(number, 25.0, By.EITHER), (
        "the guard judges it"
    )


def test_who_is_away_isnt(transfers: Plan) -> None:
    away = state_of([Override(1, "away", "ana", NOON + 60, "", "op", NOON - 60)], NOON)
    assert through(transfers, "+15105550100", "ana", away).act == Ring(None, 10.0, By.DIAL)


def test_who_isnt_reached_comes_back_to_the_agent(transfers: Plan) -> None:
    ringing = through(transfers, "+15105550100", "ana")
    back, _ = stops.led(transfers, ringing, Onward(Because.UNANSWERED, why="busy"), NOON, State())
    assert (back.act, back.route, back.pool, back.because) == (
        Talk("put through: busy"),
        "sales",
        Pool.AGENTS,
        "unanswered",
    )
    assert (back.brief.agent, back.brief.transfers) == ("sales", ("ana", "front"))
    down, _ = stops.led(transfers, ringing, Onward(Because.UNANSWERED, why="busy"), NOON, State(no_agent=True))
    assert isinstance(down.act, Promise), "without an agent they are called back"


def test_who_was_put_through_was_served(transfers: Plan) -> None:
    ringing = through(transfers, "+15105550100", "ana")
    assert ending(replace(ringing, told=frozenset({Kind.TRANSFERRED.value}))) is Ending.SERVED
    assert ending(ringing) is Ending.ABANDONED
