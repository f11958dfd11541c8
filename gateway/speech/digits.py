"""When an utterance is worth being heard again as digits alone: a number read out digit by digit. Pure."""

from __future__ import annotations

from collections.abc import Sequence

DIGITS = frozenset({"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"})
LEAST = 3
"""Digits that make a string of digits; fewer are an amount or an answer."""


def is_digits(words: Sequence[str]) -> bool:
    """Whether all the words are digits of the digits' own model: beside other words, or with an "oh", which that model
    doesn't know, a second hearing would put digits where none were said."""
    return len(words) >= LEAST and all(word in DIGITS for word in words)
