"""What menus and entries of digits say word for word, by language. Pure; see `gateway.calls.words`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class MenuWord(StrEnum):
    """The words of `gateway.calls.acts.menu` and `gateway.calls.acts.digits`."""

    WRONG_KEY = "menu_wrong_key"
    KEYS_ONLY = "menu_keys_only"
    """To a caller who talks where only keys lead somewhere."""
    NO_CALLS = "menu_no_calls"
    """To a caller who wants never to be called again."""
    NO_CALLS_FAILED = "menu_no_calls_failed"
    NO_DIGITS = "digits_none"
    TOO_SHORT = "digits_too_short"
    NOT_VALID = "digits_not_valid"
    """The entry is none that can be: out of its range, or its check digit is wrong."""
    BEGIN_ANEW = "digits_begin_anew"
    """To a caller who has cleared the entry too often."""
    FIRST_DIGITS = "digits_first"
    """To a caller who was lost in the middle of an entry: how far it is known. Not which they are: what is said may be
    kept as a prompt."""
    FIRST_DIGIT = "digits_first_one"


_ENGLISH = {
    MenuWord.WRONG_KEY: "That isn't one of the choices.",
    MenuWord.KEYS_ONLY: "Please choose by pressing a key.",
    MenuWord.NO_CALLS: "I have noted it. We will not call this number again.",
    MenuWord.NO_CALLS_FAILED: "I'm sorry, I couldn't note that. Please tell us again, from the number that we are not to call.",
    MenuWord.NO_DIGITS: "No digits were entered.",
    MenuWord.TOO_SHORT: "Those were too few digits.",
    MenuWord.NOT_VALID: "That number isn't valid.",
    MenuWord.BEGIN_ANEW: "Let's begin again.",
    MenuWord.FIRST_DIGITS: "I have the first {count} digits. Please key in the rest, then press the hash key.",
    MenuWord.FIRST_DIGIT: "I have the first digit. Please key in the rest, then press the hash key.",
}
WORDS_MENU: Mapping[str, Mapping[MenuWord, str]] = {"en": _ENGLISH}
"""By the language's first subtag (BCP 47), in lower case."""
