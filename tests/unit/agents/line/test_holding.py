"""When a caller who waits is told to hold on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.line.holding import ENOUGH, GAP, NEVER, ON_THE_WAY, TIMES, WITHIN, Holding

LATE = WITHIN - ON_THE_WAY


def asked(at: float = 10.0) -> Holding:
    """A caller who has said something until `at`."""
    return Holding().talks(at - 2.0).words().silent(at)


def test_an_operator_may_want_silence() -> None:
    assert Holding(0.0).talks(9.0).words().silent(10.0).deadline == NEVER
    assert Holding(5.0).makes(10.0).deadline == 15.0 - ON_THE_WAY


def test_nobody_waits_at_the_beginning() -> None:
    assert Holding().deadline == NEVER


def test_the_phrase_comes_as_soon_whether_an_answer_is_being_made_or_nothing_was_heard() -> None:
    assert asked().deadline == 10.0 + LATE
    assert asked().makes(10.7).deadline == 10.0 + LATE
    assert Holding().talks(10.0 - ENOUGH).silent(10.0).deadline == 10.0 + LATE, "nobody has heard words"


def test_a_late_word_still_counts() -> None:
    quiet = Holding().talks(9.7).silent(10.0)
    assert quiet.deadline == NEVER, "it was a noise"
    assert quiet.words().deadline == 10.0 + LATE


def test_an_answer_ends_the_waiting() -> None:
    assert asked().answered() == Holding()
    assert asked().talks(10.2).deadline == NEVER, "and so does the caller"


def test_a_key_or_a_tool_wants_an_answer_too() -> None:
    assert Holding().makes(10.0).deadline == 10.0 + LATE


def test_two_phrases_are_said_with_a_growing_gap() -> None:
    waiting = asked().makes(10.0)
    first = waiting.deadline
    again = waiting.say(first)
    assert again.deadline == first + GAP
    assert again.deadline - first > first - 10.0
    assert again.say(again.deadline).deadline == NEVER


_steps = st.lists(
    st.tuples(st.floats(0.0, 3.0), st.sampled_from(["talks", "silent", "words", "makes", "answered", "due"])),
    max_size=30,
)


@given(_steps)
def test_whatever_happens_phrases_are_few_and_never_said_to_who_talks(steps: list[tuple[float, str]]) -> None:
    holding, now, talking, said = Holding(), 0.0, False, 0
    for pause, step in steps:
        now += pause
        match step:
            case "talks":
                holding, talking, said = holding.talks(now), True, 0
            case "silent":
                holding, talking = holding.silent(now), False
            case "words":
                holding = holding.words()
            case "makes":
                holding = holding.makes(now)
            case "answered":
                holding, said, talking = holding.answered(), 0, False
            case "due" if holding.deadline <= now:
                holding, said = holding.say(now), said + 1
        assert said <= TIMES
        assert not talking or holding.deadline == NEVER
