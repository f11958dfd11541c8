"""`outbound` and `transfer` of a plan: read, refused with what to write instead, and what the jobs get of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.dialplan.actions import Dial
from gateway.dialplan.model import Ref, Severity
from gateway.dialplan.overrides import Override
from gateway.dialplan.route import Ask
from gateway.dialplan.simulate import simulate
from gateway.dialplan.state import State
from gateway.terms.outbound import Caps, Outbound, Rules, Spend
from gateway.terms.personal import Number
from tests.unit.dialplan.plans import NOON, loaded, plan

HEAD = "offhook: 1\ncountry: US\ntimezone: America/New_York\nhuman: callback\nnumbers: {+15105550100: a}\n"
ROUTES = "routes:\n  a: {agent: sales}\n"
PEOPLE = 'people: {ana: {call: (510) 555-0111}, ben: {call: "sip:ben@PBX"}}\n'
OUT = """
outbound:
  countries: [us, CA]
  prefixes: "+44 20*"
  costly: ["+44 (870)"]
  caps: {call: 1, route: 100}
  spend: {a_day: 20.5, minute: {+1: 0.02, otherwise: 1}, minutes: 3}
"""


def told(directory: Path, text: str) -> list[str]:
    return [str(one) for one in loaded(directory, HEAD + text).findings if one.severity is not Severity.NOTE]


def test_what_may_be_called_is_what_is_named_and_what_is_let_out(tmp_path: Path) -> None:
    numbers = '  d: {dial: "+44 20 7946 0111", unanswered: a}\n  e: {dial: "sip:desk@pbx", unanswered: a}\n'
    found = plan(
        tmp_path, HEAD.replace("}\n", ", +15105550101: d, +15105550102: e}\n", 1) + ROUTES + numbers + PEOPLE + OUT
    )
    assert found.outbound == Outbound(
        frozenset({"US", "CA"}), ("+4420",), ("+44870",), Caps(1, 5, 100), Spend(20.5, {"+1": 0.02}, 1.0, 3.0)
    )
    named = frozenset({"+15105550111", "sip:ben@pbx", "+442079460111", "sip:desk@pbx"})
    assert found.rules() == Rules(found.outbound, named, "US", "America/New_York")


def test_without_it_nobody_is_but_who_is_named(tmp_path: Path) -> None:
    found = plan(tmp_path, HEAD + ROUTES + PEOPLE)
    assert found.rules() == Rules(Outbound(), frozenset({"+15105550111", "sip:ben@pbx"}), "US", "America/New_York")


@pytest.mark.parametrize(
    ("outbound", "what", "remedy"),
    [
        ("{countries: [USA]}", "'USA' is no country's code", "two letters"),
        ("{prefixes: [44]}", "'44' is no beginning of numbers", "with + and"),
        ("{costly: ['+0900']}", "'+0900' is no beginning", "with + and"),
        ("{caps: {call: many}}", "'many' is no number for 'call'", "whole number"),
        ("{caps: {calls: 3}}", "calls", "call"),
        ("{spend: {a_day: $20}}", "'$20' is no amount", "without a currency"),
        ("{spend: {minute: {1: 2}}}", "'1' is no beginning", "with + and"),
        ("{country: US}", "country", "countries"),
        ("US", "must be 'key: value' lines", "countries: [US]"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_it_is_told_with_a_remedy(tmp_path: Path, outbound: str, what: str, remedy: str) -> None:
    found = told(tmp_path, f"{ROUTES}outbound: {outbound}\n")
    assert any(what in one and remedy in one for one in found), found


def test_it_is_said_once(tmp_path: Path) -> None:
    found = loaded(tmp_path, HEAD + ROUTES + OUT, more__yaml="offhook: 1\noutbound: {countries: [GB]}\n")
    assert any("'outbound' is there already" in str(one) for one in found.errors)


@pytest.mark.parametrize(
    ("people", "what"),
    [
        ('{ana: {call: "+1 900 555 0199"}}', "Premium"),
        ('{ana: {call: "+881 6 1234 5678"}}', "satellite"),
        ('{ana: {call: "sip:ana;x=1@pbx"}}', "isn't written"),
        ('{ana: {call: "sip:0019005550199@pbx"}}', "Premium"),
    ],
)
def test_people_who_would_never_be_called_are_an_error(tmp_path: Path, people: str, what: str) -> None:
    found = told(tmp_path, f"{ROUTES}people: {people}\n")
    assert any("'ana' would never be called" in one and what in one for one in found), found


def test_a_costly_person_is_let_out_by_their_own_beginning(tmp_path: Path) -> None:
    assert (
        told(tmp_path, f'{ROUTES}people: {{ana: {{call: "+1 900 555 0199"}}}}\noutbound: {{costly: ["+1 900"]}}\n')
        == []
    )


def test_a_beginning_that_many_countries_share_is_a_warning(tmp_path: Path) -> None:
    found = told(tmp_path, f"{ROUTES}outbound: {{prefixes: [+1]}}\n")
    assert any("25 countries" in one and "countries: [US]" in one for one in found), found


def test_a_transfer_names_people_and_numbers(tmp_path: Path) -> None:
    route = 'routes:\n  a: {agent: sales, transfer: {to: {ana: ana, front: (510) 555-0177, b: "sip:b@pbx"}, by: dial, ring: 10s}}\n'
    found = plan(tmp_path, HEAD + route + PEOPLE)
    transfer = found.routes["a"].transfer
    assert transfer
    place = found.routes["a"].place
    assert transfer.to == {
        "ana": Dial(Ref("ana", place), "", 10.0), "front": Dial(None, "+15105550177", 10.0), "b": Dial(None, "sip:b@pbx", 10.0)
    }  # fmt: skip
    assert (transfer.by, transfer.numbers) == ("dial", False)
    assert {"+15105550177", "sip:b@pbx"} <= found.rules().named


def test_a_transfer_may_be_a_list_of_people(tmp_path: Path) -> None:
    found = plan(tmp_path, HEAD + "routes:\n  a: {agent: sales, transfer: [ana, ben]}\n" + PEOPLE)
    assert found.routes["a"].transfer
    assert list(found.routes["a"].transfer.to) == ["ana", "ben"]


@pytest.mark.parametrize(
    ("transfer", "what"),
    [
        ("[eve]", "a person 'eve' that isn't there"),
        ("{to: {front: 911}}", "emergency or short number"),
        ("{to: {front: +1 900 555 0199}}", "'front' would never be called: Premium"),
        ("{to: {front: 12345}}", "emergency or short number"),
        ("{to: [ana], by: pigeon}", "'pigeon' is no way to transfer"),
        ("{to: [ana], numbers: yes}", "'outbound' allows none"),
        ("{ring: 10s}", "leads to nobody"),
    ],
)
def test_what_is_wrong_with_a_transfer(tmp_path: Path, transfer: str, what: str) -> None:
    found = told(tmp_path, f"routes:\n  a: {{agent: sales, transfer: {transfer}}}\n{PEOPLE}")
    assert any(what in one for one in found), found


def test_a_simulation_shows_who_could_be_reached_and_how(tmp_path: Path) -> None:
    route = "routes:\n  a: {agent: sales, transfer: {to: {ana: ana, front: (510) 555-0177}, numbers: yes}}\n"
    found = plan(tmp_path, HEAD + route + PEOPLE + OUT)
    ask = Ask("+15105550100", Number("+15105550199"), NOON)
    away = State(away={"ana": Override(1, "away", "ana", NOON.timestamp() + 60, "", "op", 0.0)})
    steps = {
        step.rule: (step.matched, step.why) for step in simulate(found, ask).trace if step.rule.startswith("transfer")
    }
    assert [rule for rule in steps] == ["transfer ana: ana", "transfer front", "transfer: numbers"]
    assert all(matched for matched, _ in steps.values())
    assert "+15105550177, by the caller's carrier, or from here where that can't" in steps["transfer front"][1]
    gone = {step.rule: step.matched for step in simulate(found, ask, away).trace}
    assert not gone["transfer ana: ana"]
