"""Who is let in as the places run out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.edge.service import Edge


def edge(limit: int, *calls: tuple[bool, bool], ready: str = "") -> Edge:
    """One with calls: whether each is a stranger's still, and answered."""
    made = Edge(cast("Any", None), lambda: ready, limit)
    for number, (stranger, answered) in enumerate(calls):
        made._calls[str(number)] = cast("Any", SimpleNamespace(stranger=stranger, answered=answered))
    return made


RINGS, UNHEARD, TALKS, KNOWN = (True, False), (True, True), (False, True), (False, False)


@pytest.mark.parametrize(
    ("limit", "calls", "stranger", "known"),
    [
        (20, [RINGS], "", ""),
        (20, [RINGS, RINGS], "too many strangers", ""),
        (20, [RINGS, TALKS, TALKS, KNOWN, KNOWN], "", ""),
        (20, [RINGS, UNHEARD], "too many strangers", ""),
        (20, [UNHEARD, UNHEARD], "too many strangers", ""),
        (20, [KNOWN] * 20, "too many", "too many"),
        (1, [], "", ""),
        (5, [RINGS], "too many strangers", ""),
    ],
)
def test_strangers_whose_calls_only_ring_leave_the_places_to_others(
    limit: int, calls: list[tuple[bool, bool]], stranger: str, known: str
) -> None:
    one = edge(limit, *calls)
    assert one._full(stranger=True) == stranger
    assert one._full() == known


def test_nobody_is_let_in_who_could_not_be_served() -> None:
    assert edge(20, ready="Redis can't be reached")._full(stranger=True) == "not ready"
