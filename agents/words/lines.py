"""What the house says word for word, by language."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from gateway.conduct.talk.port import Person
from gateway.terms.danger import emergency_number


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
    NOT_FREE = "not_free"
    """To a caller who was put through to somebody and comes back, by why they weren't taken."""
    NOT_TAKEN = "not_taken"
    NOT_ANSWERED = "not_answered"
    NOT_REACHED = "not_reached"
    NOT_THERE = "not_there"
    CALLBACK = "callback"
    AWAY_BUSY = "away_busy"
    """To a caller whom nobody of the team can take, or took; so are the others."""
    AWAY_DECLINED = "away_declined"
    AWAY_HUNG_UP = "away_hung_up"
    AWAY_NO_ANSWER = "away_no_answer"
    AWAY_MACHINE = "away_machine"
    AWAY_UNREACHABLE = "away_unreachable"
    AWAY_NOBODY = "away_nobody"
    GIVEN_BACK = "given_back"
    AWAY_CLOSED = "away_closed"
    TO_MESSAGE = "to_message"
    """To a caller who leaves a message instead."""
    CALLBACK_AT = "callback_at"
    """The same where a time is agreed on."""
    CALLBACK_OTHERS = "callback_others"
    CALLBACK_MOVED = "callback_moved"
    CALLBACK_NEXT = "callback_next"
    """To a time at which nobody can call: it is the next."""
    CALLBACK_KEPT = "callback_kept"
    """Where another time can't be noted."""
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
    HOLD_ON_BRIEFLY = "hold_on_briefly"
    HOLD_ON_AGAIN = "hold_on_again"
    HOLD_ON_LONGER = "hold_on_longer"
    HOLD_ON_STILL = "hold_on_still"
    """Said while an answer is late."""
    NO_CALLS = "no_calls"
    """To who wants never to be called again."""
    NEVER_CALLED = "never_called"
    """To who asks for a callback, and has asked before not to be called."""
    NO_CALLS_WITHHELD = "no_calls_withheld"
    NO_CALLS_FAILED = "no_calls_failed"
    KEY_AGAIN = "key_again"
    """To what was keyed in and can't be."""
    DANGER = "danger"
    """To whoever may be in danger, or tells of somebody who is."""
    DANGER_ABROAD = "danger_abroad"
    """The same where the number to dial isn't known."""
    KEY_ON = "key_on"
    """To a caller who was lost while they keyed something in."""
    KEY_ON_FIRST = "key_on_first"
    """The same where digits are sealed: how many are known."""
    KEY_ON_FIRST_ONE = "key_on_first_one"


