"""Booking a callback: on the caller's own number, or on one that they key in and that can be called."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.calls.acts.callback import TRIES, Callback, State
from gateway.calls.acts.cues import Begun, Booked, Event, Heard, Key, Resumed
from gateway.calls.acts.deeds import Book, Effect, Finish, Say
from gateway.calls.words import word
from gateway.calls.words.house import HouseWord
from gateway.terms.act import Over, Promise
from gateway.terms.callback import Terms

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


LA = ZoneInfo("America/Los_Angeles")
MORNING = datetime(2026, 11, 30, 10, 20, tzinfo=LA).timestamp()  # a Monday
HOURS = tuple((datetime(2026, month, day, 9, tzinfo=LA).timestamp(), datetime(2026, month, day, 17, tzinfo=LA).timestamp())
              for month, day in ((11, 30), (12, 1)))  # fmt: skip
TERMS = Terms("sales", "America/New_York", HOURS)


def offered(
    *events: Event, now: float = MORNING, terms: Terms = TERMS, caller: str = "+15105550177"
) -> tuple[Callback, list[Effect]]:
    machine = Callback.start(Promise("closed", terms=terms), "en-US", own=bool(caller), country="US", caller=caller)
    told: list[Effect] = []
    for event in events:
        machine, effects = machine.on(event, now)
        told += effects
    return machine, told


def spoken(told: list[Effect]) -> str:
    return " ".join(effect.text for effect in told if isinstance(effect, Say))


def test_times_are_offered_by_the_callers_clock_and_a_key_chooses_one() -> None:
    machine, told = offered(Begun())
    assert "For as soon as possible, press 1. For today at 1 PM, press 2. For tomorrow at 9 AM, press 3." in spoken(
        told
    )
    assert "you agree that we call you then, on this number" in spoken(told)
    machine, told = offered(Begun(), Key("3"))
    book = told[-1]
    assert isinstance(book, Book)
    assert (book.number, book.at) == ("", datetime(2026, 12, 1, 9, tzinfo=LA).timestamp())
    assert book.consent.endswith("on this number. [3]")
    machine, effects = machine.on(Booked(True), MORNING)
    assert spoken(list(effects)) == "Thank you. A person will call you back tomorrow at 9 AM. Goodbye."


def test_outside_the_hours_the_first_time_is_the_next_when_they_can() -> None:
    night = datetime(2026, 11, 30, 22, tzinfo=LA).timestamp()
    _, told = offered(Begun(), now=night)
    assert "For tomorrow at 9 AM, press 1. For tomorrow at 11 AM, press 2." in spoken(told)


def test_who_chooses_none_is_called_as_soon_as_can_be_and_has_agreed_to_nothing() -> None:
    machine, _ = offered(Begun(), Heard())
    machine, effects = machine.due(machine.deadline)
    assert effects == (Book("", "closed", MORNING, ""),)


def test_other_keys_choose_nothing() -> None:
    machine, told = offered(Begun(), Key("4"), Key("0"), Key("*"))
    assert machine.state is State.OFFERING
    assert not [effect for effect in told if isinstance(effect, Book)]


def test_a_keyed_number_is_offered_the_times_of_its_own_zone() -> None:
    machine, told = offered(Begun(), *keyed("2125550123"), caller="")
    assert machine.state is State.OFFERING
    assert "For today at 4 PM, press 2" in spoken(told)
    assert "on that number" in spoken(told)


def test_another_job_offers_them_again() -> None:
    machine, _ = offered(Begun())
    machine, effects = machine.on(Resumed(), MORNING + 60)
    assert spoken(list(effects)).startswith("Nobody is free")


def test_without_a_team_or_another_time_none_is_offered() -> None:
    for terms in (Terms(), Terms("sales", "UTC", ()), Terms("sales", "UTC", ((MORNING, MORNING + 3600),))):
        machine, _ = offered(Begun(), terms=terms)
        assert machine.state is State.BOOKING, terms


def test_a_number_that_is_never_called_is_told_so() -> None:
    _, told = offered(Begun(), Key("1"), Booked(False, unwanted=True))
    assert "numbers that we never call" in spoken(told)
