"""What a human hears, word for word, who is rung for a callback, by language. Pure; see `gateway.calls.words`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class RecallWord(StrEnum):
    """The words of `gateway.callbacks.act`."""

    CALLBACK = "recall_callback"
    """The whisper's first sentence."""
    RINGING = "recall_ringing"
    """To whoever has taken it."""
    NO_ANSWER = "recall_no_answer"
    """To them, when the callee wasn't reached and is called again."""
    GIVEN_UP = "recall_given_up"
    """To them, when nobody calls again."""
    MAILBOX = "recall_mailbox"
    """To them, when the callee's mailbox answered, and they are called again."""
    MAILBOX_GIVEN_UP = "recall_mailbox_given_up"
    """To them, when nobody calls again."""
    TOO_LATE = "recall_too_late"
    """To them, when the callee's day was over before they had taken it."""


_ENGLISH = {
    RecallWord.CALLBACK: "This is a callback.",
    RecallWord.RINGING: "Thank you. I'm calling them now.",
    RecallWord.NO_ANSWER: "They can't be reached. We'll try again later. Goodbye.",
    RecallWord.GIVEN_UP: "They can't be reached, and this was the last try. Goodbye.",
    RecallWord.MAILBOX: "A mailbox answered. We'll try again later. Goodbye.",
    RecallWord.MAILBOX_GIVEN_UP: "A mailbox answered, and this was the last try. Goodbye.",
    RecallWord.TOO_LATE: "Thank you, but by now it is too late in the day to call them. Goodbye.",
}
WORDS_RECALL: Mapping[str, Mapping[RecallWord, str]] = {"en": _ENGLISH}
"""By the language's first subtag (BCP 47), in lower case."""
