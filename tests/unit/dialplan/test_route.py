"""Tests of the decision, its trace, and what operators override."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialplan.headers import attestation, claimed, diverted_from
from gateway.dialplan.overrides import Override
from gateway.dialplan.plan import Attestation, Plan
from gateway.dialplan.route import Ask, Decision, decide
from gateway.dialplan.simulate import simulate
from gateway.dialplan.state import State, state_of
from gateway.dialplan.wording import said_of
from gateway.terms.number import normalise
from tests.unit.dialplan.plans import example, loaded, plan

ZONE = ZoneInfo("America/New_York")
MONDAY = datetime(2026, 11, 23, 10, tzinfo=ZONE)
LUNCH = MONDAY.replace(hour=13)


def ask(
    dialed: str, caller: str = "", at: datetime = MONDAY, headers: Mapping[str, str] | None = None, key: str = ""
) -> Ask:
    return Ask(dialed, normalise(caller, "US") if caller else None, at, headers or {}, key)


def reached(where: Plan, call: Ask, state: State | None = None) -> str:
    return decide(where, call, state).route


@pytest.mark.parametrize(
    ("dialed", "caller", "at", "route"),
    [
        ("+15105550100", "", MONDAY, "sales"),
        ("+15105550100", "", LUNCH, "take-message"),
        ("+15105550100", "+14155550199", LUNCH, "key-account"),
        ("+15105550200", "+14155550199", MONDAY, "support"),
        ("+15105550321", "+19005551212", MONDAY, "refuse"),
        ("+15105550449", "", MONDAY, "support"),
        ("+15105550450", "", MONDAY, "not-ours"),
        ("+442079460018", "", MONDAY, "uk-sales"),
        ("+442079460018", "", LUNCH.replace(hour=12, minute=29), "uk-sales"),
        ("+442079460018", "", LUNCH.replace(hour=12, minute=30), "take-message"),
        ("demo", "", MONDAY, "sales"),
        ("nobody", "", MONDAY, "not-ours"),
    ],
)
def test_calls_go_where_the_example_says(dialed: str, caller: str, at: datetime, route: str) -> None:
    assert reached(example(), ask(dialed, caller, at)) == route


def test_a_full_route_leads_on_and_counts_what_it_bears() -> None:
    found = decide(example(), ask("+15105550100"), State(calls={"sales": 19}))
    assert (found.route, dict(found.limits)) == ("sales", {"sales": 20})
    full = decide(example(), ask("+15105550100"), State(calls={"sales": 20}), traced=True)
    assert (full.route, full.because, dict(full.limits)) == ("desk", "full", {})
    assert any(step.rule == "route sales: limits" and "20 calls, at most 20" in step.why for step in full.trace)


def test_a_route_without_agents_leads_on() -> None:
    assert reached(example(), ask("+15105550100"), State(no_agent=True)) == "desk"


BASE = """\
offhook: 1
country: US
timezone: America/New_York
human: callback
numbers: {otherwise: front}
routes:
  front: {agent: sales}
  other: {agent: support}
