"""Booking a callback: on the caller's own number, or on one that they key in and that can be called."""

from __future__ import annotations

import pytest

from gateway.calls.acts.callback import TRIES, Callback, State
from gateway.calls.acts.cues import Begun, Book, Booked, Effect, Event, Finish, Heard, Key, Resumed, Say
from gateway.calls.words import word
from gateway.calls.words.house import HouseWord
from gateway.terms.act import Over, Promise

NOW = 1_800_000_000.0


def play(*events: Event, own: bool = False, country: str = "US") -> tuple[Callback, list[Effect]]:
    """The machine after the events, and all that has followed."""
    machine = Callback.start(Promise("closed"), "en-US", own=own, country=country)
    told: list[Effect] = []
    for event in events:
        machine, effects = machine.on(event, NOW)
        told += effects
    return machine, told


def keyed(digits: str) -> list[Event]:
    return [*map(Key, digits), Key("#")]


def test_the_callers_own_number_is_booked_at_once() -> None:
    machine, told = play(Begun(), Booked(True), Heard(), own=True)
    assert told[0] == Book("", "closed")
    assert told[-1] == Finish(Over("a callback was booked"))
    assert machine.deadline == float("inf")


def test_the_next_job_says_the_last_words_again_and_no_callback_is_booked_twice() -> None:
    machine, told = play(Begun(), Booked(True), Resumed(), own=True)
    assert told[1:] == [Say(word(HouseWord.CALL_BACK, "en-US"))] * 2
    over = Finish(Over("a callback was booked"))
    machine, effects = machine.on(Heard(), NOW)
    assert effects == (over,)
    assert machine.on(Resumed(), NOW) == (machine, (over,))


def test_a_number_is_keyed_in_where_the_callers_is_withheld() -> None:
    machine, told = play(Begun(), *keyed("5105550123"))
    assert machine.state is State.BOOKING
    assert told[-1] == Book("+15105550123", "closed")


@pytest.mark.parametrize(("digits", "country"), [
    ("911", "US"), ("9911", "US"), ("01149112", "US"), ("01149110", "US"), ("0049112", "DE"), ("0049110", "GB"),
    ("12345", "US"),
    ("510555012", "US"), ("51055501", "US"), ("5550123", "US"), ("5105550123", ""),
])  # fmt: skip
def test_emergency_and_short_numbers_and_what_lacks_a_digit_are_never_booked(digits: str, country: str) -> None:
    machine, told = play(Begun(), *keyed(digits), country=country)
    assert machine.state is State.ASKING
    assert not [effect for effect in told if isinstance(effect, Book)]
    said = [effect.text for effect in told if isinstance(effect, Say)]
    assert word(HouseWord.NOT_A_NUMBER, "en-US") in said[-1]


@pytest.mark.parametrize(
    ("digits", "country", "number"),
    [
        ("5105550123", "US", "+15105550123"),
        ("02071838750", "GB", "+442071838750"),
        ("011442071838750", "US", "+442071838750"),
    ],
)
def test_a_number_is_read_as_it_is_dialed_there(digits: str, country: str, number: str) -> None:
    _, told = play(Begun(), *keyed(digits), country=country)
    assert told[-1] == Book(number, "closed")


def test_after_so_many_that_cannot_be_called_none_is_booked() -> None:
    machine, told = play(Begun(), *keyed("01149112") * TRIES, Heard())
    assert told[-1] == Finish(Over("no number to call back was given"))
    assert not [effect for effect in told if isinstance(effect, Book)]
    assert machine.until is None
