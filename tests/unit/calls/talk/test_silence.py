"""A silent caller is asked twice, then let go; who asks to wait is waited for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.talk.silence import ASK_AFTER, HOLD, NEVER, Silence, Then, asks_to_wait


def asked(silence: Silence, now: float) -> tuple[Silence, Then | None, float]:
    """What comes of silence from `now` on, and when."""
    quiet = silence.quiet(now)
    if quiet.deadline == NEVER:
        return quiet, None, now
    assert quiet.due(quiet.deadline - 0.001) == (quiet, None)
    after, then = quiet.due(quiet.deadline)
    return after, then, quiet.deadline


def test_a_silent_caller_is_asked_twice_then_let_go_then_left_alone() -> None:
    silence, now, told = Silence(), 0.0, []
    for _ in range(4):
        silence, then, now = asked(silence, now)
        told.append((then, now))
    assert told[:3] == [(Then.ASK, 12.0), (Then.ASK_AGAIN, 24.0), (Then.LET_GO, 36.0)]
    assert told[3][0] is None


def test_being_heard_begins_it_anew() -> None:
    silence, _, now = asked(Silence(), 0.0)
    silence, _, now = asked(silence, now)
    assert asked(silence.heard(), now)[1] is Then.ASK


def test_hold_on_suspends_it_for_two_minutes() -> None:
    silence = Silence().said("Hold on.", 5.0)
    _, then, at = asked(silence, 7.0)
    assert (then, at) == (Then.ASK, 5.0 + HOLD)
    early = Silence().quiet(0.0).said("One moment, please.", 3.0)  # the words are known after the silence has begun
    assert early.deadline == 3.0 + HOLD


def test_a_patient_caller_is_never_asked() -> None:
    assert asked(Silence().wait_for_ever(), 0.0)[1] is None
    assert asked(Silence().quiet(0.0).wait_for_ever().heard(), 9.0)[1] is None


@pytest.mark.parametrize(
    "words",
    [
        "Hold on.", "hold on a second", "One moment, please.", "Just a second.", "just a sec", "Wait.", "wait wait",
        "Wait a minute.", "please wait", "Give me a minute.", "give me just a second", "Hang on, I need to find it.",
        "let me check", "Let me look that up.", "Bear with me.", "I'll be right back", "Just one moment", "One second",
        "Um, a second.", "Okay, wait.", "Hold the line please", "Give me half a minute", "only a minute",
    ],
)  # fmt: skip
def test_asks_to_wait(words: str) -> None:
    assert asks_to_wait(words)


@pytest.mark.parametrize(
    "words",
    [
        "Too many customers wait too long.", "I can't wait.", "How long is the wait?", "I've been waiting for hours.",
        "We need a new phone system.", "On the second floor.", "My name is Holden.", "I don't want to hold on forever.",
        "It drops within one minute.", "It took just a minute.", "A person, please.", "", "Yes.",
        "We have a waiting list.", "They made me wait a week.", "It rings for about a minute.",
        "I had to wait a day.", "It fails after one minute.",
    ],
)  # fmt: skip
def test_does_not_ask_to_wait(words: str) -> None:
    assert not asks_to_wait(words)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["heard", "talking", "quiet", "hold on", "hello", "due"]), st.floats(0.0, 200.0)
    ),
    max_size=40,
)  # fmt: skip


@given(STEPS)
def test_nobody_is_asked_who_was_heard_or_has_asked_to_wait(steps: list[tuple[str, float]]) -> None:
    silence, now, heard, held, told = Silence(), 0.0, 0.0, -NEVER, 0
    for what, passed in steps:
        now += passed
        match what:
            case "heard":
                silence, heard, told = silence.heard(), now, 0
            case "talking":
                silence, heard = silence.talking(), now
            case "quiet":
                silence = silence.quiet(now)
            case "due":
                silence, then = silence.due(now)
                if then is not None:
                    assert now >= heard + ASK_AFTER
                    assert now >= held
                    assert then is (Then.ASK, Then.ASK_AGAIN, Then.LET_GO)[told]
                    told += 1
            case words:
                silence = silence.said(words, now)
                held = now + HOLD if words == "hold on" else held
