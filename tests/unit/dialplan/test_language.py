"""The plan language: the example as it stands, and what else can be said in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gateway.dialplan.actions import Agent, Dial, Menu, Message, Queue
from gateway.dialplan.load import load
from gateway.dialplan.model import Callback, Ref, Severity
from gateway.dialplan.people import Person, Rotation
from tests.unit.dialplan.plans import BASE, CATALOGUE, EXAMPLE, NOON, TEAM, WHOLE, example, loaded, plan

README = Path(__file__).parents[3] / "dialplans" / "README.md"


def test_the_example_loads_as_it_stands_and_says_what_its_remarks_say() -> None:
    found = example()
    sales, support, desk = found.routes["sales"], found.routes["support"], found.routes["desk"]
    assert isinstance(sales.action, Agent)
    assert sales.limits.calls == 20
    assert sales.limits.minutes == 15
    assert sales.privacy.record == "ask"
    assert sales.privacy.keep == 30 * 86400
    assert sales.human == found.human
    assert isinstance(support.action, Menu)
    assert (support.action.wait, support.action.tries, set(support.action.keys)) == (8, 2, {"1"})
    assert isinstance(desk.action, Queue)
    assert (desk.action.at_most, desk.action.press["1"].name) == (600, "take-message")
    assert desk.human is None, "nobody can ask there"
    message = found.routes["take-message"].action
    assert isinstance(message, Message)
    assert set(message.say) == {"closed", "otherwise"}
    assert isinstance(found.routes["key-account"].action, Dial)
    assert found.routes["billing"].seal_digits
    assert found.brief("billing").resume
    assert not found.brief("helpdesk").resume
    assert found.brief("billing").sealed
    assert not found.brief("sales").sealed
    ben = found.people["ben"]
    assert isinstance(ben, Person)
    assert ben.call == "sip:ben@pbx"
    assert found.teams["sales-desk"].untaken == {"unanswered": Callback(3600)}
    assert found.teams["support-desk"].ring == "linear"
    assert [
        finding for finding in load(EXAMPLE, CATALOGUE, NOON).findings if finding.severity is Severity.WARNING
    ] == []


def test_people_take_turns_at_the_same_time_of_day_whatever_the_clocks_do(tmp_path: Path) -> None:
    text = (
        BASE
        + """\
people:
  ana: {call: +1 510 555 0111}
  dee: {call: +1 510 555 0112}
  oncall: {rotate: {every: 1w, from: 2026-10-26 09:00, order: [ana, dee]}}
teams:
  desk: {members: [oncall], unanswered: callback}
