"""Hides digits that somebody says, where a route seals what is made of digits. Pure.

It knows numerals, and English number words. A word alone among others stays ("I have two of them"): nobody reads a secret
out so, and an assistant that hears nothing of numbers is no help. All that is more, or is everything that was said, goes.
"""

from __future__ import annotations

import re

from gateway.terms.english import SMALL, TENS
from gateway.terms.sealed import HIDDEN

_WORDS = frozenset([*SMALL, *TENS, "oh", "nought", "hundred", "thousand"])
_BETWEEN = frozenset(["and", "double", "triple", "treble", "dash", "hyphen", "point", "dot", "slash", "space", "o"])
"""Said between digits, or before them."""
_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")


def hidden(text: str) -> str:
    """The text with HIDDEN in place of its digits."""
    tokens = list(_TOKEN.finditer(text))
    kinds = [_digits(one[0]) for one in tokens]
    alone = bool(tokens) and all(kind or one[0].lower() in _BETWEEN for kind, one in zip(kinds, tokens, strict=True))
    parts, done, at = [], 0, 0
    while at < len(tokens):
        end, count = at, 0
        last = at
        while end < len(tokens) and (kinds[end] or tokens[end][0].lower() in _BETWEEN):
            count += kinds[end]
            last = end if kinds[end] else last
            end += 1
        if count > 1 or (count and alone):
            parts += [text[done : tokens[at].start()], HIDDEN]
            done = tokens[last].end()
        at = max(end, at + 1)
    return "".join([*parts, text[done:]])


def _digits(token: str) -> int:
    """How many digits a token says; 0 for another word."""
    return len(token) if token.isdecimal() else int(token.lower() in _WORDS)
