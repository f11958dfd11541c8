"""Tests of what only the whole plan shows: callers who would be lost, rules that are never looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.dialplan.model import Severity
from tests.unit.dialplan.plans import loaded

HEAD = "offhook: 1\ncountry: US\ntimezone: America/New_York\nhuman: callback\n"
LINES = "numbers: {+15105550100: a}\n"


def errors(directory: Path, text: str) -> list[str]:
    return [str(one) for one in loaded(directory, HEAD + text).errors]


def warned(directory: Path, text: str) -> list[str]:
    return [str(one) for one in loaded(directory, HEAD + text).findings if one.severity is Severity.WARNING]


DAY_AND_NIGHT = "hours: {day: '06:00-18:00', night: '18:00-06:00'}\n"


@pytest.mark.parametrize(
    ("routes", "path"),
    [
        # By day b is open and leads on; at night a and b are both closed.
        (
            """
  a: {agent: sales, hours: day, closed: b, limits: {calls: 1}, full: c}
  b: {agent: sales, hours: day, closed: a}
  c: {route: b}""",
            "a (closed) → b (closed) → a",
        ),
        # They are never closed at once, but c leads on from the one that is full.
        (
            """
  a: {agent: sales, hours: day, closed: b, limits: {calls: 1}, full: c}
  b: {agent: sales, hours: night, closed: a}
  c: {route: b}""",
            "a (full) → c (route) → b (closed) → a",
        ),
        (
            """
  a: {team: desk, unanswered: b}
  b: {team: desk, hours: night, closed: a, unanswered: c}
  c: {message: Please speak., hours: day, closed: b}""",
            "a (unanswered) → b (closed) → a",
        ),
    ],
)
def test_calls_that_go_round_at_some_time_are_told(tmp_path: Path, routes: str, path: str) -> None:
    rest = "\npeople: {ana: {call: +1 510 555 0111}}\nteams: {desk: {members: [ana], notify: mailto:a@b.example}}\n"
    told = errors(tmp_path, f"{LINES}{DAY_AND_NIGHT}routes:{routes}{rest}")
    assert any(path in one for one in told), told


@pytest.mark.parametrize(
    "routes",
    [
        "{a: {agent: sales, hours: day, closed: b}, b: {agent: support, hours: night, closed: a}}",
        # People are rung by turns, day and night, and the turn that isn't on leads to the other.
        """
  a: {team: desk, hours: day, closed: b, unanswered: c}
  b: {team: desk, hours: night, closed: a, unanswered: c}
  c: {message: {otherwise: Please speak., notify: desk}}""",
    ],
)
def test_routes_that_take_turns_may_lead_to_each_other(tmp_path: Path, routes: str) -> None:
    rest = "\npeople: {ana: {call: +1 510 555 0111}}\nteams: {desk: {members: [ana], notify: mailto:a@b.example}}\n"
    assert errors(tmp_path, f"{LINES}{DAY_AND_NIGHT}routes: {routes}{rest}") == []


def test_who_asks_for_a_person_is_not_sent_where_nobody_talks(tmp_path: Path) -> None:
    told = errors(tmp_path, f"{LINES}routes: {{a: {{agent: sales, human: b}}, b: {{route: c}}, c: {{agent: echo}}}}\n")
    assert len(told) == 1
    assert "gets nowhere: a → b → c is the agent 'echo', who doesn't talk." in told[0]


RULES = [
    ("{from: +1*, route: a}", "{from: +1510*, route: b}", True),
    ("{from: +1510*, route: a}", "{from: +1*, route: b}", False),
    ("{from: +1*, hours: day, route: a}", "{from: +1510*, route: b}", False),
    ("{from: +1*, route: a}", "{from: +1510*, hours: day, route: b}", True),
    ("{from: +1*, route: a}", "{from: [+1510*, anonymous], route: b}", False),
    ("{from: [+1*, anonymous], route: a}", "{from: [+1510*, anonymous], route: b}", True),
    ("{from: +1 510 555 01xx, route: a}", "{from: +1 510 555 0110 - 0119, route: b}", True),
    ("{from: +1 510 555 0110 - 0119, route: a}", "{from: +1 510 555 011x, route: b}", True),
    ("{from: +1 510 555 0110 - 0118, route: a}", "{from: +1 510 555 011x, route: b}", False),
    ("{from: +1*, to: +1 510 555 0100, route: a}", "{from: +1*, route: b}", False),
    ("{to: +1 510 555 01xx, route: a}", "{from: +1*, to: +1 510 555 0100, route: b}", True),
    ("{attestation: [A, B], route: a}", "{attestation: A, from: +1*, route: b}", True),
    ("{attestation: A, route: a}", "{from: +1*, route: b}", False),
    ("{diverted_from: any, route: a}", "{diverted_from: +15105550100, route: b}", True),
    ("{diverted_from: +15105550100, route: a}", "{diverted_from: any, route: b}", False),
    ("{from: sip:demo, route: a}", "{from: sip:other, route: b}", False),
    ("{from: {file: who.csv}, route: a}", "{from: +15105550100, route: b}", False),
]


@pytest.mark.parametrize(("first", "second", "shadowed"), RULES)
def test_a_rule_that_an_earlier_one_hides_is_warned_of(tmp_path: Path, first: str, second: str, shadowed: bool) -> None:
    (tmp_path / "who.csv").write_text("+15105550100\n")
    rules = f"hours: {{day: '06:00-18:00'}}\ncallers:\n  - {first}\n  - {second}\n"
    told = warned(tmp_path, f"{LINES}{rules}routes: {{a: {{agent: sales}}, b: {{agent: support}}}}\n")
    hidden = [one for one in told if "never looked at" in one]
    assert len(hidden) == shadowed, told
    assert not hidden or hidden[0].startswith("main.yaml:9:5: warning: The rule is never looked at: the one in")


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ("{to: +1 510 555 01xx, expect: a}", "means more than one number"),
        ("{to: 510*, expect: a}", "means more than one number"),
        ("{to: anonymous, expect: a}", "nothing that can be dialed"),
        ("{to: the front desk, expect: a}", "nothing that can be dialed"),
        ("{to: +15105550100, from: +1*, expect: a}", "means more than one number"),
        ("{to: +15105550100, digits: abc, expect: a}", "are no keys of a telephone"),
    ],
)
def test_a_test_that_means_nothing_is_told(tmp_path: Path, test: str, says: str) -> None:
    told = errors(tmp_path, f"{LINES}routes: {{a: {{agent: sales}}}}\ntests:\n  - {test}\n")
    assert len(told) == 1
    assert says in told[0]


@pytest.mark.parametrize(
    "test", ["{to: (510) 555-0100, from: anonymous, digits: '1*#', expect: a}", "{to: sip:demo, expect: 404}"]
)
def test_a_test_may_dial_what_a_caller_may(tmp_path: Path, test: str) -> None:
    assert errors(tmp_path, f"{LINES}routes: {{a: {{agent: sales}}}}\ntests: [{test}]\n") == []


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        ("{a: {dial: 'sip:ben', unanswered: a}}", "Write sip:USER@TRUNK"),
        ("{a: {message: {otherwise: Hi, notify: slak://a/b}}}", "Did you mean 'slack'?"),
        ("{a: {message: {otherwise: Hi, notify: sales@acme.example}}}", "Write mailto:sales@acme.example."),
        ("{a: {agent: sales, hours: Mon-Fri 9-5, closed: callback}}", "Only human, unanswered, no_agent and dead_air"),
    ],
)
def test_what_stands_for_a_name_is_told_how_to_write_it(tmp_path: Path, routes: str, says: str) -> None:
    told = errors(tmp_path, f"{LINES}routes: {routes}\n")
    assert len(told) == 1
    assert says in told[0]


def test_hours_in_a_zone_that_nobody_chose_are_warned_of(tmp_path: Path) -> None:
    text = f"{LINES}routes: {{a: {{agent: sales, hours: Mon-Fri 9-5, closed: b}}, b: {{reject: 480}}}}\n"
    zoneless = HEAD.replace("timezone: America/New_York\n", "")
    told = [str(one) for one in loaded(tmp_path, zoneless + text).findings if one.severity is Severity.WARNING]
    assert [one for one in told if "its hours are read in UTC" in one]
    assert not [one for one in warned(tmp_path, text) if "UTC" in one]


def test_thousands_of_lines_that_lead_nowhere_are_told_soon(tmp_path: Path) -> None:
    lines = "".join(f"  +1510{number:07}: rout-{number}\n" for number in range(2_000_000, 2_005_000))
    routes = "".join(f"  route-{number}: {{agent: sales}}\n" for number in range(200))
    assert len(errors(tmp_path, f"numbers:\n{lines}routes:\n{routes}")) == 5000


def test_a_file_that_no_directory_would_read_is_no_plan(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from gateway.dialplan.load import load

    file = tmp_path / "plan.txt"
    file.write_text(f"{HEAD}{LINES}routes: {{a: {{agent: sales}}}}\n")
    found = load(file, {}, datetime(2026, 11, 23, tzinfo=UTC))
    assert [str(one) for one in found.findings] == [
        "plan.txt:1:1: 'plan.txt' isn't called .yaml. Rename it to plan.yaml."
    ]


@pytest.mark.parametrize(
    ("plan", "note"),
    [
        ("routes: {a: {agent: sales, dead_air: callback}}\n", ""),
        (
            "routes: {a: {menu: {say: Hi., 1: b}, dead_air: b}, b: {agent: sales}}\n",
            "",
        ),
        ("routes: {a: {agent: sales, limits: {minutes: 5}}}\n", ""),
        (
            "routes: {a: {agent: sales}}\npeople: {ana: {browser: yes, notify: 'mailto:ana@acme.example'}}\n",
            "'ana' has no phone",
        ),
        ("routes: {a: {agent: sales, no_agent: callback, limits: {calls: 5}, full: b}, b: {agent: support}}\n", ""),
    ],
)
def test_what_this_version_does_not_do_yet_is_noted(tmp_path: Path, plan: str, note: str) -> None:
    found = loaded(tmp_path, HEAD + LINES + plan)
    assert found.errors == []
    said = [str(one) for one in found.findings if one.severity is Severity.NOTE]
    notes = [one for one in said if "the leads of" not in one and "No call ever" not in one]
    assert len(notes) == bool(note)
    assert all(note in one for one in notes)


TEAM = "people: {ana: {call: +1 510 555 0111}}\nteams: {desk: {members: [ana], notify: 'mailto:a@b.example'}, mute: {members: [ana]}}\n"


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ("{agent: sales}", False),
        ("{agent: sales, handoff: mute}", False),
        ("{agent: sales, handoff: desk}", True),
        ("{agent: sales, notify: desk}", True),
        ("{agent: sales, notify: 'https://crm.example/leads'}", True),
        ("{agent: echo}", True),
        ("{team: desk, unanswered: callback}", True),
    ],
)
def test_leads_that_nobody_is_told_of_are_noted(tmp_path: Path, route: str, told: bool) -> None:
    found = loaded(tmp_path, f"{HEAD}{LINES}routes: {{a: {route}}}\n{TEAM}")
    assert found.errors == []
    assert any("Nobody is told of the leads of 'a'" in str(one) for one in found.findings) is not told


@pytest.mark.parametrize(
    ("rest", "warns"),
    [
        ("routes: {a: {team: desk, unanswered: {callback: {team: desk}}}}\n", True),
        ("routes: {a: {agent: sales, human: {callback: {team: desk}}}}\n", True),
        ("routes: {a: {team: desk, unanswered: {callback: {within: 1h}}}}\n", False),
        ("routes: {a: {team: desk, unanswered: {callback: {team: desk}}}}\noutbound: {countries: [US]}\n", False),
        ("routes: {a: {team: desk, unanswered: {callback: {team: desk}}}}\noutbound: {spend: {a_day: 5}}\n", True),
    ],
)
def test_a_team_that_cant_call_anybody_back_is_told(tmp_path: Path, rest: str, warns: bool) -> None:
    assert any("'desk' can't call anybody back" in one for one in warned(tmp_path, LINES + rest + TEAM)) is warns
