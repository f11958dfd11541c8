"""Who wants never to be called again, and who only puts a call off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.donotcall.wish import no_more_calls


@pytest.mark.parametrize(
    "words",
    [
        "Stop calling me.",
        "please stop calling",
        "I want you to stop calling this number!",
        "Don't call me again",
        "Don\u2019t ever call me again.",
        "do not call me anymore",
        "Do not call us.",
        "never call me again",
        "Never call here again.",
        "Take me off your list.",
        "take my number off of your calling list",
        "Remove me from your database please",
        "Put me on your do not call list",
        "put me on the do-not-call list",
        "Lose my number.",
        "I told you yesterday. Stop calling me!",
        "quit bothering me",
        "Would you please stop calling me?",
        "Why don't you just stop calling me! Stop calling me!",
        "stopped calling me",
        "please stopped calling me",
    ],
)
def test_a_wish_for_good(words: str) -> None:
    assert no_more_calls(words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Don't call me before nine.",
        "please don't call me today",
        "stop calling me before eight in the morning",
        "Don't call me back until tomorrow",
        "You can call me again tomorrow",
        "Take me off hold",
        "take me off speaker",
        "My customers never call.",
        "They said people stop calling when prices rise.",
        "Why did you never call?",
        "Please call me",
        "I was calling about the list of prices",
        "Stop. Call me back.",
        "Don't stop calling me.",
        "Please do not ever stop calling me",
        "I hope you never stop calling us",
        "Why did you stop calling me?",
        "Let me know if you stop calling this number.",
    ],
)
def test_no_wish_for_good(words: str) -> None:
    assert not no_more_calls(words)


@given(st.text(max_size=200))
def test_any_words_have_an_answer(words: str) -> None:
    assert no_more_calls(words) in (True, False)
