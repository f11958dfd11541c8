"""What a caller means apart from facts: yes, no, a person, once more. Pure.

The words come from a recognizer: lower case, without punctuation, a word wrong now and then. So single words count,
and "yes" and "yep" are one.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Means(StrEnum):
    """What a caller means."""

    IDENTITY = "identity"
    """The caller asks whether they talk to a human."""
    PERSON = "person"
    CALLBACK = "callback"
    """The caller wants to be called back."""
    MESSAGE = "message"
    """The caller wants to leave one."""
    REPEAT = "repeat"
    SLOWER = "slower"
    BYE = "bye"
    SKIP = "skip"
    YES = "yes"
    NO = "no"
    GREETING = "greeting"


_NO_WANT = r"(?:don't|do not|not) (?:want|need|know|like)\b.*"
_MACHINE = r"(?:robot|machine|computer|bot|recording|human|person|people|automated|real|ai|program)"
_PATTERNS = {
    Means.IDENTITY: (
        rf"\bare you (?:a |an |really |just )*(?:real |live |human )*{_MACHINE}\b"
        rf"|\b(?:am i|is this|is it) (?:talking |speaking )?(?:to |with )?(?:a |an |really |just )*(?:real |live )*{_MACHINE}\b"
        r"|\b(?:who|what) are you\b"
    ),
    Means.PERSON: (
        r"\b(?:a|an|the|your|real|human|live|another) (?:real |live |human )?(?:person|human|operator|representative|agent"
        r"|colleague|somebody|someone)\b|^(?:person|human|operator|representative|agent|people)\b"
        r"|\b(?:operator|representative)\b|\b(?:person|human)(?: please)?$"
        r"|\b(?:talk|speak) (?:to|with) (?:somebody|someone|anyone|anybody|people)\b|\bhuman being\b"
    ),
    Means.CALLBACK: r"\bcall(?:ed|ing)?(?: (?:me|us))? back\b|\bcall ?backs?\b",
    Means.MESSAGE: r"\b(?:leave|take|record)(?: (?:you|them|him|her))?(?: a| my| the)? messages?\b|^(?:a |the )?messages?(?: please)?$",
    Means.SLOWER: r"\b(?:slower|slowly|slow down|too fast)\b",
    Means.REPEAT: (
        r"\b(?:repeat|pardon|say (?:that|it) again|come again|once more|one more time)\b|^(?:what|sorry|again)(?: please)?$"
        r"|\bi (?:didn't|did not) (?:hear|catch|understand|get)\b|\bwhat did you say\b"
    ),
    Means.BYE: (
        r"\b(?:goodbye|good bye|bye)\b|\bthat(?:'s| is| will be|'ll be) (?:all|it|everything)\b|\bhang up\b"
        r"|\b(?:have a (?:nice|good) (?:day|one))\b|^nothing else\b|\bi(?:'m| am) done\b"
    ),
    Means.SKIP: (
        r"\b(?:don't|do not) (?:know|have|want|remember)\b|\bnot sure\b|\bno idea\b|^skip\b|\bskip (?:it|that)\b"
        r"|\brather not\b|^none\b|\bno (?:ticket|number|budget)\b|^next\b|^nothing(?: yet)?$|\bi haven't\b"
    ),
    Means.YES: (
        r"^(?:yes|yep|yeah|yup|ya|sure|correct|right|exactly|absolutely|okay|ok|of course|it did|that's right|"
        r"that is right|that's correct|perfect|all right)\b"
    ),
    Means.NO: r"^(?:no|nope|nah|not|wrong|incorrect|negative|that's not|it didn't|that's wrong)\b",
    Means.GREETING: r"^(?:(?:hi|hello|hey|good (?:morning|afternoon|evening)|um|uh|there)\s*)+$",
}
_COMPILED = {means: re.compile(pattern) for means, pattern in _PATTERNS.items()}
_DENIED = re.compile(_NO_WANT + r"(?:person|human|operator|agent)")
_NOISE = re.compile(r"[^a-z0-9'#*@.+ ]+")
_HUSH = re.compile(r"\b(?:um+|uh+|er+|ah+|hmm+|well|like|you know|please note)\b")


def plain(text: str) -> str:
    """The words in lower case, without punctuation and hesitation; an apostrophe stays where it belongs."""
    lower = text.lower().replace("’", "'")
    lower = re.sub(r"(?<=\d),(?=\d)", "", lower)
    lower = re.sub(r"\.(?!\d)", " ", _NOISE.sub(" ", lower))
    return " ".join(_HUSH.sub(" ", lower).split())


def means(text: str, what: Means) -> bool:
    """Whether the words, as `plain` gives them, mean it."""
    if what is Means.PERSON and _DENIED.search(text):
        return False
    return bool(_COMPILED[what].search(text))
