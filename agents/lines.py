"""What the house says word for word, by language."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Say(StrEnum):
    """The lines."""

    NOTICE = "notice"
    """The first words of every call with an agent: that it is automated, and the way to a person."""
    AGAIN = "again"
    """To a caller whose conversation another job goes on with; then comes the last question, or the answer."""
    BACK = "back"
    """The same to a caller whose line dropped, and who has dialed again."""
    AGAIN_PLEASE = "again_please"
    """After it, where nobody knows what was asked."""
    SORRY = "sorry"
    SORRY_CALLBACK = "sorry_callback"
    PUT_THROUGH = "put_through"
    CALLBACK = "callback"
    WHICH_NUMBER = "which_number"
    BOOKED = "booked"
    NO_PERSON = "no_person"
    STILL_THERE = "still_there"
    STILL_THERE_AGAIN = "still_there_again"
    GOODBYE = "goodbye"
    PERSON_THERE = "person_there"
    """To what may be hold music or a recording."""
    NOBODY_THERE = "nobody_there"
    TIME_NEARLY_UP = "time_nearly_up"
    """A minute before the minutes of the route are up."""
    HOLD_ON = "hold_on"
    HOLD_ON_AGAIN = "hold_on_again"
    """Said while an answer is late."""
    NO_CALLS = "no_calls"
    """To who wants never to be called again."""
    NO_CALLS_WITHHELD = "no_calls_withheld"
    NO_CALLS_FAILED = "no_calls_failed"
    KEY_AGAIN = "key_again"
    """To what was keyed in and can't be."""


_ENGLISH = {
    Say.NOTICE: "I'm an automated assistant. For a person, say person or press zero.",
    Say.AGAIN: "Sorry, I lost you for a moment.",
    Say.BACK: "Welcome back to our automated assistant. We were cut off.",
    Say.AGAIN_PLEASE: "Could you please say that again?",
    Say.SORRY: "I'm sorry, something has gone wrong on our side. Please call again in a few minutes. Goodbye.",
    Say.SORRY_CALLBACK: (
        "I'm sorry, something has gone wrong on our side. A person will call you back on this number. Goodbye."
    ),
    Say.PUT_THROUGH: "One moment, please.",
    Say.CALLBACK: (
        "Nobody is free to take the call right now, so I have booked a callback: a person will call you back on the "
        "number you are calling from. Is there anything else I can do for you?"
    ),
    Say.WHICH_NUMBER: (
        "Nobody is free to take the call right now, but a person can call you back. "
        "Please key in your phone number, then press the hash key."
    ),
    Say.BOOKED: "Thank you, a person will call you back. Is there anything else I can do for you?",
    Say.NO_PERSON: "I'm sorry, I couldn't book a callback just now. Please call again in a few minutes.",
    Say.STILL_THERE: "Are you still there?",
    Say.STILL_THERE_AGAIN: "I can't hear you. If you can hear me, please say something, or press any key.",
    Say.PERSON_THERE: "Is a person there? If so, please say yes, or press any key.",
    Say.NOBODY_THERE: "It seems that nobody is there, so I'll hang up now. Please call again. Goodbye.",
    Say.TIME_NEARLY_UP: "I have to tell you that this call must end soon. What is the most important thing left?",
    Say.HOLD_ON: "One moment, please.",
    Say.HOLD_ON_AGAIN: "I'm still here. Please bear with me.",
    Say.NO_CALLS: "I have noted it: we will not call this number again. Is there anything else I can do for you?",
    Say.NO_CALLS_WITHHELD: "We don't see your number, so I can't take it off our lists. Please call from that phone.",
    Say.NO_CALLS_FAILED: "I'm sorry, I couldn't note that just now. Please tell us again in a few minutes.",
    Say.KEY_AGAIN: "That isn't a valid number. Please key it in again, then press the hash key.",
    Say.GOODBYE: "I still can't hear you, so I'll hang up now. Please call again. Goodbye.",
}
_LINES: Mapping[str, Mapping[Say, str]] = {"en": _ENGLISH}


def line_of(say: Say, language: str) -> str:
    """The line in the language (BCP 47 tag), in English where nobody has translated it."""
    return _LINES.get(language.partition("-")[0].lower(), _ENGLISH)[say]
