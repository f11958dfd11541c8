"""What came of each who was asked whether they take a call, and for how long."""

from __future__ import annotations

import pytest

from gateway.records.handoffs import Handed, handed, held

LEGS = [
    {"leg": "1", "member": "ana", "answered": 15.0, "over": 20.1},
    {"leg": "2", "member": "ben", "answered": 16.0, "over": 82.0},
    {"leg": "3", "member": "chi", "answered": None, "over": 20.1},
    {"leg": "4", "member": "dee", "answered": 21.0, "over": None},
]
WAITS = [
    {"team": "desk", "event": event, "at": at} for event, at in (("entered", 9.0), ("left", 20.0), ("entered", 90.0))
]


def note(leg: str, tried: str, at: float) -> dict[str, object]:
    return {"kind": "handoff", "at": at, "about": {"leg": leg, "tried": tried}}


def test_each_who_was_asked_is_told_of_once() -> None:
    notes = [note("1", "beaten", 20.0), note("2", "taken", 20.0), note("3", "no answer", 20.0)]
    assert handed(LEGS, WAITS, [*notes, {"kind": "held", "at": 1.0, "about": {"text": "x"}}]) == [
        Handed("1", "ana", "beaten", 20.0, consult=5.0, hold=None, talk=None),
        Handed("2", "ben", "taken", 20.0, consult=4.0, hold=11.0, talk=62.0),
        Handed("3", "chi", "no answer", 20.0, consult=None, hold=None, talk=None),
    ]


def test_who_gives_a_caller_back_has_talked_until_then_and_who_talks_still_has_no_end() -> None:
    found = handed(LEGS, WAITS, [note("2", "taken", 20.0), note("2", "gave back", 50.0), note("4", "taken", 25.0)])
    assert [(one.came, one.talk, one.gave_back) for one in found] == [("taken", 30.0, True), ("taken", None, False)]


def test_a_third_was_asked_until_they_got_the_caller_who_had_not_waited_for_them() -> None:
    notes = [note("1", "taken", 15.5), note("2", "asked", 16.0), note("2", "taken", 20.0), note("4", "asked", 21.0)]
    assert handed(LEGS, WAITS, notes) == [
        Handed("1", "ana", "taken", 15.5, consult=0.5, hold=6.5, talk=4.6),
        Handed("2", "ben", "taken", 20.0, consult=4.0, hold=None, talk=62.0),
        Handed("4", "dee", "asked", 21.0, consult=None, hold=None, talk=None),
    ]


def hold(leg: str | None, hold: str | None, at: float) -> dict[str, object]:
    return {"kind": "hold", "at": at, "about": {"leg": leg, "hold": hold}}


@pytest.mark.parametrize(
    ("notes", "over", "seconds"),
    [
        ([], 80.0, 0.0),
        ([hold("2", "music", 30.0), hold("2", "silent", 31.0), hold("2", None, 45.0)], 80.0, 15.0),
        ([hold("2", "silent", 30.0), hold("1", None, 35.0), hold(None, None, 36.0), hold("2", None, 40.0)], 80.0, 10.0),
        (
            [hold("2", None, 45.0), hold("2", "silent", 30.0), hold("2", "silent", 50.0), hold("2", None, 51.0)],
            80.0,
            16.0,
        ),
        ([hold("2", "silent", 70.0)], 80.0, 10.0),
        ([hold("2", "silent", 70.0), hold("1", "silent", 74.0)], None, 4.0),
        ([hold("2", None, 70.0)], 80.0, 0.0),
    ],
)
def test_how_long_one_has_held_the_others(notes: list[dict[str, object]], over: float | None, seconds: float) -> None:
    assert held(notes, "2", over) == seconds


def test_who_has_held_the_caller_is_told_of_so() -> None:
    notes = [note("2", "taken", 20.0), hold("2", "silent", 30.0), hold("2", None, 45.0), hold(None, "silent", 50.0)]
    [ben] = handed(LEGS, WAITS, notes)
    assert (ben.talk, ben.held) == (62.0, 15.0)
    assert held(notes, None, 60.0) == 10.0
