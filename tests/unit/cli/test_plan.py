"""The plan commands, as an operator and a script meet them, without a gateway that runs."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.app.records import open_records
from gateway.cli import main as front
from gateway.config import Settings
from gateway.records.writer import Writer
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind
from tests.unit.cli.conftest import Tape
from tests.unit.dialplan.plans import EXAMPLE

PLAN = """\
offhook: 1
country: US
timezone: America/New_York
human: callback
numbers:
  (510) 555-0100: office-line
  (510) 555-0101: busy
callers:
  - {diverted_from: (510) 555-0199, route: came-round}
hours: {office: {open: "Mo-Fr 09:00-17:00", holidays: US}}
routes:
  office-line: {agent: sales, hours: office, closed: shut}
  busy: {reject: 486}
  shut: {reject: 480}
  came-round: {reject: 436}
people: {ana: {call: +1 510 555 0111}}
teams: {desk: {members: [ana], unanswered: {callback: {within: 1h}}}}
"""
NOON = "2026-11-23 12:00"
NIGHT = "2026-11-23 23:00"


class Operator:
    """Types commands, and reads what they say."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.capsys = home, capsys

    def write(self, text: str, name: str = "dialplans/main.yaml") -> str:
        """Save a plan; its path."""
        path = self.home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)

    def types(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        """What stdout and stderr say."""
        try:
            ended = front.main(arguments)
        except SystemExit as end:
            ended = int(end.code or 0)
        out, err = self.capsys.readouterr()
        assert ended == status, out + err
        assert "Traceback" not in err
        return out, err

    def json(self, *arguments: str, status: int = 0) -> Any:
        """What it prints for scripts."""
        return json.loads(self.types(*arguments, "--json", status=status)[0])


@pytest.fixture
def operator(state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Operator:
    monkeypatch.setenv("OFFHOOK_DIALPLANS", str(state / "dialplans"))
    monkeypatch.chdir(state)
    made = Operator(state, capsys)
    made.write(PLAN)
    return made


def test_check_says_the_plan_is_right_and_when_it_is_closed(operator: Operator) -> None:
    said, _ = operator.types("plan", "check")
    assert "The plan is right: 2 numbers, 4 routes" in said
    assert "Christmas Day" in said
    found = operator.json("plan", "check")
    assert (found["ok"], found["numbers"], found["routes"]) == (True, 2, 4)
    assert {"hours", "date", "name"} == set(found["closures"][0])


def test_check_tells_every_mistake_at_once_and_ends_with_1(operator: Operator) -> None:
    operator.write(PLAN.replace("reject: 486", "rejct: 486").replace("hours: office", "hours: ofice"))
    said, _ = operator.types("plan", "check", status=1)
    assert "main.yaml:12:" in said
    assert "Did you mean 'reject'?" in said
    assert "Did you mean 'office'?" in said
    found = operator.json("plan", "check", status=1)
    assert found["ok"] is False
    assert {one["severity"] for one in found["findings"]} == {"error"}
    assert all(one["remedy"] and one["line"] and one["column"] for one in found["findings"])


def test_check_runs_the_plans_own_tests(operator: Operator) -> None:
    operator.write(PLAN + f"tests:\n  - {{to: +15105550100, at: {NIGHT}, expect: office-line}}\n")
    said, _ = operator.types("plan", "check", status=1)
    assert "shut" in said
    operator.write(PLAN + f"tests:\n  - {{to: +15105550100, at: {NIGHT}, expect: shut}}\n")
    assert "1 test passed" in operator.types("plan", "check")[0]


def test_what_cannot_be_looked_at_ends_with_2_and_says_the_remedy(operator: Operator) -> None:
    for name in ("nowhere.yaml", "7", "live"):
        _, err = operator.types("plan", "check", name, status=2)
        assert err.startswith("offhook: ")
    _, err = operator.types("plan", "simulate", status=2)
    assert "Add --to" in err
    _, err = operator.types("plan", "simulate", "--to", "+15105550100", "--at", "yesteryear", status=2)
    assert "tomorrow" in err
    _, err = operator.types("plan", "simulate", "--to", "+15105550100", "--header", "nonsense", status=2)
    assert "NAME: VALUE" in err


def test_check_tells_whom_no_outbound_trunk_calls(operator: Operator) -> None:
    trunks = Path(__file__).parents[3] / "sip-trunk.example.yaml"
    said, _ = operator.types("plan", "check", "--trunks", str(trunks))
    assert "warning: 'ana' can't be called" in said
    assert "'ana'" not in operator.types("plan", "check")[0], "no trunk file, no warning"
    (operator.home / "sip-trunk.yaml").write_text(trunks.read_text())
    assert "warning: 'ana' can't be called" in operator.types("plan", "check")[0]


def test_who_applies_a_plan_sees_its_warnings(operator: Operator) -> None:
    operator.write(PLAN.replace("members: [ana]", "members: [ana, ana]"))
    made = operator.json("plan", "apply")
    assert [one["what"] for one in made["warnings"]] == ["'ana' is a member of 'desk' twice."]
    operator.write(PLAN.replace("members: [ana]", "members: [ana, ana]").replace("reject: 486", "reject: 603"))
    said, _ = operator.types("plan", "apply")
    assert "main.yaml:17:31: warning: 'ana' is a member of 'desk' twice." in said
    assert "warning" not in operator.types("plan", "apply")[0], "nothing was applied"


def test_a_trunk_file_that_is_named_and_not_there_is_told(operator: Operator) -> None:
    _, err = operator.types("plan", "check", "--trunks", "nowhere.yaml", status=2)
    assert err == "offhook: The trunk file nowhere.yaml can't be read: No such file or directory. Correct --trunks.\n"


def test_what_cannot_be_overridden_is_told_by_what_it_is_not(operator: Operator) -> None:
    operator.types("plan", "apply")
    for words, says in (
        (
            ("close", "offise"),
            "'offise' can't be closed or opened: the plan has no hours of that name, and no such route. Did you mean 'office'?",
        ),
        (
            ("close", "desk"),
            "The team 'desk' can't be closed or opened itself: hours and routes can. There are: office",
        ),
        (("away", "desk"), "'desk' is nobody of the plan's people. There are: ana."),
        (("notice", "bsy", "Hello."), "'bsy' is no route of the plan. Did you mean 'busy'?"),
    ):
        assert says in operator.types(*words, "--until", "in 2h", status=2)[1]
    kept = [line for line in PLAN.splitlines() if not line.startswith("hours:")]
    operator.write("\n".join(kept).replace(", hours: office, closed: shut", ""))
    operator.types("plan", "apply")
    none = "Nothing in this plan can be: give a route 'hours', and 'closed' with where its callers go then."
    for subject in ("office", "desk"):
        assert none in operator.types("close", subject, "--until", "in 2h", status=2)[1]


def test_simulate_tells_what_is_said_as_callers_hear_it(operator: Operator) -> None:
    told = "{message: {closed: 'We open {reopens}.', otherwise: Please speak.}}"
    operator.write(PLAN.replace("shut: {reject: 480}", f"shut: {told}"))
    asked = ("plan", "simulate", "--to", "+15105550100", "--at", NIGHT)
    assert operator.json(*asked)["said"] == ["We open tomorrow at nine."]
    assert '"We open tomorrow at nine."' in operator.types(*asked)[0]


def test_simulate_tells_the_route_why_and_whether_it_bills(operator: Operator) -> None:
    found = operator.json("plan", "simulate", "--to", "(510) 555-0100", "--at", NOON)
    assert (found["route"], found["action"], found["answers"]) == ("office-line", "agent", True)
    assert any(step["matched"] and "office" in step["why"] for step in found["trace"])
    found = operator.json("plan", "simulate", "--to", "+15105550100", "--at", NIGHT)
    assert (found["route"], found["action"], found["answers"], found["status"]) == ("shut", "reject", False, 480)
    diverted = ("--header", "Diversion: <sip:+15105550199@pbx>;reason=unconditional")
    assert operator.json("plan", "simulate", "--to", "+15105550100", *diverted)["route"] == "came-round"
    said, _ = operator.types("plan", "simulate", "--to", "+15105550100", "--at", NIGHT)
    assert "It isn't answered, and doesn't bill." in said
    assert "main.yaml:12" in said


def test_simulate_takes_the_example_with_keys_and_limits(operator: Operator) -> None:
    at = ("--at", "2026-11-23 10:00")
    asked = ("plan", "simulate", str(EXAMPLE))
    assert operator.json(*asked, "--to", "+15105550321", *at, "--digits", "1")["route"] == "billing"
    assert operator.json(*asked, "--to", "+15105550100", *at)["route"] == "sales"
    assert operator.json(*asked, "--to", "+15105550100", *at, "--calls", "20")["route"] == "desk"
    assert operator.json(*asked, "--to", "+15105550100", *at, "--no-agent")["route"] == "desk"


def test_diff_tells_what_callers_meet_otherwise(operator: Operator) -> None:
    other = operator.write(PLAN.replace("(510) 555-0101: busy", "(510) 555-0101: office-line"), "other.yaml")
    changes = operator.json("plan", "diff", "dialplans", other)["changes"]
    by_day_and_by_night = {(*one["numbers"], one["before"], one["after"]) for one in changes}
    assert by_day_and_by_night == {
        ("(510) 555-0101", "busy (486)", "office-line"),
        ("(510) 555-0101", "busy (486)", "shut (480)"),
    }
    assert all(one["hours"] for one in changes)
    said, _ = operator.types("plan", "diff", "dialplans", other)
    assert "(510) 555-0101\n  busy (486) → office-line\n" in said
    assert "No call reaches anything else." in operator.types("plan", "diff", "dialplans", "dialplans")[0]


def test_versions_are_applied_listed_rolled_back_and_withdrawn(operator: Operator) -> None:
    first = operator.json("plan", "apply", "-m", "the first")
    assert (first["number"], first["fresh"]) == (1, True)
    assert operator.json("plan", "apply")["fresh"] is False
    operator.write(PLAN.replace("busy: {reject: 486}", "busy: {reject: 487}"))
    assert "busy" in operator.types("plan", "apply", "-m", "the second")[0], "it says what changes"
    assert operator.json("plan", "diff", "1", "live")["routes"] == [
        {"route": "busy", "changes": operator.json("plan", "diff", "1", "2")["routes"][0]["changes"]}
    ]
    assert operator.json("plan", "rollback", "1")["of"] == 1
    operator.write(PLAN.replace("busy: {reject: 486}", "busy: {reject: 488}"))
    assert "comes in force on" in operator.types("plan", "apply", "--at", "tomorrow 8:00")[0]
    assert "withdrawn" in operator.types("plan", "withdraw", "4")[0]
    assert [(one["number"], one["live"], one["withdrawn"]) for one in operator.json("plan", "history")] == [
        (4, False, True), (3, True, False), (2, False, False), (1, False, False)]  # fmt: skip
    assert "the second" in operator.types("plan", "history")[0]
    operator.types("plan", "withdraw", "3", status=2)
    operator.types("plan", "rollback", "9", status=2)
    operator.types("plan", "apply", "--at", "2020-01-01 08:00", status=2)


def test_a_plan_with_errors_changes_nothing(operator: Operator) -> None:
    operator.types("plan", "apply")
    operator.write(PLAN.replace("reject: 486", "rejct: 486"))
    _, err = operator.types("plan", "apply", status=1)
    assert "Did you mean 'reject'?" in err
    assert "Nothing was changed" in err
    refused = operator.json("plan", "apply", status=1)
    assert refused["ok"] is False
    assert "Did you mean 'reject'?" in refused["findings"][0]["remedy"]
    assert len(operator.json("plan", "history")) == 1


def test_overrides_always_end_and_are_shown_until_then(operator: Operator) -> None:
    _, err = operator.types("close", "office", "--until", "18:00", status=2)
    assert "offhook up" in err, "no plan is in force yet"
    operator.types("plan", "apply")
    _, err = operator.types("close", "office", status=2)
    assert "always has an end" in err
    _, err = operator.types("close", "ofice", "--until", "in 2h", status=2)
    assert "Did you mean 'office'?" in err
    _, err = operator.types("close", "busy", "--until", "in 2h", status=2)
    assert "Add closed: with a route's name" in err
    said, _ = operator.types("close", "office", "--until", "2027-06-01 18:00", "--say", "A burst pipe.")
    assert "'office' is closed until Tue 01 Jun 2027 18:00 EDT" in said, "the plan's time, not this machine's"
    operator.types("away", "ana", "--until", "in 3h")
    operator.types("notice", "all", "We know.", "--until", "in 1h")
    said, _ = operator.types("status")
    assert " EST, by " in said or " EDT, by " in said, "the plan's zone, though no gateway runs"
    assert all(part in said for part in ("close office", "away ana", "notice all", "A burst pipe."))
    found = operator.json("plan", "simulate", "live", "--to", "+15105550100")
    assert found["route"] == "shut"
    assert found["notices"] == ["We know."]
    operator.types("open", "office")
    operator.types("open", "office", "--until", "in 2h")
    operator.types("open", "office")
    operator.types("open", "office", status=2)
    operator.types("away", "ana", "--back")
    operator.types("notice", "all", "--off")
    assert operator.json("status")["overrides"] == []
    past = operator.json("status", "--past", "9")["past"]
    over = [("open", "office"), ("notice", "all"), ("away", "ana"), ("close", "office")]
    assert [(one["kind"], one["subject"]) for one in past] == over
    assert all(one["ended"] and one["ended_by"] for one in past)


def test_backtest_tells_which_calls_would_go_another_way(operator: Operator) -> None:
    version = operator.json("plan", "apply")["content"]
    began = time.time() - 3600

    def call(number: int, dialed: str, route: str, **more: object) -> Event:
        data = {"dialed": dialed, "caller": "+14155550123", "route": route, "plan": version, **more}
        return Event(CallId(f"SCL_{number:012}"), Kind.OPENED, began + number, data, f"{number}-0")

    calls = [
        call(1, "+15105550101", "busy"),
        call(2, "+15105550101", "busy"),
        Event(CallId("SCL_000000000002"), Kind.REJECTED, began + 2, {"status": 486}, "2-1"),
        call(3, "+15105550101", "came-round", diverted_from="+15105550199"),
        call(4, "+15105550101", "shut", why="as if it had been full, which nobody can know any more"),
    ]

    async def record() -> None:
        engine = await open_records(Settings.model_validate({"OFFHOOK_STATE": operator.home}))
        await Writer(Tape(calls), engine).drain()
        await engine.dispose()

    asyncio.run(record())
    assert operator.json("plan", "backtest", "live") == {"calls": 4, "moved": 0, "groups": []}
    same_name = operator.write(PLAN.replace("busy: {reject: 486}", "busy: {agent: sales}"), "same-name.yaml")
    assert operator.json("plan", "backtest", same_name)["moved"] == 2, "what call 1 got isn't recorded"
    other = operator.write(PLAN.replace("0101: busy", "0101: came-round"), "other.yaml")
    found = operator.json("plan", "backtest", other, "--since", "2h")
    assert sorted((one["before"], one["after"], one["count"]) for one in found["groups"]) == [
        ("busy", "came-round (436)", 1), ("busy (486)", "came-round (436)", 1), ("shut", "came-round (436)", 1)]  # fmt: skip
    said, _ = operator.types("plan", "backtest", other)
    assert "3 of 4 calls since 7d would go another way" in said
    assert operator.json("plan", "backtest", other, "--since", "1m")["calls"] == 0


def test_the_schema_is_json(operator: Operator) -> None:
    assert json.loads(operator.types("plan", "schema")[0])["$schema"]
