"""Whether somebody wants never to be called again, by their words. Pure.

What is meant for good counts ("stop calling me", "take me off your list"); what puts a call off does not ("don't call me
before nine"), nor what is only told of others.
"""

from __future__ import annotations

import re

_NOT = r"(?:do\s+not|don't|dont|never|please\s+don't)"
_US = r"(?:me|us|here|this\s+number|my\s+(?:number|phone|house|cell|mobile))"
_PUT_OFF = (
    r"(?!\s*(?:" + _US + r")?\s*(?:back\s*)?(?:,\s*)?(?:before|after|until|till|at\b|on\b|in\b|during|today|tonight|"
    r"tomorrow|this\s+(?:week|morning|afternoon|evening)|so\s+(?:early|late)|now|right\s+now|yet|while|when|if|unless|by\b))"
)
"""What follows where a call is only put off."""
_FOR_GOOD = r"(?:\s+(?:again|any\s*more|ever|ever\s+again))"
_WISHES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:stop|quit)\s+(?:calling|phoning|ringing|bothering)(?:\s+" + _US + r")?\b" + _PUT_OFF,
        r"\b" + _NOT + r"\s+(?:ever\s+)?(?:call|phone|ring|contact)\s+" + _US + _FOR_GOOD,
        r"\b" + _NOT + r"\s+ever\s+(?:call|phone|ring)\b",
        r"\bnever\s+(?:call|phone|ring)\s+" + _US + r"\b",
        r"\b" + _NOT + r"\s+(?:call|phone|ring)\s+" + _US + r"\s*(?:[.!?]|$)",
        (
            r"\b(?:take|remove|delete|strike|get)\s+(?:me|us|my\s+(?:name|number)|this\s+number)\s+(?:off|from|out\s+of)\b"
            r"(?:(?!\bhold\b|\bspeaker|\bmute\b).){0,40}\b(?:list|lists|database|records?|system|calls?)\b"
        ),
        (
            r"\b(?:put|add|place)\s+(?:me|us|my\s+number|this\s+number)\s+(?:on|to)\s+(?:your\s+|the\s+)?"
            r"(?:internal\s+)?(?:do[\s-]not[\s-]call|no[\s-]call)\b"
        ),
        r"\blose\s+(?:my|this)\s+number\b",
        # As the local recognizer writes "stop calling me".
        r"^\W*(?:please\s+)?stopped\s+(?:calling|phoning|ringing)\s+" + _US + r"\b" + _PUT_OFF,
    )
)
_OF_OTHERS = re.compile(
    r"\b(?:they|he|she|somebody|someone|people|customers?|who)\b[^.!?]{0,30}\b(?:not|never|won't|wouldn't|stop|quit|don't)\b",
    re.IGNORECASE,
)
_GO_ON = re.compile(
    r"\b(?:don't|dont|do\s+not|never|not|won't|can't|(?:why\s+)?did(?:n't)?\s+(?:you|they)|(?:if|when|since|until|before|once)\s+you)"
    r"\s+(?:ever\s+|just\s+)?(?:stop|stopped|quit)\s+(?:calling|phoning|ringing|bothering)\b",
    re.IGNORECASE,
)
"""Who wants the calls to go on, or asks why they have ended."""


def no_more_calls(words: str) -> bool:
    """Whether these words of a caller's ask for no more calls, for good. English."""
    plain = words.replace("\u2019", "'")
    for sentence in re.split(r"(?<=[.!?;])\s+", plain):
        if _OF_OTHERS.search(sentence) and not re.search(r"\b(?:me|us|my)\b", sentence, re.IGNORECASE):
            continue
        if _GO_ON.search(sentence):
            continue
        if any(wish.search(sentence) for wish in _WISHES):
            return True
    return False
