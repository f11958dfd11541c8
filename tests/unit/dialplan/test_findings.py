"""What is found in a plan: each mistake with its place and its words, what may not be meant, and what is worth a note."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.dialplan.load import load
from gateway.dialplan.model import Severity
from gateway.dialplan.trunks import Trunks
from tests.unit.dialplan.plans import BASE, CATALOGUE, EXAMPLE, NOON, TEAM, WHOLE, loaded

WRONG = [
    # what other systems call it
    (BASE + "  x: {forward: ana}\n", "9:7", "There is no 'forward' in a route. Here it is called 'dial'."),
    (BASE + "  x: {voicemail: yes}\n", "9:7", "Here it is called 'message'"),
    (BASE + "  x: {agent: sales, no_answer: sales}\n", "9:21", "Here it is called 'unanswered'"),
    (BASE + "  x: {agent: sales, busy: sales}\n", "9:21", "Here it is called 'full'"),
    (BASE + "  x: {agent: sales, schedule: a}\n", "9:21", "Here it is called 'hours'"),
    # references
    (BASE + "  x: {route: salse}\n", "9:14", "Did you mean 'sales'?"),
    (BASE + "  x: {team: desk, unanswered: sales}\n", "9:13", "leads to a team 'desk' that isn't there"),
    (BASE + "  x: {agent: sales, hours: office, closed: sales}\n", "9:28", "leads to hours 'office'"),
    # nobody is lost
    (BASE.replace("human: callback\n", ""), "7:3", "who asks for a person gets nowhere. Add human:"),
    (BASE.replace("callback", "no") + "  no: {reject: 603}\n", "4:8", "gets nowhere: sales → no rejects"),
    (BASE.replace("callback", "sales"), "4:8", "gets nowhere: sales → sales goes round"),
    (BASE + "  a: {route: b}\n  b: {route: a}\n", "9:14", "never reach a person, an agent, a message or a rejection"),
    (BASE + "  x: {menu: {say: Hi., 1: sales, silence: x}}\n", "9:43", "waits for minutes without an ending"),
    (BASE + "  x: {dial: +1 510 555 0111}\n", "9:3", "rings without an ending"),
    (BASE + "  x: {agent: sales, hours: Mo-Fr 9-5}\n", "9:3", "nothing for callers outside them"),
    # YAML's own traps
    (BASE + "  x: {agent: sales, greeting: Press # to talk}\n", "9:37", "Inside brackets the # after a space begins a remark"),
    (BASE + "  x:\n    agent: sales\n    greeting: Press # to talk\n", "11:21", "for YAML a # after a space begins"),
    (BASE + "  x:\n    agent: sales\n    greeting: Note: we open late\n", "11:19", "A colon inside a text ends it"),
    (BASE.replace("(510) 555-0100:", "*510:"), "6:3", "to YAML"),
    (BASE + 'callers:\n  - from: *900\n    route: sales\n', "10:11", "Put quotes around it"),
    (BASE + '  x:\n    agent: sales\n    greeting: "Hi" there\n', "11:20", "text after the closing quote"),
    (BASE + "  x: {agent: sales}\n\ty: 1\n", "10:1", "indented with a tab"),
    (BASE + "---\nx: 1\n", "9:1", "two documents"),
    (BASE + "x: \x00\n", "9:1", "characters that no text has"),
    # values
    (BASE + "  x: {dial: +1 510 555 0111, ring: 25, unanswered: sales}\n", "9:36", "Write a number and s, m, h, d or w: 25s."),
    (BASE + "  x: {dial: +1 510, unanswered: sales}\n", "9:13", "can't be a telephone number"),
    *[
        (BASE + f"  x: {{dial: {never}, unanswered: sales}}\n", "9:13", "never dialed for a caller. Name somebody's own")
        for never in ("911", "+1 911", "sip:112@carrier", "9-911", "22000")
    ],
    (BASE + "people: {ana: {call: '999'}}\n", "9:22", "never dialed for a caller"),
    (BASE + "people: {ana: {call: sip:911@carrier}}\n", "9:22", "never dialed for a caller"),
    (BASE + "  x: {split: {90%: sales}}\n", "9:14", "The shares make 90%."),
    (BASE + "  x: {split: {all: sales}}\n", "9:15", "is no share"),
    (BASE + "  x: {menu: {say: Hi., 12: sales}}\n", "9:24", "more than one key"),
    (BASE + "  x: {message: {closed: We are closed.}}\n", "9:16", "no words for every case"),
    (BASE + "  x: {agent: sales, limits: {calls: none}}\n", "9:37", "is no number for 'calls'"),
    (BASE + "  x: {agent: sales, ring: 25s}\n", "9:21", "'ring' does nothing on the route 'x'"),
    (BASE + "  x: {agent: sales, seal_digits: maybe}\n", "9:34", "neither yes nor no"),
    (BASE + "  x: {reject: 603, resume: true}\n", "9:20", "'resume' does nothing"),
    (BASE + "hours: {office: 9 to 5 on most days}\n", "9:17", "are no hours"),
    (BASE + "people: {ana: {}}\n", "9:10", "can't be reached"),
    (BASE + "people: {ana: {browser: ben}}\n", "9:25", "neither yes nor no"),
    (BASE + "people: {ana: {browser: ana}}\n", "9:10", "nobody sends them the link"),
    (BASE + "people: {ana: {browser: no}}\n", "9:10", "can't be reached"),
    (BASE + "people: {ana: {browser: yes}}\n", "9:10", "nobody sends them the link"),
    (BASE + "people: {ana: {call: sip:ana}}\n", "9:22", "names no trunk"),
    (BASE + "people: {ana: {call: +1 510 555 0111}, a: {rotate: {order: [ana, b]}}, b: {rotate: {order: [a]}}}\n", "9:66",
     "takes turns itself"),
    (BASE + "teams: {desk: {members: []}}\n", "9:9", "has nobody"),
    (BASE + "teams: {desk: {members: [ana], ring: loud}}\n", "9:38", "is no way to ring"),
    (BASE + "callers:\n  - {from: banana, route: sales}\n", "10:12", "is no number"),
    (BASE + "callers:\n  - {route: sales}\n", "10:5", "for every caller"),
    (BASE + "callers:\n  - {from: anonymous}\n", "10:5", "leads nowhere"),
    (BASE + "callers:\n  - {attestation: D, route: sales}\n", "10:19", "is no attestation"),
    (BASE + "tests:\n  - {to: +15105550100, expect: salse}\n", "10:5", "Did you mean 'sales'?"),
    (BASE + "tests:\n  - {to: +15105550100, at: soon, expect: sales}\n", "10:28", "is no time"),
    (BASE + "tests:\n  - {to: +15105550199, expect: sales, why: Acme}\n", "10:5", "expects 'sales' (Acme) and gets no route (404)"),
    (BASE + "  x: {message: {closed: We open {reopens}., otherwise: Speak.}}\n", "9:33",
     "A { inside a text begins something else, for YAML. Put quotes around the whole text."),
    (BASE + "  x: {message: welcome.MP3}\n", "9:16", "'welcome.MP3' is no WAV file, and would be read out."),
    (BASE.replace("  (510) 555-0100:", "  (510) 555-0100, (510) 555-0101:"), "6:3", "is more than one number. Write a line for each."),
    (BASE + "hours:\n  office:\n", "10:10", "'office' must be one value. Write it behind the colon."),
    (BASE + "people: {ana: {call: 1.51055E+10}}\n", "9:22", "is what a spreadsheet makes of a long number"),
    (BASE + "  x: {message: “Speak, please”}\n", "9:24", '“ is no quotation mark to YAML. Write " in its place.'),
    (BASE + "teams: {desk: {members: ana, ben}}\n", "9:30", "or [ ] around a list"),
    (BASE + "teams:\n  desk:\n    members: ana, ben\n" + "people: {ana: {call: +15105550111}, ben: {call: +15105550112}}\n",
     "11:14", "Write it as a list: [ana, ben]."),
    (BASE.replace("routes:\n", "<<<<<<< HEAD\nroutes:\n"), "7:1", "two versions that git couldn't merge"),
    (BASE.replace("numbers:\n", "numbers:\n  file: none.csv\n"), "6:9", "'none.csv' can't be read"),
    (BASE.replace("numbers:\n", "numbers:\n  file: ../x.csv\n"), "6:9", "lies outside"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "says"), WRONG, ids=[f"{one[1]} {one[2][:30]}" for one in WRONG])
def test_a_mistake_is_told_where_it_is_with_its_remedy(tmp_path: Path, text: str, place: str, says: str) -> None:
    found = loaded(tmp_path, text)
    told = [str(one) for one in found.errors]
    assert found.plan is None
    assert any(line.startswith(f"main.yaml:{place}:") and says in line for line in told), told


WARNED = [
    (BASE + "  x: {agent: support}\n", "No call ever reaches the route 'x'"),
    (BASE.replace("{agent: sales}", "{message: {otherwise: Speak.}}"), "Nobody is told of a message"),
    (BASE + "  y: {route: sales, full: sales}\n", "'y' is never full"),
    (
        BASE.replace("{agent: sales}", "{agent: sales, hours: {open: 'off'}, closed: bye}") + "  bye: {reject: 480}\n",
        "'off' never opens in the coming year",
    ),
    (
        BASE + "people: {ana: {call: +1 510 555 0111}}\nteams: {desk: {members: [ana, ana]}}\n",
        "'ana' is a member of 'desk' twice",
    ),
    (
        BASE + "people: {ana: {call: +1 510 555 0100}}\n",
        "'ana' is called on a number of this plan, which leads to 'sales'",
    ),
    (
        BASE.replace("{agent: sales}", "{team: desk, unanswered: bye}")
        + "  bye: {reject: 480}\nteams: {desk: {members: [ana]}}\n"
        + "people: {ana: {call: +15105550111, hours: Mo-Fr 09:00-17:00}}\n",
        "Nobody of 'desk' is there at Mon 2026-11-23 17:00",
    ),
]


def test_people_whom_a_call_can_reach_in_any_way_are_no_slip(tmp_path: Path) -> None:
    text = BASE.replace("{agent: sales}", "{agent: sales, transfer: [ana], unanswered: ring, handoff: desk}") + (
        "  ring: {dial: ben, unanswered: {callback: {team: back}}}\n"
        "people: {ana: {call: +15105550111}, ben: {call: +15105550112}, chi: {call: +15105550113}, dee: {call: +15105550114},"
        " turn: {rotate: {from: 2026-11-23, order: [chi, dee]}}, eve: {call: +15105550115}}\n"
        "teams: {desk: {members: [turn], third: eve}, back: {members: [ana]}}\n"
    )
    told = [str(one) for one in loaded(tmp_path, text).findings]
    assert not [one for one in told if "No call ever" in one or "goes round" in one], told


def test_teams_and_people_whom_no_call_can_reach_are_noted(tmp_path: Path) -> None:
    found = loaded(tmp_path, BASE + "people: {ana: {call: +15105550111}}\nteams: {desk: {members: [ana]}}\n")
    notes = [str(one) for one in found.findings if one.severity is Severity.NOTE]
    assert any("No call ever comes to the team 'desk'" in one for one in notes)
    alone = loaded(tmp_path, BASE + "people: {ana: {call: +15105550111}}\n")
    assert any("No call ever rings 'ana'" in str(one) for one in alone.findings)


def test_an_agent_is_full_without_a_limit_once_every_agent_has_a_call(tmp_path: Path) -> None:
    text = BASE.replace("{agent: sales}", "{agent: sales, full: bye}") + "  bye: {reject: 480}\n"
    assert not [str(one) for one in loaded(tmp_path, text).findings if "never full" in str(one)]


@pytest.mark.parametrize(
    "broken",
    ["{agent: sales, team: office}", "{unanswered: note}", "{menu: {say: Hi., 1: nowhere, 1: note}}"],
    ids=["two things", "nothing", "a key twice"],
)
def test_a_route_that_cannot_be_read_is_told_once(tmp_path: Path, broken: str) -> None:
    told = loaded(tmp_path, BASE.replace("human: callback", "human: desk") + f"  desk: {broken}\n").errors
    assert not [one for one in told if "gets nowhere" in one.what]
    assert {one.place.line for one in told} == {9}


@pytest.mark.parametrize(("text", "says"), WARNED)
def test_what_may_not_be_meant_is_a_warning(tmp_path: Path, text: str, says: str) -> None:
    found = loaded(tmp_path, text)
    assert found.errors == []
    assert found.plan
    warned = [str(one) for one in found.findings if one.severity is Severity.WARNING]
    assert any(says in line for line in warned), warned


def test_a_number_that_no_trunk_carries_is_a_warning(tmp_path: Path) -> None:
    from gateway.dialplan.numbers import read

    (tmp_path / "main.yaml").write_text(BASE)
    for carried, warned in (("+15105550100", 0), ("+15105550199", 1)):
        found = load(tmp_path, CATALOGUE, NOON, trunks=Trunks((read(carried, ""),)))
        assert sum("No trunk" in str(one) for one in found.findings) == warned


@pytest.mark.parametrize(
    ("trunks", "warned"),
    [
        (None, []),
        (Trunks(), ["sales", "ana", "ben"]),
        (Trunks(outbound=frozenset({"pbx"})), ["sales", "ana"]),
        (Trunks(outbound=frozenset({"carrier"}), default=True), ["ben"]),
    ],
)
def test_people_whom_no_outbound_trunk_calls_are_a_warning(
    tmp_path: Path, trunks: Trunks | None, warned: list[str]
) -> None:
    people = "people:\n  ana: {call: +1 510 555 0111}\n  ben: {call: 'sip:ben@PBX'}\n  chi: {browser: yes, notify: 'mailto:chi@acme.example'}\n"
    (tmp_path / "main.yaml").write_text(
        BASE.replace("{agent: sales}", "{dial: +1 510 555 0112, unanswered: {callback: {within: 1h}}}", 1) + people
    )
    found = [str(one) for one in load(tmp_path, CATALOGUE, NOON, trunks=trunks).findings]
    assert [line.split("'")[1] for line in found if "can't be called" in line] == warned


def test_what_is_asked_for_and_not_done_yet_is_noted(tmp_path: Path) -> None:
    asks = "{agent: sales, limits: {minutes: 5}, dead_air: callback, privacy: {record: ask}}"
    (tmp_path / "main.yaml").write_text(
        BASE.replace("{agent: sales}", asks, 1) + "people: {chi: {browser: yes, notify: 'mailto:chi@acme.example'}}\n"
    )
    told = [str(one) for one in load(tmp_path, CATALOGUE, NOON).findings if one.severity is Severity.NOTE]
    for part in ("'privacy' isn't", "'chi' has no phone"):
        assert sum(part in line for line in told) == 1, told


@pytest.mark.parametrize(
    ("written", "what"),
    [("{after: 1s, to: sales}", "'after' can't be 1s"), ("{after: 8, to: sales}", "'8' is no length"),
     ("{afte: 8s}", "Did you mean 'after'"), ("{to: nowhere}", "'nowhere'")],
)  # fmt: skip
def test_what_is_wrong_with_dead_air_is_told(tmp_path: Path, written: str, what: str) -> None:
    (tmp_path / "main.yaml").write_text(BASE.replace("{agent: sales}", f"{{agent: sales, dead_air: {written}}}", 1))
    found = [str(one) for one in load(tmp_path, CATALOGUE, NOON).findings]
    assert any(what in line for line in found), found


@pytest.mark.parametrize(
    ("written", "what"),
    [("notify: nobody", "'nobody'"), ("notify: 'sms:0142'", "no address to notify"),
     ("notify: 'hubpot:'", "no address to notify")],
)  # fmt: skip
def test_whom_leads_cannot_be_told_to_is_told(tmp_path: Path, written: str, what: str) -> None:
    text = BASE.replace("{agent: sales}", f"{{agent: sales, {written}}}", 1) + TEAM
    found = [str(one) for one in loaded(tmp_path, text).findings]
    assert any(what in line for line in found), found


def test_the_statuses_that_livekit_sip_changes_are_noted() -> None:
    told = [str(one) for one in load(EXAMPLE, CATALOGUE, NOON).findings if one.severity is Severity.NOTE]
    assert any("'refuse' rejects with 603" in line and "486" in line for line in told)


def test_hours_that_take_turns_may_lead_to_each_other(tmp_path: Path) -> None:
    day_and_night = BASE.replace("{agent: sales}", "{agent: sales, hours: day, closed: night}") + (
        "  night: {agent: support, hours: dark, closed: sales}\n"
        "hours: {day: 'Mo-Su 08:00-20:00', dark: 'Mo-Su 20:00-08:00'}\n"
    )
    assert loaded(tmp_path, day_and_night).errors == []
    gap = day_and_night.replace("20:00-08:00", "20:00-07:00")
    assert "go round" in str(loaded(tmp_path, gap).errors[0])


def test_a_file_whose_name_is_no_text_is_told(tmp_path: Path) -> None:
    import os

    (tmp_path / os.fsdecode(b"\xff.yaml")).write_text(BASE)
    assert any("name isn't UTF-8" in str(one) for one in loaded(tmp_path, BASE).errors)


ONE_MISTAKE = [
    ("hours:", "schedule:", "8:1", "Here it is called 'hours'"),
    ("Mon-Fri 9-5", "Mon-Fry 9-5", "8:17", "are no hours"),
    ("country: US", "country: USA", "3:10", "Write US."),
    ("(510) 555-0100", "(510) 555-010", "6:3", "has too few digits for a number of US"),
    ("(510) 555-0100", "(510) 555-01000", "6:3", "has too many digits for a number of US"),
    ("otherwise", "*", "7:3", "or otherwise for every other number"),
    ("otherwise", '"*"', "7:3", "Write otherwise"),
    ("agent: sales,", "agent: sales, greeting: Hello: you,", "10:40", "A colon inside a text"),
    ("404}", "404", "11:9", "The bracket { isn't closed"),
    ("404}", "404, human callback", "11:9", "The bracket { isn't closed"),
    ("{agent: sales, hours: office", "{agent: [sales hours: office", "10:18", "The bracket [ isn't closed"),
    ("  sales: {", "   sales: {", "11:3", "begins where no line above it begins"),
    ("nope: {reject: 404}", "nope: twice\n    reject: 404", "12:5", "indented further than the one above"),
    ("Mon-Fri 9-5", '"Mon-Fri 9-5', "8:17", "The quotation mark isn't closed"),
    ("0100: sales", "0100:sales", "6:17", "no space behind the colon"),
    ("0100: sales\n  otherwise: nope", "0100 sales", "6:3", "with a colon and a space"),
    (
        "  (510) 555-0100: sales\n  otherwise: nope",
        "  - (510) 555-0100: sales",
        "6:3",
        "Write each as +15105550100: sales",
    ),
    ("  sales: {agent: sales, hours: office, closed: nope}\n  nope: {reject: 404}", "  - name: sales", "10:3", "'- '"),
    ("  otherwise: nope\nhours", "  otherwise: nope\n  hours", "8:3", "indented as if it were one of the numbers"),
    ("404}", "404}}", "11:22", "There is a } too many"),
    ("{reject: 404}", "{reject: 404\n  other: {agent: sales}", "11:9", "The bracket { isn't closed"),
    ("agent: sales,", "agent: sales greeting: Hello,", "10:32", "or a comma between two things"),
    ("agent: sales,", "agent: sales, greeting: Hello, how are you?,", "10:42", "stands alone"),
    ("country: US", "country: United States", "3:10", "Write US."),
    ("human: callback", "human: callback\ndefault_route: sales", "5:1", "Write 'otherwise: NAME' below numbers"),
    ("nope: {reject: 404}", "nope: {reject: 404}\n  office: {reject: 480}", "12:3", "is a route and a set of hours"),
    ("country: US", "country: Erehwon", "3:10", "Write two letters"),
    ("(510) 555-0100", "555-0100", "6:3", "has too few digits"),
    ("otherwise", "default", "7:3", "Write otherwise"),
    ("(510) 555-0100", "+1 510 555 0300-0299", "6:3", "runs backwards"),
    ("hours: {", "callers: [{from: otherwise, route: nope}]\nhours: {", "8:18", "for every caller"),
    ("nope: {reject: 404}", "nope:\n    menu:\n      say: “Hello: you”", "13:12", "no quotation mark to YAML"),
    ("{reject: 404}", "{split: {50: sales, 50%: nope}}", "11:18", "'50' is no share"),
]


@pytest.mark.parametrize(("right", "wrong", "place", "says"), ONE_MISTAKE, ids=[one[1][:24] for one in ONE_MISTAKE])
def test_one_mistake_is_one_finding(tmp_path: Path, right: str, wrong: str, place: str, says: str) -> None:
    assert loaded(tmp_path, WHOLE).plan
    told = [str(one) for one in loaded(tmp_path, WHOLE.replace(right, wrong, 1)).errors]
    assert len(told) == 1, told
    assert told[0].startswith(f"main.yaml:{place}:")
    assert says in told[0]


def test_a_file_that_is_no_yaml_makes_no_findings_in_the_others(tmp_path: Path) -> None:
    (tmp_path / "routes.yaml").write_text("offhook: 1\nroutes: {sales: {agent: sales\n")
    told = [str(one) for one in loaded(tmp_path, "offhook: 1\nnumbers: {+15105550100: sales}\n").errors]
    assert [one.partition(": ")[0] for one in told] == ["routes.yaml:2:17"]


@pytest.mark.parametrize("zone", ["EST", "MST", "GMT"])
def test_a_zone_without_summer_time_is_warned_of(tmp_path: Path, zone: str) -> None:
    found = loaded(tmp_path, WHOLE.replace("America/New_York", zone))
    assert found.plan
    assert any("never has summer time" in str(one) for one in found.findings)


@pytest.mark.parametrize(
    ("added", "says"),
    [
        ("callers: [{from: {}, route: nope}]", "'from' names nothing"),
        ("callers: [{from: {file: }, route: nope}]", "'file' must be one value"),
        ("people: {ana: {call: (510) 555-011}}", "can't be a telephone number"),
    ],
)
def test_what_names_nothing_is_told(tmp_path: Path, added: str, says: str) -> None:
    told = [str(one) for one in loaded(tmp_path, WHOLE + added + "\n").errors]
    assert len(told) == 1
    assert says in told[0]


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("otherwise: nope", "file:\n  otherwise: nope", "'file' names no file"),
        ("otherwise: nope", "sip:sales*: nope\n  otherwise: nope", "a SIP user is one as it stands"),
        ("otherwise: nope", "+1 510 555 0100 - 0100: nope\n  otherwise: nope", "has a line already"),
        ("hours: office", "hours: ofice", "Did you mean 'office'?"),
        ("hours: office", "hours: weekdays", "or write the hours themselves"),
    ],
)
def test_slips_in_numbers_and_hours_are_told(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    told = [str(one) for one in loaded(tmp_path, WHOLE.replace(right, wrong, 1)).errors]
    assert any(says in one for one in told), told


def test_hours_of_their_own_do_not_clash_by_name(tmp_path: Path) -> None:
    plan = WHOLE.replace("hours: office", "hours: 9-5").replace(
        "hours: {office: Mon-Fri 9-5}",
        "callers: [{from: anonymous, hours: Mon 9-5, route: nope}, {from: +15105550123, hours: Tue 9-5, route: nope}]\n"
        "people: {sales: {call: +1 510 555 0111, hours: Mon-Thu 9-5}}\n"
        "teams: {sales: {members: [sales], hours: Mon-Fri 8-6, unanswered: nope}}",
    )
    assert loaded(tmp_path, plan + "  q: {team: sales}\n").errors == []


def test_a_key_that_became_a_remark_is_warned_of(tmp_path: Path) -> None:
    found = loaded(tmp_path, WHOLE + "  m:\n    menu:\n      say: Press\n      1: sales\n      #: nope\n")
    assert found.plan
    assert any(str(one).startswith("main.yaml:16:7: warning: The line is a remark") for one in found.findings)