_NO_HELP = "I can't call for help from here. If nobody is, please go on."
_OFFER = "I can have somebody call you back, or you can leave a message. Which would you like?"
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
    Say.NOT_FREE: "They are on another call right now. Is there anything else I can do for you?",
    Say.NOT_TAKEN: "They can't take your call right now. Is there anything else I can do for you?",
    Say.NOT_ANSWERED: "Nobody answered. Is there anything else I can do for you?",
    Say.NOT_REACHED: "I couldn't reach them. Is there anything else I can do for you?",
    Say.NOT_THERE: "They don't take calls right now. Is there anything else I can do for you?",
    Say.CALLBACK: (
        "Nobody is free to take the call right now, so I have booked a callback: a person will call you back on the "
        "number you are calling from. Is there anything else I can do for you?"
    ),
    Say.AWAY_BUSY: f"I'm sorry, everybody is on another call right now. {_OFFER}",
    Say.AWAY_DECLINED: f"I'm sorry, nobody can take your call just now. {_OFFER}",
    Say.AWAY_HUNG_UP: f"I'm sorry, I was cut off before I could put you through. {_OFFER}",
    Say.AWAY_NO_ANSWER: f"I'm sorry, nobody has answered. {_OFFER}",
    Say.AWAY_MACHINE: f"I'm sorry, I only got a voice mailbox. {_OFFER}",
    Say.AWAY_UNREACHABLE: f"I'm sorry, I couldn't reach anybody. {_OFFER}",
    Say.GIVEN_BACK: "I'm back with you. Is there anything else?",
    Say.AWAY_NOBODY: f"I'm sorry, nobody is there to take your call right now. {_OFFER}",
    Say.AWAY_CLOSED: f"I'm sorry, our team is closed right now. {_OFFER}",
    Say.TO_MESSAGE: "All right.",
    Say.CALLBACK_AT: "Nobody is free right now, so I have booked a callback: a person will call you back{when}.",
    Say.CALLBACK_OTHERS: "Would another time suit you better, such as {others}? Just say when.",
    Say.CALLBACK_MOVED: "I have noted it: a person will call you back {when}. Is there anything else I can do for you?",
    Say.CALLBACK_NEXT: "Nobody can call you then. A person will call you back {when}. If that doesn't suit you, say when.",
    Say.CALLBACK_KEPT: "I'm sorry, I couldn't note that. The callback stays as it was booked.",
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
    Say.HOLD_ON_BRIEFLY: "Just a second.",
    Say.HOLD_ON_AGAIN: "I'm still here. Please bear with me.",
    Say.HOLD_ON_LONGER: "This is taking a little longer than usual.",
    Say.HOLD_ON_STILL: "I'm still working on it. Thank you for waiting.",
    Say.NO_CALLS: "I have noted it: we will not call this number again. Is there anything else I can do for you?",
    Say.NEVER_CALLED: "This number is on our list of numbers that we never call, so I can't book a callback. What else can I do?",
    Say.NO_CALLS_WITHHELD: "We don't see your number, so I can't take it off our lists. Please call from that phone.",
    Say.NO_CALLS_FAILED: "I'm sorry, I couldn't note that just now. Please tell us again in a few minutes.",
    Say.KEY_AGAIN: "That isn't a valid number. Please key it in again, then press the hash key.",
    Say.DANGER: f"If somebody is in danger, please hang up now and dial {{number}}. {_NO_HELP}",
    Say.DANGER_ABROAD: f"If somebody is in danger, please hang up now and dial the emergency number. {_NO_HELP}",
    Say.KEY_ON: "So far I have {digits}. Please key in the rest of your {noun}, then press the hash key.",
    Say.KEY_ON_FIRST: "I have the first {count} digits. Please key in the rest of your {noun}, then press the hash key.",
    Say.KEY_ON_FIRST_ONE: "I have the first digit. Please key in the rest of your {noun}, then press the hash key.",
    Say.GOODBYE: "I still can't hear you, so I'll hang up now. Please call again. Goodbye.",
}
_LINES: Mapping[str, Mapping[Say, str]] = {"en": _ENGLISH}


WHOLE = tuple(say for say in Say if "{" not in _ENGLISH[say])
"""Those that are said as they stand, and can be rendered before anybody calls."""


def line_of(say: Say, language: str) -> str:
    """The line in the language (BCP 47 tag), in English where nobody has translated it."""
    return _LINES.get(language.partition("-")[0].lower(), _ENGLISH)[say]


def danger(country: str, language: str) -> str:
    """What somebody in danger is told, who calls from the country (ISO 3166 code)."""
    number = emergency_number(country)
    return line_of(Say.DANGER if number else Say.DANGER_ABROAD, language).format(number=" ".join(number))


FOR_PERSON: Mapping[Person, Say] = {
    Person.AGENT: Say.PUT_THROUGH,
    Person.CALLBACK: Say.CALLBACK,
    Person.NUMBER: Say.WHICH_NUMBER,
    Person.BUSY: Say.AWAY_BUSY,
    Person.NOBODY: Say.AWAY_NOBODY,
    Person.CLOSED: Say.AWAY_CLOSED,
    Person.ELSEWHERE: Say.PUT_THROUGH,
}
"""What a caller is told who is to get a person; those who are given to a team hear it as its phones ring, of the house."""
