"""What a human who has answered wants: to take the call, not to, or to hear once more what it is about. Pure.

A machine must never get the caller: what a recording says is no choice, and neither is a long sentence in which the right
word occurs. Before they have heard the whisper people say "yes?" into their phone: until then only clear words count.
"""

from __future__ import annotations

import re
from enum import StrEnum

from gateway.calls.talk.recorded import Kind, kind_of, words_of


class Choice(StrEnum):
    """What they want."""

    TAKE = "take"
    DECLINE = "decline"
    AGAIN = "again"


BY_KEY = {"1": Choice.TAKE, "2": Choice.DECLINE, "3": Choice.AGAIN}
_LONGEST = 7
"""Words of a choice at the most."""
_BEFORE = r"(?:(?:yes|yeah|yep|sure|okay|ok|hi|hello|please|well|no|sorry|i m sorry|thanks|thank you) )*"
_AFTER = r"(?: (?:please|thanks|thank you|now|sure|go ahead|right now|just now|sorry))*"
_CLEAR = {
    Choice.TAKE: (
        r"(?:i will |i ll |ill |let me |i can |i )?(?:take|accept|have)(?: it| the call| this| this one| this call| that| them"
        r"| him| her)?|(?:put|patch) (?:them|him|her|it|the caller) through|connect(?: us| me| them| him| her)?|press(?:ing)? one"
    ),
    Choice.DECLINE: (
        r"(?:i )?(?:decline|refuse)(?: it| the call| this| this call)?|not now|(?:i )?(?:can t|cannot|can not|don t|won t)"
        r"(?: want to| wanna)?(?: take)?(?: it| the call| this| this call| that)?|(?:i m |i am )?(?:busy|in a meeting)"
        r"|somebody else|someone else|pressing two"
    ),
    Choice.AGAIN: r"(?:say (?:it|that) )?again|(?:please )?repeat(?: it| that)?|(?:once|one) more(?: time)?|come again|pardon",
}
"""What counts at any time."""
_ASKED = {
    # "Take it" is a ticket to the local recognizer.
    Choice.TAKE: r"(?:number )?one|yes|yeah|yep|yup|sure|okay|ok|of course|go ahead|all right|(?:(?:yes )?i |my )?ticket",
    Choice.DECLINE: r"(?:number )?two|no|nope|nah|no thanks|no thank you",
    Choice.AGAIN: r"(?:number )?three|what|sorry",
}
"""What counts once they have heard what it is about, and what to say."""


def choice_of(text: str, *, asked: bool) -> Choice | None:
    """What somebody has said means; None for nothing. `asked`: they have heard the whisper to its end."""
    plain = words_of(text)
    if not plain or plain.count(" ") >= _LONGEST or is_recording(text):
        return None
    for choice in (Choice.DECLINE, Choice.AGAIN, Choice.TAKE):
        if re.fullmatch(f"{_BEFORE}(?:{_CLEAR[choice]}){_AFTER}", plain):
            return choice
    if not asked:
        return None
    return next((one for one, words in _ASKED.items() if re.fullmatch(f"(?:{words}){_AFTER}", plain)), None)


def is_recording(text: str) -> bool:
    """Whether these are the words of a mailbox, a menu, or a service that screens calls."""
    return kind_of(text) is Kind.RECORDED or bool(_SCREENING.search(words_of(text)))


_SCREENING = re.compile(
    r"\bscreening (?:service|assistant|calls)\b|\b(?:state|say|record) your name\b|\bwhy you re calling\b|\bgoogle assistant\b"
    r"|\bcall assistant\b|\bplease (?:state|say) (?:who|the reason)\b|\bgo ahead and say\b"
)