"""


@pytest.mark.parametrize(
    ("rule", "caller", "headers", "matched"),
    [
        ("from: anonymous", "", {}, True),
        ("from: anonymous", "+14155550100", {}, False),
        ("from: [anonymous, (415) 555-0100]", "+14155550100", {}, True),
        ('from: "+1 415 *"', "+14155550100", {}, True),
        ('from: "+1 415 *"', "", {}, False),
        ("diverted_from: (510) 555-0177", "+1415", {"diversion": "<sip:+15105550177@x>;reason=no-answer"}, True),
        ("diverted_from: (510) 555-0177", "+1415", {"diversion": "<sip:5105550178@x>"}, False),
        ("diverted_from: any", "+1415", {"diversion": "<tel:5105550178>"}, True),
        ("diverted_from: any", "+1415", {}, False),
        ("attestation: [C, none]", "+1415", {"x-twilio-verstat": "TN-Validation-Passed-A"}, False),
        ("attestation: [C, none]", "+1415", {"x-twilio-verstat": "TN-Validation-Failed-A"}, True),
        ("attestation: [C, none]", "+1415", {}, True),
        ("attestation: A", "+1415", {"p-asserted-identity": "<sip:+1@x;verstat=TN-Validation-Passed>"}, True),
        ("from: anonymous\n    hours: Mo-Fr 12-14", "", {}, False),
    ],
)
def test_rules_look_at_callers(tmp_path: Path, rule: str, caller: str, headers: dict[str, str], matched: bool) -> None:
    where = plan(tmp_path, f"{BASE}callers:\n  - {rule}\n    route: other\n")
    assert reached(where, ask("+15105550100", caller, headers=headers)) == ("other" if matched else "front")


def test_callers_may_come_from_a_file(tmp_path: Path) -> None:
    where = plan(
        tmp_path, BASE + "callers:\n  - from: {file: key.csv}\n    route: other\n", key__csv="(415) 555-0100\n"
    )
    assert reached(where, ask("+15105550100", "+14155550100")) == "other"
    assert reached(where, ask("+15105550100", "+14155550101")) == "front"


def test_what_carriers_say() -> None:
    assert diverted_from({"diversion": "<sip:+1222@b>;reason=x, <sip:+1111@a>"}) == "+1111"
    assert diverted_from({"history-info": "<sip:+1111@a>;index=1, <sip:+1222@b>;index=1.1"}) == "+1111"
    assert diverted_from({"history-info": "<sip:+1111@a>;index=1"}) == ""
    assert attestation({"p-attestation-indicator": "B"}) is Attestation.PARTIAL
    assert attestation({"x-twilio-verstat": "No-TN-Validation"}) is Attestation.NONE


def passport(head: object, claims: object) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (head, claims)]
    return f"{parts[0]}.{parts[1]}.c2lnbmVk;info=<https://cert.example.org/passport.cer>;alg=ES256;ppt=shaken"


SHAKEN = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": "https://cert.example.org/passport.cer"}
PASSED, FAILED = "<sip:+1@x;verstat=TN-Validation-Passed>", "<sip:+1@x;verstat=TN-Validation-Failed>"


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"identity": passport(SHAKEN, {"attest": "B", "dest": {"tn": ["1"]}, "iat": 1, "orig": {"tn": "2"}})}, "B"),
        ({"identity": passport(SHAKEN, {"attest": "A"}), "p-asserted-identity": FAILED}, "none"),
        ({"identity": passport(SHAKEN, {"attest": "A"}), "p-attestation-indicator": "C"}, "C"),
        ({"identity": passport({**SHAKEN, "ppt": "div"}, {"attest": "A"})}, "none"),
        ({"identity": passport(SHAKEN, {"attest": "D"})}, "none"),
        ({"identity": passport(SHAKEN, {"attest": ["A"]})}, "none"),
        ({"identity": passport(SHAKEN, ["A"])}, "none"),
        ({"identity": "eyJ.e30.;info=x"}, "none"),
        ({"identity": "[.[.[" * 3000}, "none"),
        ({"p-asserted-identity": PASSED, "p-attestation-indicator": "B"}, "B"),
        ({"p-asserted-identity": PASSED}, "A"),
        ({"p-asserted-identity": FAILED, "p-attestation-indicator": "A"}, "none"),
        ({"p-asserted-identity": "<sip:+1@x;verstat=TN-Validation-Passed-C>", "p-attestation-indicator": "A"}, "C"),
        ({"p-asserted-identity": "<sip:+1@x;verstat=No-TN-Validation>", "x-stir-attest": "A"}, "none"),
        ({"p-asserted-identity": PASSED, "attestation-info": "B", "p-attestation-indicator": "C"}, "B"),
        ({"attestation-info": "C", "x-attestation-info": "A"}, "C"),
        ({"attestation-info": "weak", "x-attestation-info": "A"}, "A"),
        ({"identity": f"{passport({**SHAKEN, 'ppt': 'div'}, {})}, {passport(SHAKEN, {'attest': 'B'})}"}, "B"),
    ],
)
def test_the_carrier_s_verdict_counts_before_what_a_passport_claims(headers: dict[str, str], said: str) -> None:
    assert attestation(headers).value == said


def verdict(word: str) -> str:
    return f"<sip:+14155550100;verstat={word}@carrier.example;user=phone>"


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"from": f'"Ada" {verdict("TN-Validation-Passed-B")};tag=1'}, "B"),
        ({"from": "<tel:+14155550100;verstat=TN-Validation-Passed-C>;tag=1"}, "C"),
        ({"from": "tel:+14155550100;verstat=TN-Validation-Passed-C;tag=1"}, "C"),
        ({"p-asserted-identity": verdict("TN-Validation-Passed-B"), "from": verdict("TN-Validation-Passed-A")}, "B"),
        ({"p-asserted-identity": verdict("TN-Validation-Passed-B"), "x-twilio-verstat": "TN-Validation-Passed-A"}, "B"),
        ({"from": verdict("TN-Validation-Passed-C"), "x-twilio-verstat": "TN-Validation-Passed-A"}, "C"),
        (
            {"p-asserted-identity": "<sip:+1@x>", "from": "<sip:+1@x>", "x-twilio-verstat": "TN-Validation-Passed-A"},
            "A",
        ),
        (
            {"p-asserted-identity": verdict("TN-Validation-Failed"), "x-twilio-verstat": "TN-Validation-Passed-A"},
            "none",
        ),
        ({"x-twilio-verstat": "No-TN-Validation", "p-asserted-identity": verdict("TN-Validation-Passed-A")}, "none"),
        ({"from": verdict("TN-Validation-Failed"), "p-asserted-identity": verdict("TN-Validation-Passed-A")}, "none"),
        ({"p-asserted-identity": f"<sip:+1@x>, {verdict('TN-Validation-Passed-C')}"}, "C"),
        (
            {"p-asserted-identity": f"{verdict('TN-Validation-Passed-B')}, <tel:+1;verstat=TN-Validation-Failed>"},
            "none",
        ),
        ({"x-twilio-verstat": "TN-Validation-Passed-B-Diverted"}, "B"),
        ({"x-twilio-verstat": "TN-Validation-Passed-A-Passthrough"}, "A"),
        ({"x-twilio-verstat": "TN-Validation-Failed-A-Diverted"}, "none"),
        ({"x-twilio-verstat": "TN-Validation-Passed-D", "p-attestation-indicator": "A"}, "none"),
        ({"x-twilio-verstat": "TN-Validation-Passedness"}, "none"),
    ],
)
def test_a_verdict_counts_by_where_it_stands_and_none_where_any_did_not_pass(
    headers: dict[str, str], said: str
) -> None:
    assert attestation(headers).value == said


@pytest.mark.parametrize("name", ["p-asserted-identity", "from"])
@pytest.mark.parametrize(
    "value",
    [
        '"TN-Validation-Passed-A" <sip:+1@x>',
        "TN-Validation-Passed-A <sip:+1@x>",
        '"sip:+1;verstat=TN-Validation-Passed-A" <sip:+1@x>',
        '"<sip:+1;verstat=TN-Validation-Passed-A>" <sip:+1@x>',
        '"a \\" <sip:+1;verstat=TN-Validation-Passed-A>" <sip:+1@x>',
        '"a, sip:+1;verstat=TN-Validation-Passed-A" <sip:+1@x>',
        '"open <sip:+1;verstat=TN-Validation-Passed-A>',
        "<sip:+1@x;xverstat=TN-Validation-Passed-A>",
        "verstat=TN-Validation-Passed-A",
    ],
)
def test_a_name_that_the_caller_chose_is_no_verdict(name: str, value: str) -> None:
    assert attestation({name: value}) is Attestation.NONE


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_identity_is_read_or_passed_over(one: str, two: str) -> None:
    coded = base64.urlsafe_b64encode(two.encode()).decode().rstrip("=")
    for text in (one, f"{one}.{two}.", f"{coded}.{coded}.x"):
        assert claimed(text) in (None, *Attestation)


def test_a_split_keeps_its_promise_to_each_caller(tmp_path: Path) -> None:
    split = BASE.replace("front: {agent: sales}", "front: {split: {50%: one, 50%: other}}\n  one: {agent: sales}")
    where = plan(tmp_path, split)
    calls = [ask("+15105550100", f"+1415555{n:04}", key=str(n)) for n in range(2000)]
    first = [reached(where, call) for call in calls]
    assert first == [reached(where, call) for call in calls]
    assert 900 < first.count("other") < 1100
    withheld = {reached(where, ask("+15105550100", key=f"SCL_{n}")) for n in range(200)}
    assert withheld == {"one", "other"}


def over(kind: str, subject: str, say: str = "", *, after: float = 0, until: float = 3600) -> Override:
    now = MONDAY.timestamp()
    return Override(1, kind, subject, now + until, say, "ana", now + after)


def told(where: Plan, *overrides: Override, later: float = 1, dialed: str = "+15105550100") -> Decision:
    return decide(where, ask(dialed), state_of(overrides, MONDAY.timestamp() + later), traced=True)


def test_operators_close_open_and_tell() -> None:
    where = example()
    closed = told(where, over("close", "office", "A burst pipe."))
    assert (closed.route, closed.say, closed.because) == ("take-message", "A burst pipe.", "closed")
    assert any("an operator closed 'office' until Mon 2026-11-23 11:00" in step.why for step in closed.trace)
    assert said_of(where, closed, MONDAY) == ["A burst pipe.", "We open at eleven. Please leave a message."]
    assert told(where, over("close", "sales")).route == "take-message"
    assert told(where, over("close", "office", until=-1)).route == "sales", "it has ended"
    assert told(where, over("close", "office", after=60)).route == "sales", "it hasn't begun"
    lunch = state_of([over("open", "office", until=36000)], LUNCH.timestamp())
    assert reached(where, ask("+15105550100", at=LUNCH), lunch) == "sales"
    assert told(where, over("notice", "all", "An outage.")).notices == ("An outage.",)
    assert told(where, over("notice", "desk", "An outage.")).notices == ()


def test_of_two_overrides_the_later_counts() -> None:
    closing, opening = over("close", "office"), over("open", "office", after=30)
    assert told(example(), closing, opening, later=10).route == "take-message"
    assert told(example(), closing, opening, later=40).route == "sales"


def test_overrides_that_tangle_routes_end_in_a_status(tmp_path: Path) -> None:
    where = plan(tmp_path, BASE.replace("{agent: sales}", "{agent: sales, closed: other}").replace(
        "{agent: support}", "{agent: support, closed: front}"))  # fmt: skip
    found = told(where, over("close", "front"), over("close", "other"))
    assert getattr(found.action, "status", 0) == 503


def test_keys_lead_through_menus() -> None:
    where = example()
    assert simulate(where, ask("+15105550200")).action == "menu"
    person = simulate(where, ask("+15105550100"), digits="0")
    assert person.route == "desk"
    assert any(step.rule == "key 0" and "'desk'" in step.why for step in person.trace)
    pressed = simulate(where, ask("+15105550200"), digits="91")
    assert (pressed.route, pressed.answers) == ("billing", True)
    assert [step.why for step in pressed.trace if step.rule == "key 9"] == ["nothing waits for it on 'support'"]
    assert simulate(where, ask("+15105550100"), State(elsewhere=20), digits="1").route == "take-message"


def test_it_is_told_who_would_be_rung(tmp_path: Path) -> None:
    where = plan(
        tmp_path,
        BASE.replace("front: {agent: sales}", "front: {team: desk, unanswered: other}")
        + """
