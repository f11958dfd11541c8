"""Tests of the acts' words."""

from __future__ import annotations

from enum import StrEnum

import pytest

from gateway.calls import words
from gateway.calls.words import plain, word
from gateway.calls.words.handoff import HandoffWord
from gateway.calls.words.menu import WORDS_MENU, MenuWord


def test_every_word_of_a_menu_is_said_in_english() -> None:
    assert set(WORDS_MENU["en"]) == set(MenuWord)
    reasons = {word(HandoffWord.CALL_DROPPED, "en-US")}  # part of a sentence: "Why: …."
    assert all(said.endswith(".") for said in set(plain("en-US")) - reasons)


def test_a_language_nobody_has_translated_is_spoken_to_in_english() -> None:
    assert word(MenuWord.WRONG_KEY, "es-MX") == word(MenuWord.WRONG_KEY, "en-GB") == "That isn't one of the choices."


class Place(StrEnum):
    PLACE = "place"
    UNKNOWN = "unknown"


def test_a_table_has_values_and_its_own_language(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"en": {Place.PLACE: "You are number {place}."}, "de": {Place.PLACE: "Sie sind Nummer {place}."}}
    monkeypatch.setattr(words, "TABLES", (WORDS_MENU, table))
    assert word(Place.PLACE, "de-AT", place=3) == "Sie sind Nummer 3."
    assert word(MenuWord.WRONG_KEY, "de-AT") == word(MenuWord.WRONG_KEY, "en")
    assert not any("{" in said for said in plain("de"))
    with pytest.raises(KeyError):
        word(Place.UNKNOWN, "en")


def test_no_two_tables_use_a_value_twice() -> None:
    names = [which for table in words.TABLES for which in table["en"]]
    assert len(names) == len(set(names))
