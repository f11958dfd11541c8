"""Tests of the chaos judge, on made-up calls: every verdict must be one that a caller would agree with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.judge import (
    RINGS_AT_MOST,
    Deed,
    Evidence,
    Fault,
    Proof,
    Said,
    Target,
    alike,
    gaps,
    judge,
    silences,
    understood,
)

NEED = Said("We need a new phone system.", 14.0, 16.0)
NAME = Said("My name is John Smith.", 21.0, 22.5, fact="name", holds="John Smith")


def turn(text: str, speaker: str = "caller", at: float = 1.0) -> dict[str, Any]:
    return {"speaker": speaker, "text": text, "at": at}


WHOLE = Evidence(
    invited=9.0,
    answered=10.0,
    ended=32.0,
    ended_by="us",
    heard=((10.2, 13.0), (17.0, 20.0), (23.6, 26.0), (28.0, 31.0)),
    spoken=((10.2, 13.0), (17.0, 20.0), (23.6, 26.0), (28.0, 31.0)),
    said=(NEED, NAME),
    greetings=(11.0,),
    finished=True,
    record={
        "ending": "served",
        "turns": [turn("we need a new phone system"), turn("my name is john smith"), turn("And?", "agent")],
        "lead": {"fields": {"name": "John Smith"}},
    },
)


def with_fault(at: float, seen: Evidence = WHOLE, target: Target = Target.JOB, deed: Deed = Deed.KILL) -> Evidence:
    return replace(seen, fault=Fault(target, deed, at))


def test_a_call_that_nothing_disturbs_is_in_order() -> None:
    found = judge(WHOLE)
    assert found.silence == pytest.approx(1.1), "from the name to the next words"
    assert (found.sound_again, found.speech_again) == (None, None)
    assert (found.lost, found.doubled, found.again, found.greeted) == ((), (), 0, 1)
    assert not (found.dropped or found.cut or found.endless or found.stuck)


# silence


def test_who_is_left_in_mid_sentence_waits_from_its_end() -> None:
    found = judge(with_fault(25.0))
    assert found.sound_again == pytest.approx(2.0)
    assert found.speech_again == pytest.approx(2.0)
    assert found.silence == pytest.approx(2.0)


def test_who_is_left_before_the_answer_waits_from_the_fault() -> None:
    assert judge(with_fault(22.9)).speech_again == pytest.approx(0.7)


def test_who_speaks_over_the_fault_waits_from_their_last_word() -> None:
    assert judge(with_fault(21.5)).speech_again == pytest.approx(1.1)


def test_a_pause_for_the_callers_own_words_is_no_silence() -> None:
    """The fault comes after the question, and the caller answers before anything else is heard."""
    assert judge(with_fault(20.5)).speech_again == pytest.approx(1.1)


def test_sound_that_goes_on_shows_that_nothing_was_noticed() -> None:
    long = replace(WHOLE, heard=((10.2, 31.0),), spoken=((10.2, 31.0),), said=())
    found = judge(with_fault(12.0, long))
    assert (found.sound_again, found.speech_again, found.silence) == (None, None, 0.0)


def test_music_is_sound_and_no_speech() -> None:
    seen = replace(WHOLE, heard=((10.2, 13.0), (17.0, 20.0), (23.0, 26.0), (28.0, 31.0)))
    found = judge(with_fault(22.9, seen))
    assert found.sound_again == pytest.approx(0.1)
    assert found.speech_again == pytest.approx(0.7)


def test_silence_to_the_end_counts_to_the_end() -> None:
    left = replace(WHOLE, heard=WHOLE.heard[:2], spoken=WHOLE.spoken[:2], finished=False)
    found = judge(with_fault(22.7, left))
    assert found.speech_again == pytest.approx(32.0 - 22.7)
    assert found.silence == pytest.approx(32.0 - 22.5), "from their own last word"


def test_who_has_said_all_waits_for_nobody() -> None:
    left = replace(WHOLE, heard=WHOLE.heard[:2], spoken=WHOLE.spoken[:2])
    assert judge(with_fault(31.5, left)).speech_again is None


def test_a_gap_in_what_should_sound_on_is_silence() -> None:
    talk = replace(WHOLE, said=(), heard=((10.0, 15.0), (16.5, 31.0)), listening=((10.5, 30.0),))
    assert silences(talk) == [(15.0, 16.5)]


@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(0.01, 9)).map(lambda two: (two[0], two[0] + two[1])), max_size=8),
    st.floats(0, 20),
    st.floats(20.1, 50),
)
def test_gaps_and_spans_together_are_the_whole(spans: list[tuple[float, float]], start: float, end: float) -> None:
    found = gaps(spans, start, end)
    for at in [start, *(edge for span in spans for edge in span), (start + end) / 2]:
        if start <= at < end:
            covered = any(begin <= at < over for begin, over in spans)
            assert covered != any(begin <= at < over for begin, over in found)


# what was said


def test_words_that_were_answered_are_understood() -> None:
    assert understood(with_fault(18.0)) == [NEED]
    assert understood(with_fault(16.5)) == [], "nobody has answered yet, and it was just said"
    silent = replace(WHOLE, spoken=())
    assert understood(with_fault(19.0, silent)) == [NEED], "long since written down"


def test_a_turn_that_was_understood_must_be_on_the_record() -> None:
    record = {"ending": "served", "turns": [turn("my name is john smith")], "lead": {"fields": {"name": "John Smith"}}}
    assert judge(with_fault(25.0, replace(WHOLE, record=record))).lost == ("turn 1",)
    assert judge(with_fault(16.5, replace(WHOLE, record=record))).lost == ()


def test_a_fact_must_be_on_the_lead() -> None:
    record = {**(WHOLE.record or {}), "lead": {"fields": {"name": None}}}
    assert judge(with_fault(25.0, replace(WHOLE, record=record))).lost == ("fact name",)


def test_without_a_record_all_is_lost() -> None:
    assert judge(with_fault(25.0, replace(WHOLE, record=None))).lost == ("turn 1", "turn 2")


def test_what_a_recogniser_hears_wrong_is_not_lost() -> None:
    record = {**(WHOLE.record or {}), "turns": [turn("we need a new fun system"), turn("name is john smith")]}
    assert judge(with_fault(25.0, replace(WHOLE, record=record))).lost == ()
    assert alike("My name is John Smith.", "name is john smith") == pytest.approx(0.8)


def test_a_key_must_have_led_on() -> None:
    key = Said("1", 14.0, 14.2, Proof.STOP, "ring")
    seen = with_fault(25.0, replace(WHOLE, said=(key,)))
    assert judge(seen).lost == ("stop 1",)
    led = replace(seen, record={"stops": [{"act": "choose"}, {"act": "ring"}]})
    assert judge(led).lost == ()


def test_a_sentence_must_be_in_the_message() -> None:
    words = Said("The blue boxes have not arrived.", 14.0, 16.0, Proof.SOUND)
    seen = with_fault(25.0, replace(WHOLE, said=(words,)))
    assert judge(seen).lost == ("sound 1",)
    assert judge(replace(seen, sounds={words.what: 1})).lost == ()


def test_who_is_asked_for_what_was_understood_says_it_again() -> None:
    again = replace(NEED, start=29.0, end=30.0)
    assert judge(with_fault(25.0, replace(WHOLE, said=(NEED, NAME, again)))).again == 1
    assert judge(with_fault(16.5, replace(WHOLE, said=(NEED, NAME, again)))).again == 0


# twice


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (replace(WHOLE, record={"callbacks": [{}, {}]}), "2 callbacks"),
        (replace(WHOLE, sounds={"Hello.": 2}), "a sentence in 2 messages"),
        (replace(WHOLE, notices={"message": 2}), "2 notices of a message"),
        (replace(WHOLE, humans=2), "2 humans picked up"),
        (replace(WHOLE, record={"turns": [turn("my name is john smith", at=at) for at in (1, 2)]}),
         "a turn noted 2 times"),
    ],
)  # fmt: skip
def test_what_is_done_twice_is_told(seen: Evidence, told: str) -> None:
    assert judge(seen).doubled == (told,)


def test_a_turn_that_was_said_twice_may_be_noted_twice() -> None:
    twice = replace(
        WHOLE, said=(NAME, replace(NAME, start=28.0, end=29.0)), record={"turns": [turn(NAME.what), turn(NAME.what)]}
    )
    assert judge(twice).doubled == ()


def test_greetings_are_counted() -> None:
    assert judge(replace(WHOLE, greetings=(11.0, 27.0))).greeted == 2


# how it ended


def test_who_is_cut_off_is_dropped_while_the_media_path_lived() -> None:
    cut = with_fault(31.5, replace(WHOLE, finished=False, ended_by="them"))
    assert judge(cut).dropped
    assert not judge(cut).cut
    died = replace(cut, fault=Fault(Target.EDGE, Deed.KILL, 31.5))
    assert not judge(died).dropped
    assert judge(died).cut


@pytest.mark.parametrize("deed", [Deed.CUT, Deed.STOP])
@pytest.mark.parametrize("target", [Target.EDGE, Target.LIVEKIT])
def test_a_call_ends_with_what_carries_it_only_where_that_is_dead(target: Target, deed: Deed) -> None:
    seen = replace(WHOLE, finished=False, ended_by="them", fault=Fault(target, deed, 31.5, 31.6))
    assert judge(seen).dropped
    assert judge(replace(seen, ended_by="us")).stuck


@pytest.mark.parametrize(("until", "heard", "deserted"), [(31.5, 37.0, False), (31.5, 38.0, True), (35.0, 41.0, False)])
def test_a_silence_is_as_long_as_it_may_be_for_what_was_done(until: float, heard: float, deserted: bool) -> None:
    seen = replace(
        WHOLE, fault=Fault(Target.EDGE, Deed.STOP, 31.5, until), heard=[*WHOLE.heard, (heard, heard + 1)], ended=50.0
    )
    assert judge(seen).deserted is deserted
    assert not judge(replace(seen, fault=Fault(Target.JOB, Deed.KILL, 31.5))).deserted, (
        "others have limits of their own"
    )


def test_who_was_told_and_is_called_back_is_not_dropped() -> None:
    told = with_fault(26.5, replace(WHOLE, finished=False, ended_by="them", record={"ending": "callback"}))
    assert not judge(told).dropped
    assert judge(replace(told, spoken=WHOLE.spoken[:3])).dropped, "nobody said why"
    assert judge(replace(told, record={"ending": "lost"})).dropped, "nobody will call back"


def test_who_gives_up_is_stuck() -> None:
    assert judge(with_fault(25.0, replace(WHOLE, finished=False))).stuck


def test_endless_ringing_is_told() -> None:
    rang = Evidence(invited=0.0, answered=None, ended=RINGS_AT_MOST + 1, ended_by="us", heard=())
    assert judge(rang).endless
    assert not judge(replace(rang, ended=RINGS_AT_MOST - 1)).endless
