"""When a caller who waits is told to hold on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.line.holding import ENOUGH, LATE, NEVER, ON_THE_WAY, TIMES, WITHIN, Holding

FIRST = WITHIN - ON_THE_WAY


def asked(at: float = 10.0) -> Holding:
    """A caller who has said something until `at`."""
    return Holding().talks(at - 2.0).words().silent(at)


def test_an_operator_may_want_silence() -> None:
    assert Holding(0.0).talks(9.0).words().silent(10.0).deadline == NEVER
    assert Holding(5.0).makes(10.0).deadline == 15.0 - ON_THE_WAY


def test_nobody_waits_at_the_beginning() -> None:
    assert Holding().deadline == NEVER


def test_the_phrase_comes_as_soon_whether_an_answer_is_being_made_or_nothing_was_heard() -> None:
    assert asked().deadline == 10.0 + FIRST
    assert asked().makes(10.7).deadline == 10.0 + FIRST
    assert Holding().talks(10.0 - ENOUGH).silent(10.0).deadline == 10.0 + FIRST, "nobody has heard words"


def test_a_late_word_still_counts() -> None:
    quiet = Holding().talks(9.7).silent(10.0)
    assert quiet.deadline == NEVER, "it was a noise"
    assert quiet.words().deadline == 10.0 + FIRST


def test_an_answer_ends_the_waiting() -> None:
    assert asked().answered() == Holding()
    assert asked().talks(10.2).deadline == NEVER, "and so does the caller"


def test_who_talks_when_an_answer_ends_waits_for_another() -> None:
    assert asked().talks(11.0).answered().silent(12.0).deadline == 12.0 + FIRST
    assert asked().sounds(11.0).talks(11.5).silent(12.0).whole().deadline == 12.0 + FIRST


def test_who_coughs_during_an_answer_wants_no_other() -> None:
    coughed = asked().makes(10.0).sounds(11.0).talks(11.5).silent(11.5 + ENOUGH / 2)
    assert coughed.deadline == NEVER
    assert coughed.words().deadline != NEVER, "unless there were words in it"
    waiting = asked().makes(10.0).say(12.0).talks(12.5).silent(12.5 + ENOUGH / 2)
    assert waiting.deadline != NEVER, "who waits for the answer still does"


def test_a_key_or_a_tool_wants_an_answer_too() -> None:
    assert Holding().makes(10.0).deadline == 10.0 + FIRST


def test_each_phrase_is_followed_by_the_next_as_soon_until_there_is_an_answer() -> None:
    waiting = asked().makes(10.0)
    for _ in range(9):
        ends = waiting.deadline + 2.0
        waiting = waiting.say(ends)
        assert waiting.deadline == ends + WITHIN - LATE
    assert waiting.answered().deadline == NEVER


def test_an_answer_that_breaks_off_is_waited_for_again() -> None:
    begun = asked().makes(10.0).say(12.0).sounds(14.0)
    assert begun.deadline == 14.0 + WITHIN - LATE
    assert begun.said == 0, "a new wait"
    assert begun.sounds(15.0).deadline == 15.0 + WITHIN - LATE, "it has gone on"
    assert begun.whole().deadline == NEVER


def test_who_was_heard_but_not_understood_is_asked_to_say_it_again() -> None:
    noise = Holding().talks(8.0).silent(10.0)
    assert not noise.lost
    for _ in range(TIMES):
        noise = noise.say(12.0)
    assert noise.lost
    assert not noise.words().lost
    assert not noise.makes(12.0).lost


_steps = st.lists(
    st.tuples(
        st.floats(0.0, 3.0),
        st.sampled_from(["talks", "silent", "words", "makes", "sounds", "whole", "answered", "due"]),
    ),
    max_size=30,
)


@given(_steps)
def test_whatever_happens_nothing_is_said_to_who_talks_and_who_waits_waits_no_longer(
    steps: list[tuple[float, str]],
) -> None:
    holding, now, talking = Holding(), 0.0, False
    for pause, step in steps:
        now += pause
        match step:
            case "talks":
                holding, talking = holding.talks(now), True
            case "silent":
                holding, talking = holding.silent(now), False
            case "words":
                holding = holding.words()
            case "makes":
                holding = holding.makes(now)
            case "sounds":
                holding = holding.sounds(now)
            case "whole":
                holding = holding.whole()
            case "answered":
                holding = holding.answered()
            case "due" if holding.deadline <= now:
                holding = holding.say(now)
        assert not talking or holding.deadline == NEVER
        assert holding.deadline == NEVER or holding.deadline <= now + WITHIN
