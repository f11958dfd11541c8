"""What the house says word for word when nobody can take a call, by language. Pure; see `gateway.calls.words`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class HouseWord(StrEnum):
    """The words of `gateway.calls.acts.callback` and `gateway.calls.acts.dismissal`."""

    CALL_BACK = "house_call_back"
    WHICH_NUMBER = "house_which_number"
    NOT_A_NUMBER = "house_not_a_number"
    BOOKED = "house_booked"
    OFFER = "house_offer"
    """Before the times."""
    OFFER_TIME = "house_offer_time"
    """One of them, and its key."""
    OFFER_CONSENT = "house_offer_consent"
    """Behind them: what choosing one agrees to."""
    OFFER_SOON = "house_offer_soon"
    """The first of them, where it is now."""
    BOOKED_SOON = "house_booked_soon"
    BOOKED_FOR = "house_booked_for"
    UNWANTED = "house_unwanted"
    """To a number that has asked not to be called."""
    NOT_BOOKED = "house_not_booked"
    NO_NUMBER = "house_no_number"
    NOBODY = "house_nobody"
    TIME_UP = "house_time_up"


_ENGLISH = {
    HouseWord.CALL_BACK: (
        "Nobody is free to take your call right now. A person will call you back on the number you are calling from. "
        "Goodbye."
    ),
    HouseWord.WHICH_NUMBER: (
        "Nobody is free to take your call right now, but a person can call you back. "
        "Please key in your phone number, then press the hash key."
    ),
    HouseWord.NOT_A_NUMBER: "That isn't a phone number that we can call.",
    HouseWord.OFFER: "Nobody is free to take your call right now, but a person can call you back.",
    HouseWord.OFFER_TIME: "For {when}, press {key}.",
    HouseWord.OFFER_CONSENT: "By pressing a key you agree that we call you then, on {whose} number.",
    HouseWord.OFFER_SOON: "For as soon as possible, press 1.",
    HouseWord.BOOKED_SOON: "Thank you. A person will call you back as soon as possible. Goodbye.",
    HouseWord.BOOKED_FOR: "Thank you. A person will call you back {when}. Goodbye.",
    HouseWord.UNWANTED: "This number is on our list of numbers that we never call, so I can't book a callback. Goodbye.",
    HouseWord.BOOKED: "Thank you. A person will call you back. Goodbye.",
    HouseWord.NOT_BOOKED: "I'm sorry, I couldn't book a callback just now. Please call again in a few minutes. Goodbye.",
    HouseWord.NO_NUMBER: "I'm sorry, nobody is free to take your call right now. Please call again later. Goodbye.",
    HouseWord.TIME_UP: (
        "I'm sorry, but this call has lasted as long as it can. Please call again for anything else. Goodbye."
    ),
    HouseWord.NOBODY: "I'm sorry, your call can't be taken right now. Please call again later. Goodbye.",
}
WORDS_HOUSE: Mapping[str, Mapping[HouseWord, str]] = {"en": _ENGLISH}
"""By the language's first subtag (BCP 47), in lower case."""
