"""When an utterance is worth being heard again as digits alone: a number read out digit by digit. Pure."""

from __future__ import annotations

from collections.abc import Sequence

DIGITS = frozenset({"zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"})
LEAST = 3
"""Digits that make a string of digits; fewer are an amount or an answer."""


def is_digits(words: Sequence[str]) -> bool:
    """Whether nearly all the words are digits."""
    digits = sum(word in DIGITS for word in words)
    return digits >= LEAST and digits >= len(words) - 1
