"""Tests of a call's figures."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.phone import told
from gateway.phone.tape import Tape
from gateway.phone.timeline import (
    Action,
    Kind,
    Pacing,
    Signalling,
    Timeline,
    barge_ins,
    measure,
    pacing,
    silences,
    turns,
)
from gateway.rtp import FRAME, FRAME_SECONDS, RATE, Arrival, Samples
from gateway.rtp.statistics import Statistics


def tone(seconds: float) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    return (8000 * np.sin(2 * np.pi * 400 * time)).astype(np.int16)


def taped(sent: Samples, heard: Samples, at: float = 100.0) -> Tape:
    """A tape of both sides, frame by frame, each packet arriving as it is due."""
    tape = Tape()
    for place in range(0, max(len(sent), len(heard)), FRAME):
        now = at + place / RATE
        frame = heard[place : place + FRAME]
        frame = np.pad(frame, (0, FRAME - len(frame)))
        tape.arrival(Arrival(frame, now, place // FRAME, place))
        out = sent[place : place + FRAME]
        tape.frame(now, np.pad(out, (0, FRAME - len(out))), frame)
    return tape


def nothing(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.int16)


def test_a_call_is_measured_from_its_packets() -> None:
    heard = np.concatenate([nothing(0.3), tone(1.0), nothing(2.0), tone(0.5), nothing(1.0)])
    sent = np.concatenate([nothing(2.0), tone(0.5), nothing(2.3)])
    told_of = Signalling("+1510", 99.0, 99.01, 100.0, 104.8, 200, "OK", "them", "PCMU/8000")
    line = measure(told_of, taped(sent, heard), [Action(Kind.SAY, "Hi.", 102.0, 102.5)], Statistics(), now=104.8)
    assert line.invite_to_ringing == pytest.approx(0.01, abs=1e-6)
    assert line.invite_to_answer == pytest.approx(1.0)
    assert line.answer_to_first_word == pytest.approx(0.3, abs=0.02)
    assert [turn.gap for turn in line.turns] == [pytest.approx(0.8, abs=0.03)]
    assert line.duration == pytest.approx(4.8)
    assert line.pacing.p50 == pytest.approx(20.0, abs=0.01)
    assert line.barge_ins == ()
    assert json.loads(json.dumps(line.as_json()))["ended_by"] == "them"


def test_a_call_without_a_word_of_ours_is_measured_too() -> None:
    told_of = Signalling("+1510", 99.0, None, 100.0, 101.0, 200, "OK", "us", "PCMU/8000")
    line = measure(told_of, taped(nothing(1.0), tone(1.0)), [], Statistics(), now=101.0)
    assert line.turns == ()
    assert line.answer_to_first_word == pytest.approx(0.0, abs=0.02)


def test_a_refused_call_has_no_figures_but_its_signalling() -> None:
    line = measure(Signalling("x", 1.0, 1.1, None, 1.2, 486, "Busy Here", "them"), Tape(), [], Statistics(), now=9.0)
    assert (line.status, line.invite_to_answer, line.turns) == (486, None, ())
    assert list(told.lines(line))[-1].endswith("486 Busy Here")


def test_an_answer_that_never_came_is_no_gap() -> None:
    said = [Action(Kind.SAY, "a", 1.0, 2.0), Action(Kind.SAY, "b", 3.0, 4.0)]
    found = turns(said, [(1.0, 2.0), (3.0, 4.0)], [(4.5, 5.0)])
    assert [turn.gap for turn in found] == [None, pytest.approx(0.5)]


def test_speaking_over_the_other_side_is_a_barge_in_and_its_silence_is_timed() -> None:
    found = barge_ins([(2.0, 3.0), (6.0, 7.0)], [(0.0, 2.4), (6.5, 8.0)], end=8.0)
    assert [(one.at, one.until_silence) for one in found] == [(2.0, pytest.approx(0.4))]
    assert barge_ins([(2.0, 3.0)], [(0.0, 8.0)], end=8.0)[0].until_silence is None, "it never fell silent"


SPANS = st.lists(
    st.tuples(st.floats(0, 50), st.floats(0, 10)).map(lambda span: (span[0], span[0] + span[1])), max_size=8
)


@given(SPANS)
def test_dead_air_is_what_no_side_covers(spans: list[tuple[float, float]]) -> None:
    found = silences(spans, 0.0, 60.0)
    for start, length in found:
        assert length > 1.0
        middle = start + length / 2
        assert not any(begin < middle < end for begin, end in spans)
    covered = sum(length for _, length in found)
    assert covered <= 60.0


def test_no_packets_have_no_pace() -> None:
    assert pacing([], Statistics()) == Pacing()
    assert pacing([FRAME_SECONDS] * 9 + [0.1], Statistics()).longest == pytest.approx(100.0)


def test_a_timeline_is_told_in_words() -> None:
    line = Timeline("echo", 200, "OK", 0.01, 0.4, 0.1, 3.0, "them", "PCMU/8000", "x", keys_heard="5")
    words = "\n".join(told.lines(line))
    assert "answered        after 400 ms" in words
    assert "the other side hung up" in words
    assert "keys heard      5" in words
