"""Tests of who is taken to be in danger, and what they are told to dial."""

from __future__ import annotations

import pytest
from phonenumbers import shortnumberinfo

from agents.words.lines import danger
from gateway.terms.danger import emergency_number, in_danger


@pytest.mark.parametrize(
    "words",
    [
        *(
            "this is an emergency",
            "Help! It's an emergency!",
            "emergency",
            "please call an ambulance",
            "Um, hello? Fire!",
        ),
        *("we need the fire department", "there's a fire", "fire", "my house is on fire", "call nine one one"),
        *("I think my father has a heart attack", "he has a gun", "somebody's got a knife", "she can’t breathe"),
        *("I want to kill myself", "send the police", "he is bleeding", "my wife is unconscious", "call 911 please"),
        *("I've been in an accident", "my baby isn't breathing", "he stopped breathing", "I have chest pains"),
        *("my house is burning", "I can smell gas", "I'm in danger", "someone is hitting me", "my husband collapsed"),
        *("there's a burglar in my house", "I took too many pills", "I want to die", "call 9-1-1", "I'm trapped"),
        "Yes, that is right. Wait, there was a bang. Fire! I have to go.",
        "This is not an emergency drill. Call an ambulance!",
    ],
)
def test_who_is_in_danger(words: str) -> None:
    assert in_danger(words)


@pytest.mark.parametrize(
    "words",
    [
        *(
            "",
            "this is not an emergency",
            "it isn't an emergency",
            "the firewall is blocking our phones",
            "I was fired",
        ),
        *("we sell fire alarms", "our ambulance service has forty phones", "my phone's battery is dying"),
        *("nobody is in danger", "my ticket is being followed up", "I need a doctor's note", "the server collapsed"),
        *("we sell burglar alarms", "my order has not been followed up", "our numbers are hurt by the outage"),
        *("the emergency exit light is broken", "we work for the police department", "I'd like to talk to a person"),
        *(
            "Our emergency exit lights need batteries.",
            "do you have emergency exit signs",
            "we want bleeding edge phones",
        ),
        *("you can call nine one one two five five", "it has nine hundred and eleven users", "this is a 911 Porsche"),
        *(
            "my colleague was shot down by your sales team",
            "we had a fire drill",
            "emergency lighting",
            "the kill switch",
        ),
    ],
)
def test_who_is_in_none(words: str) -> None:
    assert not in_danger(words)


@pytest.mark.parametrize("country", ["US", "CA", "GB", "DE", "AU", "NZ", "IN", "CH", "MX", "PR", "UA"])
def test_what_is_to_be_dialed_is_the_countrys_emergency_number(country: str) -> None:
    assert shortnumberinfo.is_emergency_number(emergency_number(country), country)
    assert f"dial {' '.join(emergency_number(country))}." in danger(country, "en")


def test_where_it_isnt_known_no_number_is_named() -> None:
    assert "dial the emergency number." in danger("", "en-US")
