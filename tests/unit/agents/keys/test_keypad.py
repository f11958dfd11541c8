"""Tests of the keypad: when an entry ends, what it is for, and that no key is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from agents.definition import Definition, DigitField, digits
from agents.keys.keypad import NUMBER, PAUSE, Keyed, Keypad, asked_for
from gateway.calls.acts.digits import Fault, Rules
from gateway.terms.personal import Digits

TICKET = DigitField("ticket_number", "ticket number", Rules(4, 6))
CARD = DigitField("card", "card number", Rules(16, 16, luhn=True))


def press(keys: str, asked: DigitField | None = TICKET, pad: Keypad | None = None) -> tuple[Keypad, Keyed | None]:
    pad, keyed = pad or Keypad(), None
    for key in keys:
        assert keyed is None, f"it ended before {key}"
        pad, keyed = pad.press(key, 10.0, asked)
    return pad, keyed


@pytest.mark.parametrize(
    ("keys", "asked", "told", "fault"),
    [
        ("4172#", TICKET, "4172", None),
        ("417298", TICKET, "417298", None),
        ("417#", TICKET, "417", Fault.SHORT),
        ("4111111111111111", CARD, "4111111111111111", None),
        ("4111111111111112", CARD, "4111111111111112", Fault.CHECK),
        ("41*7398#", TICKET, "7398", None),
        ("4172#", None, "4172", None),
        ("0", None, "0", None),
    ],
)
def test_an_entry_ends_at_once(keys: str, asked: DigitField | None, told: str, fault: Fault | None) -> None:
    pad, keyed = press(keys, asked)
    assert keyed == Keyed(Digits(told), asked)
    assert keyed.fault is fault
    assert pad == Keypad()


def test_an_entry_ends_by_a_pause() -> None:
    pad, keyed = press("4172")
    assert keyed is None
    assert pad.due(10.0 + PAUSE - 0.01) == (pad, None)
    assert pad.due(10.0 + PAUSE) == (Keypad(), Keyed(Digits("4172"), TICKET))


def test_hash_alone_is_nothing() -> None:
    assert press("#") == (Keypad(), None)


def test_zero_is_a_person_unless_a_telephone_number_is_asked_for() -> None:
    assert press("0#", TICKET)[1] == Keyed(Digits("0"), TICKET)
    assert Keyed(Digits("0"), TICKET).person
    assert Keyed(Digits("0"), None).person
    assert not Keyed(Digits("0"), NUMBER).person
    assert not Keyed(Digits("00"), None).person
    assert press("40", None)[0].keys == "40", "not the first of an entry"


def test_an_entry_is_for_what_was_asked_for_when_it_began() -> None:
    pad, _ = Keypad().press("4", 1.0, TICKET)
    pad, _ = pad.press("1", 1.1, NUMBER)
    assert pad.press("#", 1.2, None)[1] == Keyed(Digits("41"), TICKET)


def test_nothing_shows_what_was_keyed_in() -> None:
    pad, _ = press("417")
    assert "417" not in f"{pad} {pad.due(99.0)}"


@given(st.text("0123456789*#A", max_size=60), st.sampled_from([None, TICKET, CARD, NUMBER]))
def test_no_keys_are_lost_or_doubled(keys: str, asked: DigitField | None) -> None:
    pad, told = Keypad(), ""
    expected = ""
    for key in keys:
        before = pad.keys
        pad, keyed = pad.press(key, 0.0, asked)
        expected += key if key.isdecimal() else ""
        if key == "*":
            expected = expected[: len(expected) - len(before)]
        told += keyed.digits.reveal() if keyed else ""
    _, rest = pad.due(PAUSE)
    assert told + (rest.digits.reveal() if rest else "") == expected


def test_what_is_asked_for_is_what_the_last_question_names() -> None:
    fields, again = (TICKET, CARD), "That isn't a valid number. Please key it in again."
    assert asked_for(["What is your ticket number? You can say it."], fields, frozenset()) is TICKET
    assert asked_for(["Got your ticket number. What is your card number?"], fields, frozenset()) is CARD
    assert asked_for(["Please key in your card number."], fields, frozenset()) is CARD
    assert asked_for(["Your ticket number is noted. What else?"], fields, frozenset()) is None
    assert asked_for([again, "What is your ticket number?"], fields, frozenset({again})) is TICKET
    assert asked_for([], fields, frozenset()) is None


class Payment(BaseModel):
    card: str | None = Field(None, description="your card number", json_schema_extra=digits(Rules(16, 16, luhn=True)))
    zip_code: str | None = Field(None, description="your ZIP code", json_schema_extra=digits())
    name: str | None = Field(None, description="your name", json_schema_extra={"format": "email"})


def test_a_field_declares_what_its_digits_may_be() -> None:
    found = Definition(name="payment", summary="", record=Payment).digit_fields
    assert found == (CARD, DigitField("zip_code", "zip code", Rules()))
