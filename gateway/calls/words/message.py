"""What the house says to a caller who leaves a message, by language. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Say(StrEnum):
    """The lines."""

    PROMPT = "prompt"
    """When the plan has no words of its own."""
    AGAIN = "again"
    """Recorded; the caller may record it once more."""
    KEPT = "kept"
    NOTHING = "nothing"
    """Nobody was heard; another try follows."""
    NOTHING_LEFT = "nothing_left"
    """Nobody was heard, and that was the last try."""
    GO_ON = "go_on"
    """We were cut off; what was said is kept, and a tone follows."""
    FAILED = "failed"
    """It can't be recorded."""
    CUT_SHORT = "cut_short"
    """It couldn't be recorded to its end."""


_ENGLISH = {
    Say.PROMPT: "Please leave a message after the tone. When you have finished, hang up, or press the hash key.",
    Say.AGAIN: "Your message has been recorded. To record it again, press 1; or just hang up.",
    Say.KEPT: "Thank you, your message will be passed on. Goodbye.",
    Say.NOTHING: "I couldn't hear anything. Please speak after the tone.",
    Say.NOTHING_LEFT: "I couldn't hear anything, so no message was left. Goodbye.",
    Say.GO_ON: "I'm sorry, we were cut off for a moment. What you have said is kept. Please go on after the tone.",
    Say.FAILED: "I'm sorry, your message can't be recorded at the moment. Please call again later. Goodbye.",
    Say.CUT_SHORT: "I'm sorry, I couldn't record more than that; what you have said so far is kept. Goodbye.",
}
_LINES: Mapping[str, Mapping[Say, str]] = {"en": _ENGLISH}


def line_of(say: Say, language: str) -> str:
    """The line in the language (BCP 47 tag), in English where nobody has translated it."""
    return _LINES.get(language.partition("-")[0].lower(), _ENGLISH)[say]


def lines(language: str) -> tuple[str, ...]:
    """All of them, to be rendered ahead of calls."""
    return tuple(line_of(say, language) for say in Say)
