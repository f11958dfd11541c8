"""Whether packets of a track still come."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.edge.flow import EACH, Flow


@pytest.mark.parametrize(
    ("looks", "stands"),
    [
        ([0, 0, 0], False),  # nothing has come yet, or nobody looks
        ([15, 30, 45], False),
        ([15, 15], True),
        ([15, 15, 15], True),
        ([15, 15, 16], False),  # it goes on
        ([15, 0, 15], False),  # it sounded meanwhile
    ],
)
def test_a_track_stands_once_nothing_new_has_come(looks: Sequence[int], stands: bool) -> None:
    seen = Flow()
    for number, came in enumerate(looks, 1):
        seen = seen.looked(came, 7.0 + number * EACH)
    assert seen.stands is stands


def test_a_look_after_our_own_standstill_proves_nothing() -> None:
    """What has come meanwhile isn't counted yet."""
    assert not Flow().looked(15, 7.0).looked(15, 7.0 + 3 * EACH).stands
    assert Flow().looked(15, 7.0).looked(15, 7.0 + EACH).looked(15, 9.0).stands, "it was known before"
