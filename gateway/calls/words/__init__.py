"""What the acts of a call say word for word, by language. Pure.

Each act has a table of its own (`words_menu` …); a new one goes into TABLES. Values of two enums must differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from gateway.calls.words.handoff import WORDS_HANDOFF
from gateway.calls.words.house import WORDS_HOUSE
from gateway.calls.words.menu import WORDS_MENU
from gateway.calls.words.recall import WORDS_RECALL

TABLES: tuple[Mapping[str, Mapping[Any, str]], ...] = (WORDS_MENU, WORDS_HOUSE, WORDS_HANDOFF, WORDS_RECALL)
"""Each by language, then by its own enum."""
ENGLISH = "en"


def word(which: StrEnum, language: str, **values: object) -> str:
    """The words in the language (BCP 47 tag), in English where nobody has translated them; `values` take the places
    of `{name}` in them. Raises KeyError for words that no table has, or a value that is missing."""
    spoken = language.partition("-")[0].lower()
    for table in TABLES:
        if which in table[ENGLISH]:
            said = table.get(spoken, {}).get(which) or table[ENGLISH][which]
            return said.format(**values) if values else said
    raise KeyError(which)


def plain(language: str) -> Iterator[str]:
    """All words of the language that have no values in them: they can be rendered before anybody calls."""
    for table in TABLES:
        for which, said in table[ENGLISH].items():
            if "{" not in said:
                yield word(which, language)
