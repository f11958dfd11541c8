"""Tests of what a change means for callers."""

from __future__ import annotations

from pathlib import Path

from gateway.dialplan.diff import Difference, diff
from gateway.dialplan.load import load
from tests.unit.dialplan.plans import CATALOGUE, EXAMPLE, NOON, example


def changed(directory: Path, *changes: tuple[str, str]) -> Difference:
    text = EXAMPLE.read_text()
    text = text[: text.index("tests:")]
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (directory / "main.yaml").write_text(text)
    after = load(directory, CATALOGUE, NOON)
    assert after.plan, after.errors
    return diff(example(), after.plan, NOON)


def told(found: Difference) -> list[tuple[tuple[str, ...], str, str, str, tuple[str, ...]]]:
    return [(one.numbers, one.caller, one.before, one.after, one.hours) for one in found.changes]


def test_the_same_plan_makes_no_difference(tmp_path: Path) -> None:
    assert not changed(tmp_path)
    assert not changed(tmp_path, ("# A dial plan", "# Another remark"))


def test_hours_are_told_as_hours(tmp_path: Path) -> None:
    found = changed(tmp_path, ("09:00-12:30,13:30-18:00", "09:00-18:00"))
    assert told(found) == [(("(510) 555-0100", "sip:demo"), "", "take-message", "sales", ("Mo-Fr 12:30-13:30",))]


def test_a_single_day_is_told_as_one(tmp_path: Path) -> None:
    found = changed(tmp_path, ("closed_on: [2026-11-27]", "closed_on: []"))
    assert told(found) == [(("(510) 555-0100", "sip:demo"), "", "take-message", "sales",
                            ("Fri 2026-11-27 09:00 - 12:30", "Fri 2026-11-27 13:30 - 18:00"))]  # fmt: skip


def test_numbers_are_told_as_they_are_written(tmp_path: Path) -> None:
    found = changed(tmp_path, ("+1 510 555 03xx: support", "+1 510 555 03xx: billing"))
    assert told(found) == [(("+1 510 555 03xx",), "", "support", "billing", ("always",))]


def test_a_number_that_goes_reaches_what_is_left(tmp_path: Path) -> None:
    found = changed(tmp_path, ("  +15105550200: support\n", ""))
    assert told(found) == [(("+15105550200",), "", "support", "not-ours (404)", ("always",))]


def test_callers_are_told_apart(tmp_path: Path) -> None:
    found = changed(tmp_path, ("+1 900 *", "+1 976 *"))
    assert {(who, before, after) for _, who, before, after, _ in told(found)} == {
        (f"callers from +1{code}*", *pair)
        for code, turn in (("900", 1), ("976", -1))
        for pair in (("refuse", name)[::turn] for name in ("sales", "support", "uk-sales", "not-ours"))
    }


def test_a_route_that_does_otherwise_is_told_part_by_part(tmp_path: Path) -> None:
    found = changed(tmp_path, ("How can I help?", "What is it?"), ("for: 20s", "for: 30s"))
    assert not found.changes
    assert [(one.route, one.what) for one in found.altered] == [
        ("sales", ("greeting: Thanks for calling Acme. How can I help? → Thanks for calling Acme. What is it?",)),
        ("team sales-desk", ("ring_for: 20.0 → 30.0",)),
    ]


def between(directory: Path, before: str, after: str, rest: str = "") -> list[tuple[str, ...]]:
    """What two lists of numbers and rules differ in, with routes a, b and c."""
    plans = []
    for name, text in (("before", before), ("after", after)):
        (directory / name).mkdir(parents=True)
        routes = "".join(f"  {one}: {{agent: sales, human: callback}}\n" for one in "abc")
        (directory / name / "main.yaml").write_text(
            f"offhook: 1\ncountry: US\ntimezone: UTC\n{text}routes:\n{routes}{rest}"
        )
        loaded = load(directory / name, CATALOGUE, NOON)
        assert loaded.plan, loaded.errors
        plans.append(loaded.plan)
    return [(*numbers, who, old, new) for numbers, who, old, new, _ in told(diff(plans[0], plans[1], NOON))]


def lines(**routes: str) -> str:
    return "numbers:\n" + "".join(f"  '+151055{number[1:]}': {route}\n" for number, route in routes.items())


def test_a_line_stands_for_numbers_that_no_other_line_takes(tmp_path: Path) -> None:
    taken = {f"n503{digit}0": "a" for digit in range(10)}
    assert between(tmp_path / "mask", lines(**taken, n503xx="b"), lines(**taken, n503xx="c")) == [
        ("+151055503xx", "", "b", "c")
    ]
    head = {"n50300": "a", "n50309": "a"}
    found = between(tmp_path / "range", lines(**head, **{"n50300 - 09": "b"}), lines(**head, **{"n50300 - 09": "c"}))
    assert found == [("+15105550300 - 09", "", "b", "c")]
    assert between(tmp_path / "prefix", "numbers: {+15*: a, +1510*: b}\n", "numbers: {+15*: a, +1510*: c}\n") == [
        ("+1510*", "", "b", "c")
    ]


def test_a_line_that_none_is_left_for_changes_nothing(tmp_path: Path) -> None:
    all_taken = lines(**{f"n5030{digit}": "a" for digit in range(10)})
    assert between(tmp_path, f"{all_taken}  '+1510555030x': b\n", f"{all_taken}  '+1510555030x': c\n") == []


def test_calls_are_told_apart_by_what_carriers_say(tmp_path: Path) -> None:
    one = "numbers: {+15105550100: a}\ncallers:\n- {diverted_from: +15105550199, route: b}\n"
    assert between(tmp_path / "diverted", one, one.replace("route: b", "route: c")) == [
        ("+15105550100", "calls diverted from +15105550199", "b", "c")
    ]
    two = "numbers: {+15105550100: a}\ncallers:\n- {attestation: none, route: b}\n"
    assert between(tmp_path / "vouched", two, two.replace("route: b", "route: c")) == [
        ("+15105550100", "calls with attestation none", "b", "c")
    ]
    three = "numbers: {+15105550100: a}\ncallers:\n- {from: +44*, attestation: [B, C], route: b}\n"
    assert between(tmp_path / "both", three, three.replace("[B, C]", "[C]")) == [
        ("+15105550100", "callers from +44* with attestation B", "b", "a")
    ]


def test_hours_of_people_are_told_where_routes_do_not_show_them(tmp_path: Path) -> None:
    found = changed(tmp_path, ('hours: "Mo-Th 09:00-17:00"', 'hours: "Mo-We 09:00-17:00"'))
    assert not found.changes
    assert [(one.route, one.what) for one in found.altered] == [
        ("person ben", ("hours of the person ben: Mo-Th 09:00-17:00 → Mo-We 09:00-17:00",))
    ]
    assert not changed(tmp_path, ('hours: "Mo-Th 09:00-17:00"', 'hours: "Mo-Th 9-5"'))
