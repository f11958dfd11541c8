"""Going on where a provider broke off. Pure."""

from __future__ import annotations

import re

SLOWEST = 11.0
"""Characters a second that every voice says at least, with its pauses: fewer are counted as said than were."""
_BREAK = re.compile(r"[\s,;:.!?–—-]+")


def left_of(sentence: str, said: float) -> str:
    """What is left to say of a sentence of which `said` seconds have been said; from the beginning of a word, and rather a
    word too many than one too few. "" when nothing is."""
    if said <= 0.0:
        return sentence
    at = int(said * SLOWEST)
    if at >= len(sentence.rstrip()):
        # By our count all was said; but what broke off had not ended.
        at = len(sentence.rstrip()) - 1
    breaks = [found.end() for found in _BREAK.finditer(sentence) if found.end() <= at]
    return sentence[breaks[-1] :] if breaks else sentence


class Again:
    """The text of an answer that is given anew, without what the first one has said already.

    Another model begins otherwise: then it is heard whole, after what was said of the first.
    """

    def __init__(self, said: str) -> None:
        self._said = said
        self._held = ""

    def more(self, text: str) -> str:
        """A piece of the new answer; what of it is to be said."""
        if not self._said:
            return text
        self._held += text
        if self._said.startswith(self._held):
            return ""
        said, self._said = self._said, ""
        if self._held.startswith(said):
            return self._held[len(said) :]
        return f" {self._held}" if not said[-1:].isspace() else self._held

    @property
    def repeats(self) -> bool:
        """Whether all of it so far has been said already."""
        return bool(self._said)