people:
  ana: {call: +1 510 555 0111}
  ben: {call: +1 510 555 0112, hours: Mo-Fr 13:00-17:00}
  dee: {call: +1 510 555 0113}
  oncall: {rotate: {every: 1d, from: 2026-11-23, order: [dee, ana]}}
teams: {desk: {members: [ana, ben, oncall]}}
""",
    )
    state = state_of([over("away", "ana")], MONDAY.timestamp() + 1)
    rung = [step for step in simulate(where, ask("+15105550100"), state).trace if step.rule.startswith("team")]
    assert [(step.rule, step.matched, step.why) for step in rung] == [
        ("team desk: ana", False, "away until Mon 2026-11-23 11:00"),
        ("team desk: ben", False, "outside their hours"),
        ("team desk: dee", True, "is rung at +15105550113"),
    ]
    state = state_of([over("away", name) for name in ("ana", "dee")], MONDAY.timestamp() + 1)
    last = simulate(where, ask("+15105550100"), state).trace[-1]
    assert (last.rule, last.why) == ("route front: unanswered", "nobody takes calls now: leads to 'other'")


@pytest.mark.parametrize(
    ("dialed", "caller", "answers"),
    [("+15105550100", "", True), ("+15105550999", "", False), ("+15105550100", "+14155550199", True)],
)
def test_it_is_told_what_bills(dialed: str, caller: str, answers: bool) -> None:
    assert simulate(example(), ask(dialed, caller)).answers == answers


def test_a_message_says_why_and_when_one_opens_again() -> None:
    where = example()
    at = datetime(2026, 11, 25, 19, tzinfo=ZONE)
    closed = decide(where, ask("+15105550100", at=at))
    assert said_of(where, closed, at) == ["We open on Monday at nine. Please leave a message."]


@pytest.mark.parametrize(
    ("subject", "until", "says"),
    [
        ("office", "2026-11-23 12:00", "We open at noon."),
        ("office", "2026-11-23 12:45", "We open at one thirty."),
        ("office", "2026-11-24 08:00", "We open tomorrow at nine."),
        ("office", "2027-01-02 12:00", "We open on January fourth at nine."),
        ("sales", "2026-11-23 15:00", "We open at three."),
    ],
)
def test_a_message_says_when_an_operators_closing_is_over(subject: str, until: str, says: str) -> None:
    where, now = example(), MONDAY.timestamp()
    end = datetime.fromisoformat(until).replace(tzinfo=ZONE).timestamp()
    closed = decide(where, ask("+15105550100"), state_of([over("close", subject, until=end - now)], now + 1))
    assert said_of(where, closed, MONDAY)[0].startswith(says)


def test_a_route_without_hours_reopens_when_its_closing_ends(tmp_path: Path) -> None:
    text = BASE.replace("{agent: sales}", "{agent: sales, closed: other}").replace(
        "{agent: support}", "{message: 'Back {reopens}.'}")  # fmt: skip
    where = loaded(tmp_path, text).plan
    assert where
    closed = told(where, over("close", "front"))
    assert said_of(where, closed, MONDAY) == ["Back at eleven."]


def test_a_notice_is_heard_on_every_route_of_the_way(tmp_path: Path) -> None:
    text = BASE.replace("front: {agent: sales}", "front: {route: other}")
    where = plan(tmp_path, text)
    assert told(where, over("notice", "front", "An outage.")).notices == ("An outage.",)
    both = told(where, over("notice", "front", "An outage."), over("notice", "all", "We move."))
    assert sorted(both.notices) == ["An outage.", "We move."], "each once"