"""
    )
    found = plan(tmp_path, text).people["oncall"]
    assert isinstance(found, Rotation)
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("America/New_York")
    at = found.begins.replace(day=26)
    turns = [found.turn(moment) for moment in (
        at, at.replace(month=11, day=2, hour=8, minute=59), at.replace(month=11, day=2, hour=9), at.replace(year=2020),
    )]  # fmt: skip
    assert turns == [0, 0, 1, 0], "clocks went back on 1 November"
    assert at.tzinfo == zone


def test_two_files_make_one_plan_and_a_name_may_be_used_once(tmp_path: Path) -> None:
    more = "offhook: 1\nroutes:\n  sales: {reject: 486}\n  other: {reject: 486}\n"
    found = [str(one) for one in loaded(tmp_path, BASE, more__yaml=more).errors]
    assert found == [
        "more.yaml:3:3: The route 'sales' is there already, in main.yaml, line 8. Rename or remove one of them."
    ]


def test_what_the_readme_says_a_route_may_do_is_yaml() -> None:
    shown = re.findall(r"^\| `([a-z_]+: [^`]+)`", README.read_text(), re.MULTILINE)
    assert {one.split(":")[0] for one in shown} >= {"agent", "menu", "team", "dial", "message", "split", "reject"}
    for one in shown:
        assert isinstance(yaml.safe_load(one), dict), one


@pytest.mark.parametrize(
    ("written", "after", "leads"),
    [
        ("desk", 10.0, Ref),
        ("callback", 10.0, Callback),
        ("{callback: {within: 2h}}", 10.0, Callback),
        ("{after: 8s, to: desk}", 8.0, Ref),
        ("{after: 3s, to: callback}", 3.0, Callback),
        ("{after: 1m, to: {callback: {within: 2h}}}", 60.0, Callback),
        ("{to: desk}", 10.0, Ref),
        ("{after: 5s}", 5.0, type(None)),
    ],
)
def test_how_long_nothing_may_be_heard_and_where_that_leads(
    tmp_path: Path, written: str, after: float, leads: type
) -> None:
    more = "  desk: {message: Please speak.}\n"
    (tmp_path / "main.yaml").write_text(
        BASE.replace("{agent: sales}", f"{{agent: sales, dead_air: {written}}}", 1) + more
    )
    loaded = load(tmp_path, CATALOGUE, NOON)
    assert loaded.plan, [str(one) for one in loaded.findings]
    route = loaded.plan.routes["sales"]
    assert (route.dead_air, type(route.instead.get("dead_air"))) == (after, leads)
    assert loaded.plan.brief("sales").dead_air == after


def test_how_long_a_machine_is_listened_to(tmp_path: Path) -> None:
    limited = BASE.replace("{agent: sales}", "{agent: sales, limits: {machines: 30s}}", 1)
    (tmp_path / "main.yaml").write_text(limited)
    found = load(tmp_path, CATALOGUE, NOON).plan
    assert found is not None
    assert found.brief("sales").machines == 30.0
    assert loaded(tmp_path, BASE).plan.brief("sales").machines == 120.0


@pytest.mark.parametrize(
    ("written", "to"),
    [
        ("", ()),
        ("notify: desk", ("mailto:d@acme.example",)),
        ("handoff: desk", ("mailto:d@acme.example",)),
        ("handoff: desk, notify: 'sms:+15105550142'", ("sms:+15105550142",)),
        (
            "notify: [desk, 'hubspot:', 'https://x.example/h']",
            ("hubspot:", "https://x.example/h", "mailto:d@acme.example"),
        ),
    ],
)
def test_whom_leads_are_told_to(tmp_path: Path, written: str, to: tuple[str, ...]) -> None:
    text = BASE.replace("{agent: sales}", f"{{agent: sales, {written}}}", 1) + TEAM
    found = loaded(tmp_path, text).plan
    assert found is not None
    assert found.brief("sales").notify == to


def test_numbers_may_come_from_files(tmp_path: Path) -> None:
    text = BASE.replace("numbers:\n", "numbers:\n  file: more.csv\n")
    found = plan(tmp_path, text, more__csv="number,route\n+15105550177,sales\n+1 510 555 02xx,sales\n")
    assert found.size == 3
    clash = loaded(tmp_path, text, more__csv="+15105550100,sales\n")
    assert "has a line already, in more.csv, line 1" in str(clash.errors[0])


def test_the_version_follows_tables_too(tmp_path: Path) -> None:
    text = BASE.replace("numbers:\n", "numbers:\n  file: more.csv\n")
    first = plan(tmp_path, text, more__csv="+15105550177,sales\n").version
    assert plan(tmp_path, text, more__csv="+15105550178,sales\n").version != first


@pytest.mark.parametrize("size", [10_000])
def test_ten_thousand_numbers_are_checked_in_two_seconds(tmp_path: Path, size: int) -> None:
    import time

    lines = "".join(f"  +1 510 {n // 10000 + 200:03} {n % 10000:04}: sales\n" for n in range(size))
    text = BASE.replace("  (510) 555-0100: sales\n", lines)
    started = time.process_time()
    assert plan(tmp_path, text).size == size
    assert time.process_time() - started < 4.0


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_line_ends_of_other_systems_are_line_ends(tmp_path: Path, ends: str) -> None:
    (tmp_path / "main.yaml").write_bytes(WHOLE.replace("404", "999").replace("\n", ends).encode())
    (told,) = load(tmp_path, CATALOGUE, NOON).errors
    assert str(told).startswith("main.yaml:11:18:")


def test_spaces_of_word_processors_are_spaces(tmp_path: Path) -> None:
    assert loaded(tmp_path, WHOLE.replace("agent: sales", "agent:\xa0sales")).plan


def test_rare_line_breaks_break_no_line(tmp_path: Path) -> None:
    plan = WHOLE.replace("hours: {", "# a\u2028remark: with\x85more\nhours: {")
    assert loaded(tmp_path, plan).plan
