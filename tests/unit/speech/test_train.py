"""Tests of the sentences and of the language model that is made of them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import SetupFault
from gateway.speech.corpus import parse
from gateway.speech.train import DATA, Gram, arpa, dictionary, model

WORDS = st.lists(st.sampled_from(["yes", "no", "four", "two", "please"]), max_size=5)


def chance(grams: list, history: Gram, word: str) -> float:
    """P(word | history), as a decoder backs off."""
    gram = (*history, word)
    if gram in grams[len(gram) - 1]:
        return 10 ** grams[len(gram) - 1][gram][0]
    if not history:
        return 0.0
    weight = grams[len(history) - 1].get(history, (0.0, 0.0))[1]
    return 10**weight * chance(grams, history[1:], word)


@given(st.lists(WORDS, min_size=1, max_size=12))
def test_after_any_words_the_chances_of_the_next_one_are_one(sentences: list[list[str]]) -> None:
    grams = list(model(sentences))
    words = [gram[0] for gram in grams[0] if gram != ("<s>",)]
    histories = [(), *(gram for gram in grams[0] if gram != ("</s>",)), *(g for g in grams[1] if g[1] != "</s>")]
    for history in histories:
        assert sum(chance(grams, history, word) for word in words) == pytest.approx(1.0, abs=1e-6)


def test_a_model_is_written_as_arpa() -> None:
    text = arpa(model([["yes"], ["no", "please"]]))
    assert text.startswith("\\data\\\nngram 1=5\n")
    assert text.endswith("\\end\\\n")
    assert any(line.endswith("<s> no please") for line in text.splitlines())


def test_templates_make_the_same_sentences_for_the_same_seed() -> None:
    corpus = parse("$d: one | 3*two\n5 (call | ) $d\n1 yes  # a remark\n")
    sentences = list(corpus.sentences(200, Random(1)))
    assert sentences == list(corpus.sentences(200, Random(1)))
    assert set(sentences) == {"call one", "call two", "one", "two", "yes"}
    assert sum("two" in one for one in sentences) > sum("one" in one for one in sentences)


@pytest.mark.parametrize(("text", "says"), [("5 (a", "Line 1"), ("x a", "Line 1"), ("5 $none", "none")])
def test_a_template_that_cannot_be_read_is_told(text: str, says: str) -> None:
    with pytest.raises(SetupFault, match=says):
        parse(text)


def test_a_word_without_a_pronunciation_is_told() -> None:
    with pytest.raises(SetupFault, match="banana"):
        dictionary(["yes", "banana"], "yes Y EH S\nyes(2) Y AE S\nno N OW\n")
    assert dictionary(["yes"], "yes Y EH S\nyes(2) Y AE S\nno N OW\n") == "yes Y EH S\nyes(2) Y AE S\n"


def test_the_shipped_sentences_are_read() -> None:
    assert len(parse((DATA / "sentences.txt").read_text()).templates) > 50
