"""Tests of a chaos run's report and its last line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.judge import Deed, Target, Verdict
from tests.chaos.report import (
    Outcome,
    Run,
    broken,
    in_order,
    last_line,
    line,
    percentile,
    read,
    text,
    together,
    written,
)

FINE = Verdict(silence=1.2, sound_again=0.4, speech_again=1.1, greeted=1)
CALL = Outcome("1.1", "sales", Target.JOB, Deed.KILL, FINE, "served")
RUN = Run(7, 200, 3, 600.0, [CALL, replace(CALL, call="1.2", scenario="menu")])


def with_verdict(verdict: Verdict, target: Target = Target.JOB) -> Run:
    return replace(RUN, outcomes=[*RUN.outcomes, replace(CALL, call="2.1", target=target, verdict=verdict)])


def test_a_run_in_order_says_so_in_one_line() -> None:
    assert broken(RUN) == []
    assert last_line(RUN) == (
        "chaos, seed 7: 2 calls; 0 turns lost, 0 effects doubled, 0 calls dropped, speech again p99 1.1 s after a death, "
        "longest silence 1.2 s – all within the limits"
    )


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (replace(FINE, lost=("turn 1",)), "1 turns lost"),
        (replace(FINE, doubled=("2 callbacks",)), "1 effects doubled"),
        (replace(FINE, dropped=True), "1 calls dropped"),
        (replace(FINE, stuck=True), "1 callers stuck"),
        (replace(FINE, greeted=2), "1 greeted twice"),
        (replace(FINE, endless=True), "1 rang for ever"),
        (replace(FINE, deserted=True), "1 left in silence"),
        (replace(FINE, speech_again=2.1), "speech again 2.1 s after a death (p99; 2 s allowed)"),
    ],
)
def test_every_limit_fails_a_run(verdict: Verdict, told: str) -> None:
    bad = with_verdict(verdict)
    assert broken(bad) == [told]
    assert "FAILED" in last_line(bad)
    assert not in_order(bad.outcomes[-1])
    assert "2.1" in text(bad).partition("went wrong")[2]


@pytest.mark.parametrize("deed", [Deed.STOP, Deed.CUT])
def test_who_is_stopped_or_cut_off_counts_as_hung_after_three_seconds(deed: Deed) -> None:
    stopped = replace(CALL, call="3.1", deed=deed, verdict=replace(FINE, speech_again=4.9))
    fine = replace(RUN, outcomes=[*RUN.outcomes, stopped])
    assert broken(fine) == [] and in_order(stopped)
    assert "speech again p99 1.1 s after a death, speech again p99 4.9 s after a stop or a cut, " in last_line(fine)
    late = replace(stopped, verdict=replace(FINE, speech_again=5.1))
    assert broken(replace(RUN, outcomes=[late])) == ["speech again 5.1 s after a stop or a cut (p99; 5 s allowed)"]
    assert not in_order(late)


def test_a_limit_is_held_against_those_whose_speaker_died() -> None:
    assert broken(with_verdict(replace(FINE, speech_again=9.0), Target.SPEECH)) == []


def test_what_is_left_over_fails_a_run() -> None:
    assert broken(replace(RUN, left=["round 1: 1 × room"])) == ["1 left over"]


def test_a_call_that_is_cut_with_the_media_path_is_told_and_allowed() -> None:
    run = with_verdict(replace(FINE, cut=True), Target.EDGE)
    assert broken(run) == []
    assert "| edge kill | 1 |" in text(run)


def test_a_call_is_told_in_one_line() -> None:
    assert line(CALL) == (
        "  1.1    sales     job kill       silence  1.2 s  sound again 0.4 s  speech again 1.1 s  served: ok"
    )


def test_percentiles_are_of_the_nearest_rank() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, share) for share in (50, 99, 100)] == [50.0, 99.0, 100.0]
    assert percentile([3.0], 99) == 3.0


def test_a_run_is_written_and_read() -> None:
    bad = with_verdict(replace(FINE, lost=("turn 1",), doubled=("2 callbacks",)))
    assert read(written(replace(bad, left=("round 1: 1 × room",)))) == replace(bad, left=("round 1: 1 × room",))


def test_parts_of_a_run_are_one_in_which_the_later_counts() -> None:
    late = replace(RUN, outcomes=[replace(CALL, call="1.2", ending="message"), replace(CALL, call="2.1")])
    earlier = replace(RUN, left=("round 2: 1 × room", "round 20: 1 × job"))
    both = together(earlier, replace(late, left=("round 1: 1 × job",)))
    assert both.left == ("round 20: 1 × job", "round 1: 1 × job"), "round 2 was done again, and left nothing"
    assert [(each.call, each.ending) for each in both.outcomes] == [
        ("1.1", "served"),
        ("1.2", "message"),
        ("2.1", "served"),
    ]
    assert both.seconds == 1200.0
