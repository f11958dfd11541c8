"""Who is told what of a callback."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.callbacks.machine import Booking, State, Tell, booked
from gateway.callbacks.telling import About, deliveries
from gateway.terms.call import CallId
from gateway.terms.callback import Terms
from gateway.terms.personal import Number

NY, LA = ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")
NOW = datetime(2026, 11, 30, 12, tzinfo=NY).timestamp()
AT = datetime(2026, 12, 1, 15, tzinfo=NY).timestamp()
ONE: Booking = replace(
    booked(CallId("SCL_a"), Number("+15105550142"), AT, 3600.0, NOW, Terms("sales", str(NY))), reason="a demo"
)
ABOUT = About("https://x.example/callbacks/1", ("mailto:team@x.example", "https://hook.example"), ("mailto:ada@y.example",),
              {"name": "Ada", "company": "Acme"}, "us@x.example", NY)  # fmt: skip


def test_both_get_the_appointment_each_by_their_own_clock() -> None:
    team, hook, callee = deliveries(ONE, Tell.BOOKED, ABOUT, NOW)
    assert (team.kind, team.address, callee.address) == ("callback", "mailto:team@x.example", "mailto:ada@y.example")
    assert team.content is not None
    assert callee.content is not None
    assert (
        "Ada of Acme (+1 510-555-0142) is to be called back: Tuesday, 01 December 2026, 15:00 EST." in team.content.body
    )
    assert "tomorrow at 12 PM" in callee.content.body
    assert "0142" not in callee.content.body + str(callee.content.fields)
    for content in (team.content, callee.content):
        lines = content.files["callback.ics"].split("\r\n")
        assert "METHOD:REQUEST" in lines
        assert f"UID:{ONE.id}@offhook" in lines
        assert "DTSTART:20261201T200000Z" in lines
    assert hook.content is not None
    assert (hook.content.fields["number"], hook.content.fields["at"]) == ("+15105550142", "2026-12-01T20:00:00Z")
    assert len({one.id for one in (team, hook, callee)}) == 3


def test_its_end_takes_it_out_of_the_calendars() -> None:
    gone = replace(ONE, state=State.CANCELLED, sequence=2, why="cancelled by ben")
    for one in deliveries(gone, Tell.CANCELLED, ABOUT, NOW):
        assert one.content is not None
        lines = one.content.files["callback.ics"].split("\r\n")
        assert {"METHOD:CANCEL", "SEQUENCE:2", f"UID:{ONE.id}@offhook", "STATUS:CANCELLED"} <= set(lines)


def test_the_same_is_one_delivery_and_another_time_another() -> None:
    first = [one.id for one in deliveries(ONE, Tell.MOVED, ABOUT, NOW)]
    assert first == [one.id for one in deliveries(ONE, Tell.MOVED, ABOUT, NOW + 60)]
    assert not set(first) & {one.id for one in deliveries(replace(ONE, sequence=1), Tell.MOVED, ABOUT, NOW)}


def test_the_team_is_alarmed_of_what_is_late_and_what_came_to_nothing() -> None:
    late = deliveries(ONE, Tell.LATE, ABOUT, NOW)
    assert [one.address for one in late] == list(ABOUT.team)
    assert all(one.urgent and one.kind == "alarm" for one in late)
    assert late[0].content is not None
    assert "should have been called back by Tuesday, 01 December 2026, 16:00 EST" in late[0].content.body
    missed = replace(ONE, tries=3, why="the callee wasn't reached: busy")
    content = deliveries(missed, Tell.MISSED, ABOUT, NOW)[0].content
    assert content is not None
    assert "was called back 3 times in vain" in content.body
    assert "busy" in content.body
