"""What an event tells of how long a caller has waited."""

from __future__ import annotations

import pytest

from gateway.terms.call import CallId
from gateway.terms.event import REFUSED_WITHIN, Event, Kind, latency


def event(kind: Kind, **data: object) -> Event:
    return Event(CallId("SCL_1"), kind, 1.0, data)


def turn(speaker: str, **latencies: object) -> Event:
    return event(Kind.TURN, speaker=speaker, latencies=latencies)


@pytest.mark.parametrize(
    ("told", "waited"),
    [
        (turn("agent", e2e_latency=1.25), 1.25),
        (turn("agent", e2e_latency=2), 2.0),
        (turn("agent", tts_node_ttfb=0.2), None),
        (turn("agent", e2e_latency="soon"), None),
        (turn("caller", e2e_latency=1.25), None),
        (event(Kind.TURN, speaker="agent"), None),
        (event(Kind.HELD, text="One moment, please.", after=1.2), None),
        (event(Kind.IN_VAIN, after=8.3), 8.3),
        (event(Kind.IN_VAIN, after=REFUSED_WITHIN), None),
        (event(Kind.IN_VAIN, after=0.4), None),
        (event(Kind.IN_VAIN), None),
    ],
)
def test_an_answer_and_one_that_never_came_tell_how_long_the_caller_has_waited(
    told: Event, waited: float | None
) -> None:
    assert latency(told) == waited
