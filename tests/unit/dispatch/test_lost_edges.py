"""A SIP service is gone once two looks have missed it."""

from __future__ import annotations

from gateway.calls.shared.edges import BEAT
from gateway.dispatch.lost_edges import AFTER, LostEdges


def test_a_service_is_gone_once_two_looks_have_missed_it() -> None:
    lost = LostEdges().looked({"one", "two", ""}, {"two"}, 100.0)
    assert not lost.due(100.0)
    again = lost.looked({"one", "two"}, {"two"}, 100.0 + AFTER)
    assert again.due(100.0 + AFTER) == {"one"}
    assert AFTER > BEAT


def test_a_service_that_is_heard_of_in_between_is_there() -> None:
    lost = LostEdges().looked({"one"}, set(), 100.0).looked({"one"}, {"one"}, 101.0).looked({"one"}, set(), 102.0)
    assert not lost.due(102.0)
