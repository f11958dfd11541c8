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
