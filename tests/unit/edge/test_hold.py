"""Whether a peer has put us on hold, and plays something meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.edge.hold import LISTENS, LOUD, Hold
from gateway.rtp import FRAME, Samples
from gateway.sip.sdp import Direction
from gateway.terms.hold import MUSIC, SILENT


def frame(level: int) -> Samples:
    return np.full(FRAME, level, np.int16)


@pytest.mark.parametrize(
    ("direction", "state"),
    [
        (Direction.SENDRECV, ""),
        (Direction.SENDONLY, ""),
        (Direction.RECVONLY, MUSIC),  # theirs is sendonly
        (Direction.INACTIVE, SILENT),
    ],
)
def test_who_doesnt_want_to_hear_us_holds_us(direction: Direction, state: str) -> None:
    hold = Hold()
    assert hold.settled(direction, 0.0) is bool(state)
    assert hold.state == state
    assert not hold.settled(direction, 1.0), "nothing has changed"
    assert hold.settled(Direction.SENDRECV, 2.0) is bool(state)
    assert hold.state == ""


def test_who_says_that_they_send_and_sends_nothing_is_silent() -> None:
    hold = Hold()
    hold.settled(Direction.RECVONLY, 10.0)
    assert not hold.heard(frame(0), 10.0 + LISTENS - 0.01)
    assert hold.heard(frame(LOUD - 1), 10.0 + LISTENS)
    assert hold.state == SILENT
    assert not hold.settled(Direction.RECVONLY, 12.0), "the same again"
    assert hold.heard(frame(-LOUD), 12.1)
    assert hold.state == MUSIC, "it begins to play"
    assert not hold.heard(frame(0), 12.5), "music has pauses"


def test_the_loudest_sample_there_is_counts() -> None:
    hold = Hold()
    hold.settled(Direction.RECVONLY, 0.0)
    hold.heard(frame(-32768), LISTENS)
    assert hold.state == MUSIC


def test_who_has_said_that_nothing_comes_isnt_listened_to() -> None:
    hold = Hold()
    hold.settled(Direction.INACTIVE, 0.0)
    assert not hold.heard(frame(LOUD), 1.0)
    assert hold.state == SILENT
