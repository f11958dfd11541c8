"""Going on where a provider broke off: no word is lost, and few are said twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.engines.taking_up import SLOWEST, Again, left_of

SENTENCE = "Thank you, and what is the best number to reach you on tomorrow?"


def test_a_sentence_is_taken_up_at_a_word() -> None:
    assert left_of(SENTENCE, 0.0) == SENTENCE
    assert left_of(SENTENCE, 0.2) == SENTENCE
    assert left_of(SENTENCE, 1.2) == "and what is the best number to reach you on tomorrow?"
    assert left_of(SENTENCE, 60.0) == "tomorrow?", "what broke off had not ended"


_texts = st.text(alphabet=st.sampled_from("ab ,.?-"), max_size=60)


@given(_texts, st.floats(0.0, 20.0))
def test_what_is_left_is_the_end_and_not_less_than_what_was_not_said(sentence: str, said: float) -> None:
    left = left_of(sentence, said)
    assert sentence.endswith(left)
    assert len(sentence) - len(left) <= said * SLOWEST
    if sentence.strip():
        assert left.strip()


@given(st.lists(_texts), st.lists(_texts))
def test_the_same_answer_goes_on_where_it_was(said: list[str], rest: list[str]) -> None:
    again = Again("".join(said))
    whole = "".join([*said, *rest])
    heard = "".join(again.more(whole[at : at + 7]) for at in range(0, len(whole), 7))
    assert "".join(said) + heard == whole


@given(st.text("abc", min_size=1), st.text("xyz", min_size=1))
def test_another_answer_is_heard_whole(said: str, other: str) -> None:
    again = Again(said)
    assert "".join(map(again.more, other)) == f" {other}"


def test_what_begins_alike_and_goes_on_otherwise_is_heard_whole() -> None:
    again = Again("We are open until six.")
    assert [again.more(piece) for piece in ("We are ", "closed ", "today.")] == ["", " We are closed ", "today."]
