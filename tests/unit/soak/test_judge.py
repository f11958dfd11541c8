"""Tests of what a soak says of its calls and of what they have left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.soak.judge import FILES_MORE, Census, Placed, Soak, broken, grown, lines, read, together, written
from tests.soak.tapped import tapped

EDGE = {"files": 40.0, "udp ports": 1.0, "tasks": 12.0, "megabytes": 80.0, "threads": 9.0}
BEFORE = Census({"edge": EDGE, "livekit-server": {"files": 20.0, "megabytes": 90.0}}, {"room": 0.0, "live call": 0.0})
FINE = Placed(1, "echo", answered=0.4, joined=0.35, jobs=1, ending="served")
SOAK = Soak([FINE, replace(FINE, number=2)], BEFORE, BEFORE, 60.0)


def after(**edge: float) -> Census:
    return replace(BEFORE, processes={**BEFORE.processes, "edge": {**EDGE, **edge}})


def test_all_in_order() -> None:
    assert broken(SOAK) == []
    assert list(lines(SOAK))[-1] == "soak: 2 calls, 0 lost – ok"


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (after(**{"udp ports": 2.0}), ["edge: udp ports 1 → 2"]),
        (after(tasks=13.0), ["edge: tasks 12 → 13"]),
        (after(files=40.0 + FILES_MORE), []),
        (after(files=41.0 + FILES_MORE), ["edge: files 40 → 49"]),
        (after(megabytes=89.0), []),
        (after(megabytes=91.0), ["edge: megabytes 80 → 91"]),
        (after(threads=30.0), []),
        (replace(BEFORE, shared={"room": 1.0, "live call": 0.0}), ["room: 0 → 1"]),
        (replace(BEFORE, shared={"room": 0.0, "offhook:lease:…": 1.0}), ["offhook:lease:…: 0 → 1"]),
        (replace(BEFORE, processes={"edge": EDGE}), ["livekit-server is another process, or none"]),
        (
            replace(BEFORE, processes={"edge": EDGE, "livekit-server": {"files": 20.0, "megabytes": 300.0}}),
            [],
        ),
    ],
)
def test_what_is_left_is_told(now: Census, left: list[str]) -> None:
    assert grown(BEFORE, now) == left


def test_a_call_that_nobody_answered_or_wrote_down_is_lost() -> None:
    lost = [replace(FINE, answered=None), replace(FINE, ending="")]
    assert broken(replace(SOAK, calls=[FINE, *lost])) == ["2 calls lost"]


def test_jobs_that_come_late_are_told() -> None:
    late = [replace(FINE, joined=0.7)] * 2
    assert broken(replace(SOAK, calls=[*[FINE] * 98, *late])) == ["dispatch → job in the room p99 700 ms > 600"]


def test_parts_are_one_run_from_the_first_start_to_the_last_end() -> None:
    left = replace(SOAK, before=after(tasks=13.0), after=after(tasks=13.0))
    run = together(together(None, SOAK), left)
    assert (len(run.calls), run.parts, run.seconds) == (4, 2, 120.0)
    assert broken(run) == ["edge: tasks 12 → 13"]
    assert read(written(run)) == run


def test_livekit_tells_the_tap_as_well() -> None:
    assert "http://tap/" in tapped("webhook: {urls: ['http://control/']}", "http://tap/")
