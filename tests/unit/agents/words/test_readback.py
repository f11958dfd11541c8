"""Reading back to the letter, by what callers say."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.words.readback import FAILURES, ROUNDS, Exact, Readback, Then, begun, read_out
from gateway.terms import spelling

MAIL, NAME, NUMBER = (
    begun(Exact.EMAIL, "your email address", "anna.smidt@acme.com"),
    begun(Exact.NAME, "your name", "Anna Smidt"),
    begun(Exact.NUMBER, "your phone number", "+15105550142"),
)


def test_things_are_read_back_in_groups() -> None:
    assert MAIL.say.startswith("I have A N N, A, dot, S M I, D T, at acme, that is A C M, E dot com. Is that right?")
    assert NAME.say.startswith("I have Anna Smidt, that is A N N, A, space, S M I, D T. ")
    assert NUMBER.say.startswith("I have plus 1, 5 1 0, 5 5 5, 0 1 4 2. ")
    assert read_out(Exact.NUMBER, "4915123456") == "4 9 1, 5 1 2, 3 4 5, 6"
    assert read_out(Exact.EMAIL, "bo@gmail.com", slow=True) == "B as in bravo, O as in oscar, at gmail dot com"


@pytest.mark.parametrize("said", ["yes", "Yeah.", "that's right", "correct, thank you"])
def test_yes_confirms(said: str) -> None:
    for one in (MAIL, NAME, NUMBER):
        assert (one.heard(said).then, one.heard(said).value) == (Then.CONFIRMED, one.value)


@pytest.mark.parametrize(
    ("one", "said", "value"),
    [
        (MAIL, "no, T as in tango, not D as in delta", "anna.smitt@acme.com"),
        (MAIL, "not delta but tango", "anna.smitt@acme.com"),
        (MAIL, "the third letter is b as in bravo", "anba.smidt@acme.com"),
        (MAIL, "no it's A N N A dot S M I T H", "anna.smith@acme.com"),
        (MAIL, "no, at A C M E dot org", "anna.smidt@acme.org"),
        (MAIL, "bee oh bee at gmail dot com", "bob@gmail.com"),
        (MAIL, "bob underscore two at gmail dot com", "bob_2@gmail.com"),
        (MAIL, "b o double s, at example dot com", "boss@example.com"),
        (MAIL, "d as in bravo, o, b at example dot com", "bob@example.com"),
        (NAME, "no, S M I T H", "Smith"),
        (NAME, "sierra mike india tango hotel", "Smith"),
        (NAME, "the second letter is M as in mike", "Amna Smidt"),
        (NUMBER, "five one zero, five five five, zero one four three", "5105550143"),
        (NUMBER, "no, the last four are zero one double four", "+15105550144"),
    ],
)
def test_corrections_are_read_back_anew(one: Readback, said: str, value: str) -> None:
    after = one.heard(said)
    assert (after.value, after.then, after.failures) == (value, Then.ASK, 0)
    assert after.heard("yes").then is Then.CONFIRMED


def test_a_number_is_keyed_in_and_one_and_two_are_yes_and_no() -> None:
    assert NUMBER.keyed("5105550143").value == "5105550143"
    assert MAIL.keyed("1").then is Then.CONFIRMED
    assert MAIL.keyed("2").spelling
    assert "key in the number" in NUMBER.keyed("2").say


def test_two_failures_lead_to_a_person() -> None:
    once = MAIL.heard("no")
    assert "spell the whole address" in once.say
    assert once.heard("bla bla").then is Then.PERSON
    assert once.heard("b o b at example dot com").heard("no").then is Then.PERSON
    assert MAIL.heard("what").then is Then.ASK
    assert MAIL.heard("what").heard("what").then is Then.PERSON


def test_spelled_as_it_was_it_is_right_and_skipped_it_is_left() -> None:
    assert NAME.heard("no").heard("a n n a space s m i d t").then is Then.CONFIRMED
    assert MAIL.heard("skip it").then is Then.LEFT


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=20), st.booleans())
def test_what_is_read_out_letter_by_letter_is_understood_as_it_was(text: str, slow: bool) -> None:
    assert spelling.spelled(spelling.tokens(spelling.letters(text, slow=slow))) == text


@given(st.from_regex(r"[a-z0-9]{1,8}([._-][a-z0-9]{1,4}){0,2}@[a-z]{2,8}\.(com|org|example)", fullmatch=True))
def test_an_address_that_is_spelled_is_understood_as_it_is(mail: str) -> None:
    local, _, domain = mail.partition("@")
    name, _, top = domain.rpartition(".")
    said = f"{spelling.letters(local)} at {spelling.letters(name)} dot {spelling.letters(top)}"
    assert begun(Exact.EMAIL, "your email address", "x@y.zz").heard(said).value == mail


_SAYS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(["yes", "no", "not", "b", "as", "in", "bravo", "the", "third", "letter", "is", "at", "dot", "com",
                              "double", "but", "last", "five", "skip", "person"]), max_size=8).map(" ".join),
)  # fmt: skip


@given(
    st.sampled_from(list(Exact)),
    st.text(max_size=30),
    st.lists(
        st.one_of(_SAYS.map(lambda said: ("said", said)), st.text("0123456789", max_size=12).map(lambda k: ("keys", k)))
    ),
)
def test_whatever_is_said_it_ends_and_only_what_was_read_back_is_confirmed(
    kind: Exact, value: str, events: list[tuple[str, str]]
) -> None:
    one = begun(kind, "your name", value)
    for asked, (how, said) in enumerate(events):
        read = one.value
        after = one.heard(said) if how == "said" else one.keyed(said)
        assert asked < ROUNDS + FAILURES
        if after.then is Then.CONFIRMED:
            assert after.value == read
        assert bool(after.say) == (after.then is Then.ASK)
        if after.then is not Then.ASK:
            break
        one = after
    assert not re.search(r"\n", one.noun)
