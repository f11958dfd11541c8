"""Who is told of callers whom nobody took, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.callbacks.machine import State, booked
from gateway.callbacks.missed import Left, Missed, alarm, digest_day, digested, ends_of, escalated, why
from gateway.dialplan.people import Digest, Escalate
from gateway.operate.webhooks import payload
from gateway.records.outbox import Due
from gateway.terms.call import CallId
from gateway.terms.callback import Terms
from gateway.terms.personal import Number

NY = ZoneInfo("America/New_York")
AT = datetime(2026, 11, 30, 12, tzinfo=NY).timestamp()
ONE = Missed("SCL_a", "sales", AT, "+15105550142", "Ada", "abandoned", (("ana", "busy"), ("ben", "no answer")))
BOSS = Escalate(600.0, ("mailto:boss@x.example",))
CALLBACK = booked(CallId("SCL_a"), Number("+15105550142"), AT + 900, 3600.0, AT, Terms("sales"))


def test_the_team_hears_who_rang_and_why_nobody_took_it() -> None:
    (told,) = alarm(ONE, ["mailto:team@x.example"], NY)
    assert told.content is not None
    assert told.urgent
    assert told.content.title == "Missed: Ada (+1 510-555-0142) for sales"
    for part in (
        "Mon 30 Nov 12:00 EST",
        "- ana: busy",
        "- ben: no answer",
        "They have hung up.",
        "Please call +1 510-555-0142",
    ):
        assert part in told.content.body
    assert told.content.fields["members"] == {"ana": "busy", "ben": "no answer"}
    assert told.id == alarm(ONE, ["mailto:team@x.example"], NY)[0].id


def test_the_team_hears_whom_they_call_back_and_what_for() -> None:
    known = replace(ONE, company="Acme", need="forty desk phones", message=True)
    (told,) = alarm(known, ["mailto:team@x.example"], NY)
    assert told.content is not None
    assert told.content.title == "Missed: Ada of Acme (+1 510-555-0142) for sales"
    assert "They want: forty desk phones\nThey have left a message." in told.content.body
    assert (told.content.fields["company"], told.content.fields["need"]) == ("Acme", "forty desk phones")
    sent = payload(Due("d1", "alarm", "", "SCL_a", "https://x", None, True, AT, AT, 1), told.content)
    assert sent["left_message"] is True, "webhooks have what it says as 'message'"
    nameless = alarm(replace(known, name=""), ["x:"], NY)[0].content
    assert nameless is not None
    assert nameless.title == "Missed: Somebody of Acme (+1 510-555-0142) for sales"


def test_each_members_last_end_counts() -> None:
    legs: list[dict[str, object]] = [
        {"leg": "1", "member": "ana", "how": "failed", "status": 486},
        {"leg": "2", "member": "ben", "how": "dropped", "ringing": 1.0, "status": None},
        {"leg": "3", "member": "ana", "how": "failed", "status": 408},
        {"leg": "4", "member": "chi", "how": "dropped", "status": None},
        {"leg": "5", "member": "dee", "how": "left", "answered": 2.0},
        {"leg": "6", "member": None, "how": "failed", "status": 404},
    ]
    assert dict(ends_of(legs)) == {
        "ana": "no answer",
        "ben": "no answer",
        "chi": "not reached in time",
        "dee": "answered",
    }
    assert dict(ends_of(legs, {"5": "declined"}))["dee"] == "declined"


def test_nobody_failed_to_answer_whose_phone_stopped_as_the_caller_left() -> None:
    legs: list[dict[str, object]] = [
        {"leg": "1", "member": "ana", "how": "dropped", "ringing": 1.0, "over": 6.4},
        {"leg": "2", "member": "ben", "how": "dropped", "ringing": None, "over": 6.41},
        {"leg": "3", "member": "chi", "how": "dropped", "ringing": 1.0, "over": 5.0},
        {"leg": "4", "member": "dee", "how": "failed", "status": 486, "over": 6.3},
        {"leg": "5", "member": "eve", "how": None, "ringing": 1.0, "over": None},
    ]
    hung_up = "the caller hung up first"
    assert dict(ends_of(legs, left=Left(6.405, hung_up))) == {
        "ana": hung_up,
        "ben": hung_up,
        "chi": "no answer",
        "dee": "busy",
        "eve": hung_up,
    }


@pytest.mark.parametrize(
    ("left", "came"),
    [(Left(9.0, "the caller hung up first"), "the caller hung up first"), (None, "not reached in time")],
)
def test_what_was_kept_before_it_was_told_apart_is_no_withdrawal_of_theirs(left: Left | None, came: str) -> None:
    legs: list[dict[str, object]] = [{"leg": "1", "member": "ana", "how": "dropped", "ringing": 1.0, "over": 9.0}]
    assert ends_of(legs, {"1": "withdrawn"}, left) == (("ana", came),)


def test_why_nobody_took_it_stands_on_one_line() -> None:
    assert why(ONE.members) == "ana: busy; ben: no answer"
    assert why((("ana", "no answer"), ("chi", "busy"), ("ben", "no answer"))) == "ana and ben: no answer; chi: busy"
    assert why(()) == "nobody was rung"


def test_somebody_else_hears_of_it_when_nobody_has_dealt_with_it() -> None:
    assert escalated(ONE, BOSS, NY, AT + 599) is None
    told = escalated(ONE, BOSS, NY, AT + 600)
    assert told is not None
    assert [one.address for one in told] == ["mailto:boss@x.example"]
    assert told[0].content is not None
    assert "For 10 minutes nobody of sales has dealt with Ada" in told[0].content.body
    (soon,) = escalated(ONE, Escalate(60.0, BOSS.to), NY, AT + 60) or ()
    assert soon.content is not None
    assert "For 1 minute nobody" in soon.content.body


@pytest.mark.parametrize(
    "dealt",
    [
        replace(ONE, reached=True),
        replace(ONE, dealt_by="ben"),
        replace(ONE, message=True, message_done=True),
        replace(ONE, booking=replace(CALLBACK, state=State.DONE, ended=AT)),
        replace(ONE, booking=CALLBACK),
    ],
)
def test_nobody_else_hears_of_what_is_dealt_with(dealt: Missed) -> None:
    assert escalated(dealt, BOSS, NY, AT + 9999) == []


@pytest.mark.parametrize(
    "still",
    [
        replace(ONE, message=True),
        replace(ONE, booking=replace(CALLBACK, breached=AT + 5000)),
        replace(ONE, booking=replace(CALLBACK, state=State.MISSED, ended=AT)),
        replace(ONE, booking=replace(CALLBACK, state=State.CANCELLED, ended=AT)),
    ],
)
def test_what_is_only_left_or_came_to_nothing_is_not_dealt_with(still: Missed) -> None:
    assert escalated(still, BOSS, NY, AT + 9999)


@given(
    st.floats(1_704_067_200, 1_861_920_000),
    st.integers(0, 1439),
    st.sampled_from(["America/New_York", "Europe/Berlin", "UTC"]),
)
def test_a_digest_is_due_for_six_hours_from_its_time_on(now: float, minute: int, zone: str) -> None:
    clock, digest = ZoneInfo(zone), Digest(minute)
    day = digest_day(digest, clock, now)
    if day:
        at = datetime(*map(int, day.split("-")), minute // 60, minute % 60, tzinfo=clock).timestamp()  # type: ignore[arg-type]
        assert at <= now < at + 6 * 3600
        assert digest_day(digest, clock, at) == day
        assert digest_day(digest, clock, at + 6 * 3600 - 1) == day


def test_a_digest_tells_what_was_missed_and_what_is_to_come() -> None:
    done = replace(ONE, call="SCL_b", reached=True, name="", need="chairs")
    callback = replace(CALLBACK, reason="wants an offer", team="")
    (told,) = digested("sales", "2026-11-30", [ONE, done], [callback], ["mailto:boss@x.example"], NY)
    assert told.content is not None
    assert told.content.title == "sales, 2026-11-30: 2 missed, 1 open"
    assert "2 callers missed, 1 of them still to be dealt with." in told.content.body
    assert "ana: busy; ben: no answer" in told.content.body
    assert "+1 510-555-0142; chairs; they have hung up; ana: busy; ben: no answer; dealt with\n" in told.content.body
    assert "1 callback to come:" in told.content.body
    assert "12:15 EST: +1 510-555-0142, by hand; wants an offer" in told.content.body
    assert told.subject == "digest 2026-11-30 sales"
    assert told.call == ""
    (nothing,) = digested("sales", "2026-12-01", [], [], ["mailto:boss@x.example"], NY)
    assert nothing.content is not None
    assert "Nobody was missed." in nothing.content.body
    assert nothing.id != told.id
