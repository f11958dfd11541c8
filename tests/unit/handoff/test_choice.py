"""What a human who has answered wants."""

from __future__ import annotations

import pytest

from gateway.handoff.choice import Choice, choice_of, is_recording


@pytest.mark.parametrize(
    "said",
    [
        "I'll take it.",
        "Take the call",
        "yes I'll take this one",
        "okay, put them through please",
        "connect us",
        "accept",
    ],
)
def test_clear_words_take_the_call_at_any_time(said: str) -> None:
    assert choice_of(said, asked=False) is Choice.TAKE
    assert choice_of(said, asked=True) is Choice.TAKE


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("yes", Choice.TAKE),
        ("one", Choice.TAKE),
        ("sure", Choice.TAKE),
        ("ticket", Choice.TAKE),
        ("my ticket", Choice.TAKE),
        ("two", Choice.DECLINE),
        ("no thanks", Choice.DECLINE),
        ("three", Choice.AGAIN),
        ("what", Choice.AGAIN),
    ],
)
def test_a_single_word_counts_once_they_have_heard_what_it_is_about(said: str, choice: Choice) -> None:
    assert choice_of(said, asked=False) is None
    assert choice_of(said, asked=True) is choice


@pytest.mark.parametrize(
    "said", ["not now", "I can't take it now", "sorry, I'm busy", "no, I can't take it", "decline"]
)
def test_clear_words_decline(said: str) -> None:
    assert choice_of(said, asked=False) is Choice.DECLINE


def test_it_is_told_again() -> None:
    assert choice_of("say that again please", asked=False) is Choice.AGAIN


@pytest.mark.parametrize(
    "said",
    [
        "",
        "hello",
        "hello this is ana",
        "yes hello who is there",
        "no one is available to take your call",
        "please leave a message after the tone",
        "one moment",
        "i can take a message for ana if you tell me what it is about",
        "the person you have called is not available right now",
    ],
)
def test_anything_else_is_no_choice(said: str) -> None:
    assert choice_of(said, asked=True) is None


@pytest.mark.parametrize(
    "said",
    [
        "Please state your name after the tone.",
        "Hi, the person you are calling is using a screening service from Google. Go ahead and say your name.",
        "You have reached the voicemail box of Ana.",
    ],
)
def test_recordings_and_screens_are_known(said: str) -> None:
    assert is_recording(said)


def test_people_are_no_recordings() -> None:
    assert not is_recording("Hello, Ana speaking.")
