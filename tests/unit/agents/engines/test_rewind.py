"""What a caller has said and nobody has understood: kept until somebody has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.engines.rewind import (
    BEFORE,
    FINAL_WITHIN,
    FORGOTTEN,
    LATE,
    LEAST,
    MOST,
    NOTHING_WITHIN,
    Rewind,
)
from agents.engines.standstill import EXCUSED, STILL

STEP = 0.1


def sound(tape: Rewind[int], seconds: float) -> None:
    """Sound, as it is spoken."""
    at = tape._came or 0.0
    for number in range(round(seconds / STEP)):
        tape.add(round(tape.now / STEP), STEP, at + (number + 1) * STEP)


def at_once(tape: Rewind[int], seconds: float, after: float) -> None:
    """Sound that comes at once after nothing has come for a while."""
    at = (tape._came or 0.0) + after
    for _ in range(round(seconds / STEP)):
        tape.add(round(tape.now / STEP), STEP, at)


def speech(tape: Rewind[int], seconds: float) -> None:
    tape.speech_began(tape.now)
    sound(tape, seconds)
    tape.speech_ended(tape.now)


def begins(tape: Rewind[int]) -> float:
    return tape.again()[0]


def test_silence_is_forgotten() -> None:
    tape: Rewind[int] = Rewind()
    sound(tape, 10.0)
    assert not tape.owed
    assert tape.now - begins(tape) <= BEFORE + 2 * STEP


def test_speech_is_kept_from_before_its_beginning_until_its_words_are_final() -> None:
    tape: Rewind[int] = Rewind()
    sound(tape, 5.0)
    speech(tape, 3.0)
    assert tape.owed
    assert 5.0 - BEFORE - 2 * STEP <= begins(tape) <= 5.0 - BEFORE + 2 * STEP
    tape.words()
    assert tape.owed, "what may change isn't understood"
    tape.final(7.9)
    assert not tape.owed
    assert begins(tape) >= 7.7


def test_of_who_goes_on_talking_what_is_final_is_let_go() -> None:
    tape: Rewind[int] = Rewind()
    tape.speech_began(tape.now)
    sound(tape, 4.0)
    tape.final(2.5)
    assert tape.owed
    first, frames = tape.again()
    assert 2.3 <= first <= 2.5
    assert frames == list(range(frames[0], 40)), "every frame since, in order"


def test_who_hears_nothing_of_speech_is_found_out() -> None:
    tape: Rewind[int] = Rewind()
    tape.speech_began(tape.now)
    sound(tape, NOTHING_WITHIN - 2 * STEP)
    assert not tape.unheard
    sound(tape, 3 * STEP)
    assert tape.unheard
    tape.again()
    assert not tape.unheard, "the next gets the time anew"
    tape.words()
    sound(tape, NOTHING_WITHIN + STEP)
    assert not tape.unheard, "and tells words"


def test_who_never_ends_what_it_has_begun_is_found_out() -> None:
    tape: Rewind[int] = Rewind()
    tape.speech_began(tape.now)
    sound(tape, 1.0)
    tape.words()
    tape.speech_ended(tape.now)
    sound(tape, FINAL_WITHIN - 2 * STEP)
    assert not tape.unheard
    sound(tape, 3 * STEP)
    assert tape.unheard


def test_a_cough_asks_for_no_words() -> None:
    tape: Rewind[int] = Rewind()
    speech(tape, LEAST - 2 * STEP)
    sound(tape, FORGOTTEN / 2)
    assert not tape.unheard
    sound(tape, FORGOTTEN)
    assert not tape.owed, "and is forgotten"


def test_a_yes_is_missed_too() -> None:
    tape: Rewind[int] = Rewind()
    speech(tape, LEAST + STEP)
    sound(tape, FINAL_WITHIN + STEP)
    assert tape.unheard
    tape.utterance_ended()
    assert not tape.owed, "another has heard nothing either"


def test_who_says_that_there_were_no_words_has_heard() -> None:
    tape: Rewind[int] = Rewind()
    speech(tape, 2.0)
    tape.utterance_ended()
    sound(tape, 5.0)
    assert not tape.unheard


def test_what_comes_at_once_after_a_standstill_is_no_time_in_which_words_could_have_been_told() -> None:
    tape: Rewind[int] = Rewind()
    speech(tape, 1.0)
    at_once(tape, FORGOTTEN + 1.0, after=FORGOTTEN + 1.0)
    assert tape.owed, "who hears has just got it"
    assert not tape.unheard
    sound(tape, FINAL_WITHIN + STEP)
    assert tape.unheard, "from now on it is given its time"


def test_frames_that_are_a_little_late_are_time() -> None:
    tape: Rewind[int] = Rewind()
    for _ in range(50):
        at_once(tape, 2 * STEP, after=2 * STEP)
    assert 2 * STEP <= LATE + STEP
    assert abs(tape.time - tape.now) < LATE + STEP


def test_speech_that_comes_at_once_is_kept_until_it_is_known_to_be_some() -> None:
    tape: Rewind[int] = Rewind()
    sound(tape, 5.0)
    tape.looked(5.0)
    at_once(tape, 4.0, after=4.0)
    tape.speech_began(6.0)
    tape.speech_ended(8.0)
    assert begins(tape) <= 6.0 - BEFORE
    sound(tape, FINAL_WITHIN + STEP)
    assert tape.unheard, "it was as long as it was, however soon it came"


def test_what_is_said_while_who_hears_is_behind_stays_owed() -> None:
    tape: Rewind[int] = Rewind()
    speech(tape, 1.0)
    sound(tape, 0.5)
    speech(tape, 1.0)
    tape.final(0.9)
    tape.utterance_ended()
    assert tape.owed, "of the second there are no words yet"
    assert begins(tape) <= 1.5
    tape.final(2.4)
    assert not tape.owed


def test_who_fails_after_a_standstill_is_not_to_blame_for_a_while() -> None:
    tape: Rewind[int] = Rewind()
    sound(tape, 5.0)
    assert not tape.stood_still(5.0)
    assert tape.stood_still(5.0 + STILL), "what fails as we go on is told before the sound comes"
    at_once(tape, 3.0, after=3.0)
    assert tape.stood_still(8.0)
    sound(tape, EXCUSED + 2 * STEP)
    assert not tape.stood_still(8.0 + EXCUSED + 2 * STEP)


_steps = st.lists(st.sampled_from(["began", "ended", "words", "final", "again", "over", "wait", 0.5, 3.0, 20.0]))


@given(_steps)
def test_whatever_happens_what_is_kept_is_the_last_of_the_sound_and_bounded(steps: list[str | float]) -> None:
    tape: Rewind[int] = Rewind()
    for step in steps:
        match step:
            case "began":
                tape.speech_began(tape.now)
            case "ended":
                tape.speech_ended(tape.now)
            case "words":
                tape.words()
            case "final":
                tape.final(tape.now)
            case "again":
                tape.again()
            case "over":
                tape.utterance_ended()
            case "wait":
                tape.wait_on()
            case _:
                sound(tape, float(step))
        frames = Rewind.again(tape)[1]
        assert frames == list(range(frames[0], frames[0] + len(frames))) if frames else True
        assert len(frames) * STEP <= MOST + 2 * STEP
        assert not tape.unheard or tape.owed
