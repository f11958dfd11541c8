"""What a BYE's Reason says of who ended the call."""

from __future__ import annotations

import pytest

from gateway.edge.reason import dropped


@pytest.mark.parametrize(
    ("reasons", "lost"),
    [
        ([], False),
        (['Q.850;cause=16;text="Normal call clearing"'], False),
        (["Q.850;cause=31"], False),
        (['Q.850 ;cause=41 ;text="Temporary failure"'], True),
        (["q.850;text=x;cause=38"], True),
        (['SIP;cause=200;text="OK"'], False),
        (['SIP ;cause=408 ;text="Request Timeout"'], True),
        (["SIP;cause=200, Q.850;cause=27"], True),
        (["SIP;cause=200", "Q.850;cause=102"], True),
        (["Q.850;cause=4100", "cause=41", "X;cause=41", "Q.850;cause=", ""], False),
    ],
)
def test_only_causes_of_the_network_say_that_nobody_hung_up(reasons: list[str], lost: bool) -> None:
    assert dropped(reasons) is lost
