"""Machines on a caller's line are asked once and let go in the end; whoever is there is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.talk.ear import Sound
from gateway.calls.talk.recorded import Kind, is_mailbox, kind_of
from gateway.calls.talk.stranger import ANEW, ASK_AFTER, NEVER, Stranger, Then

GREETING = "You have reached the voicemail of Ana. Please leave a message after the tone."
HOLD = "Your call is important to us. Please continue to hold."
RECORDED = [
    GREETING, HOLD, "Please leave your message after the beep.", "Leave a message at the tone.", "For sales, press one.",
    "To speak with an operator, press zero.", "Thank you for calling Acme.", "All of our agents are currently busy.",
    "Please stay on the line for the next available representative.", "This call may be recorded. Press two for billing.",
    "The person you are trying to reach is not available.", "I can't come to the phone right now, leave me a message after the tone.",
    "Your call has been forwarded to an automated voice messaging system.", "Please listen carefully.",
    "Your call will be answered in the order it was received.", "The mailbox is full.",
]  # fmt: skip
PEOPLE = [
    "We need a new phone system.", "My name is John Smith.", "I work for Acme Software.", "About fifty thousand dollars.",
    "Yes, that's right.", "No, that's all. Goodbye.", "My internet connection is not working.", "A person, please.",
    "I'd like to leave a message after the meeting.", "Can I leave a message?", "How do I press charges?",
    "Our voice mail doesn't work any more.", "Callers wait too long in the queue.", "I pressed one and nothing happened.",
    "I was on hold for an hour.", "What are your opening hours?", "Please go ahead.", "Yes, go ahead.", "Go ahead.",
    "The display shows a menu.", "I can hear you.", "Hold on, please.", "Our office is in Boston.",
    "The line is always busy.", "We play music to callers who hold.", "Could you record that?", "The call drops.", "Thank you for calling me back.",
]  # fmt: skip
RELAYED = [
    "This is communication assistant four two one seven with a relay call.", "Hello, I am calling through a video relay.",
    "This is a relay operator.", "I am deaf and use a text telephone.", "I'm calling from a T T Y.",
    "A person who is deaf or hard of hearing is calling you.", "Have you received a captioned call before?",
    "I am using the telecommunications relay service.", "This is sign language interpreter ten.",
]  # fmt: skip


@pytest.mark.parametrize("words", RECORDED)
def test_a_recordings_words(words: str) -> None:
    assert kind_of(words) is Kind.RECORDED


@pytest.mark.parametrize("words", PEOPLE)
def test_a_persons_words(words: str) -> None:
    assert kind_of(words) in (Kind.OTHER, Kind.ANSWER)


@pytest.mark.parametrize("words", RELAYED)
def test_a_relays_words_lead_to_a_person_and_are_never_a_machines(words: str) -> None:
    known, then = Stranger().said(words, 0.0)
    assert then is Then.PERSON
    assert "relay" in known.why
    for _ in range(5):
        known, then = known.said(HOLD, 1.0)
        known, _ = known.heard(Sound.MUSIC, 2.0)
    assert (then, known.deadline) == (None, NEVER)


def test_a_text_telephone_gets_a_person_once() -> None:
    known, then = Stranger().heard(Sound.TTY, 0.0)
    assert (then, known.why) == (Then.PERSON, "the caller uses a text telephone")
    assert known.heard(Sound.TTY, 1.0) == (known, None)


def test_go_ahead_is_waited_for_and_twice_is_a_relay() -> None:
    first, then = Stranger().said("I want to order a phone system, go ahead.", 0.0)
    assert then is Then.PATIENCE
    assert first.said("My name is John Smith, go ahead.", 9.0)[1] is Then.PERSON


def told(stranger: Stranger, until: float) -> tuple[Stranger, list[tuple[Then, float]]]:
    """What follows with time alone."""
    seen = []
    while (at := stranger.deadline) <= until:
        stranger, then = stranger.due(at)
        assert then is not None
        seen.append((then, at))
    return stranger, seen


@pytest.mark.parametrize(
    ("stranger", "why"),
    [
        (Stranger().heard(Sound.MUSIC, 10.0)[0], "hold music was played"),
        (Stranger().said(GREETING, 10.0)[0], "a recorded voice was there"),
    ],
)
def test_a_machine_is_asked_once_and_let_go_when_its_time_is_up(stranger: Stranger, why: str) -> None:
    over, seen = told(stranger, 1000.0)
    assert seen == [(Then.ASK, 10.0 + ASK_AFTER), (Then.END, 130.0)]
    assert over.why == why


def test_a_voice_that_says_the_same_for_the_third_time_is_suspected() -> None:
    stranger = Stranger()
    for times in range(3):
        assert not stranger.suspected
        stranger, _ = stranger.said("You are number four in the line.", 10.0 * times)
    assert told(stranger, 1000.0)[1][-1] == (Then.END, 140.0)


def test_a_person_who_answers_is_let_be() -> None:
    asked, _ = told(Stranger().said("Please hold.", 0.0)[0], 10.0)
    assert asked.said("Yes, I'm here.", 12.0)[0].deadline == NEVER
    assert asked.pressed().deadline == NEVER
    back, _ = asked.said("Okay, found it.", 60.0)
    assert back.said("My ticket number is five.", 65.0)[0].deadline == NEVER


def test_the_words_of_a_song_are_nobodys() -> None:
    playing, _ = Stranger().heard(Sound.MUSIC, 0.0)
    singing, _ = playing.said("Hello, is it me you're looking for?", 1.0)
    assert singing.suspected


def test_a_line_that_says_other_things_between_does_not_begin_anew() -> None:
    stranger = Stranger().said(HOLD, 0.0)[0]
    for at in (20.0, 40.0):
        for words in ("You are the third caller.", "The wait is five minutes."):
            stranger, _ = stranger.said(words, at)
        assert not stranger.suspected
        stranger, _ = stranger.said(HOLD, at + 5.0)
    assert told(stranger, 1000.0)[1] == [(Then.ASK, 4.0), (Then.END, 120.0)]
    assert stranger.pressed().said(HOLD, 45.0 + ANEW)[0].since == 45.0 + ANEW


def test_where_machines_are_welcome_nothing_is_suspected() -> None:
    assert Stranger(cap=0.0).said(GREETING, 0.0)[0].deadline == NEVER


def test_a_small_cap_ends_before_anybody_is_asked() -> None:
    assert told(Stranger(cap=2.0).said(GREETING, 0.0)[0], 10.0)[1] == [(Then.END, 2.0)]


STEP = st.one_of(
    st.sampled_from([*RECORDED, *PEOPLE, *RELAYED]), st.sampled_from(list(Sound)), st.just(None)
)  # fmt: skip


@given(st.lists(st.tuples(STEP, st.floats(0.0, 60.0)), max_size=60))
def test_nobody_is_ended_early_nor_a_relay_at_all(steps: list[tuple[str | Sound | None, float]]) -> None:
    stranger, now, first, relayed, ended = Stranger(), 0.0, NEVER, False, 0
    for what, passed in steps:
        now += passed
        then: Then | None = None
        if what is None:
            stranger, then = stranger.due(now)
        elif isinstance(what, Sound):
            stranger, then = stranger.heard(what, now)
        else:
            stranger, then = stranger.said(what, now)
        first = min(first, now) if stranger.suspected else first
        relayed = relayed or then is Then.PERSON
        assert not (relayed and then in (Then.ASK, Then.END))
        if then is Then.END:
            ended += 1
            assert now >= first + 120.0
    assert ended <= 1


@pytest.mark.parametrize(
    ("words", "mailbox"),
    [
        ("You have reached the voicemail of Fay.", True),
        ("I can't come to the phone. Please leave a message after the beep.", True),
        ("The mailbox is full.", True),
        ("Thank you for calling Acme. How can I help you?", False),
        ("Please stay on the line.", False),
        ("Can I leave a message after the meeting?", False),
        ("You can leave me a message at the desk.", False),
    ],
)
def test_a_mailbox_is_told_from_other_recordings_and_people(words: str, mailbox: bool) -> None:
    assert is_mailbox(words) is mailbox
