"""What acts say beside the plan's words, so that it can be rendered before anybody calls. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.calls import words
from gateway.calls.words import message as words_message
from gateway.calls.words import queue as words_queue
from gateway.dialplan.actions import Action, Message, Queue


def own(action: Action, language: str) -> Iterable[str]:
    """The sentences that an act of that kind may say in a language (BCP 47 tag)."""
    yield from words.plain(language)
    if isinstance(action, Queue):
        yield from words_queue.sentences(language)
    if isinstance(action, Message):
        yield from words_message.lines(language)
