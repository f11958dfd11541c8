"""Words for callers: sentences with variables, or a WAV file in place of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from yaml.nodes import Node

from gateway.dialplan.reading.context import Context
from gateway.dialplan.reading.nodes import Reader
from gateway.dialplan.reading.words import near
from gateway.dialplan.sounds import names_wav
from gateway.terms.sentences import variables

_RECORDED = re.compile(r"\S+\.(mp3|ogg|oga|opus|m4a|mp4|aac|flac|aiff?|wma|au|gsm|ulaw|alaw|sln)", re.IGNORECASE)
"""Sounds of other kinds."""
REOPENS = ("reopens",)
"""The variables of a message's words."""


def words(reader: Reader, node: Node, what: str, context: Context | None, known: Collection[str] = ()) -> str:
    """Words for callers with the variables `known`, or the name of a WAV; notes what can't be said. Without a context
    it must be words."""
    text = reader.sentence(node, what)
    if names_wav(text):
        if context is None:
            told = f"{what} can't be a WAV file: the agent's own voice says it, after its notice."
            reader.fault(node, told, "Write the words.")
        else:
            context.sounds.append((text, reader.place(node)))
        return text
    if _RECORDED.fullmatch(text):
        reader.fault(node, f"'{text}' is no WAV file, and would be read out.", "Save the sound as a PCM WAV file.")
        return text
    for name in variables(text):
        if name not in known:
            there = ", ".join(f"{{{one}}}" for one in known)
            told = near(name, known) or (f"Known is {there}." if known else "Take the braces out.")
            reader.fault(node, f"'{{{name}}}' stands for nothing in {what}.", told)
    return text
