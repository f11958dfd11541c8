"""How good a call's line was stands in its record."""

from __future__ import annotations

from gateway.records.model import changes
from gateway.records.timeline import timeline
from gateway.rtp import quality
from gateway.rtp.statistics import Statistics
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind


def test_what_the_line_was_like_is_kept_and_told() -> None:
    counts = Statistics(
        sent=1000, received=950, lost=30, late=19, concealed=400, lost_there=10, jitter=0.004, round_trip=0.08
    )
    line = quality.of(counts)
    assert line["lost"] == 0.05
    assert line["lost_there"] == 0.01
    assert 3.0 < line["mos"] < 4.0
    event = Event(
        CallId("SCL_1"), Kind.SIP, 5.0, {"status": 200, "by": "caller", "codec": "PCMU/8000", "quality": line}
    )
    notes = [change.row for change in changes(event) if change.table.value == "notes"]
    assert [note["about"] for note in notes] == [line]
    told = timeline({}, attempts=(), turns=(), switches=(), callbacks=(), notes=[{**notes[0], "call": "SCL_1"}])
    assert "line: MOS 3." in told[-1].text
    assert "round trip 80 ms" in told[-1].text


def test_a_call_on_which_nothing_was_heard_has_no_line_to_tell_of() -> None:
    assert quality.of(Statistics(sent=10)) == {}
    event = Event(CallId("SCL_1"), Kind.SIP, 5.0, {"status": 404, "quality": {}})
    assert not [change for change in changes(event) if change.table.value == "notes"]
