"""Personal data can't be formatted by mistake."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.terms.personal import Digits, Number, Words


@given(st.text(alphabet="0123456789", min_size=4))
def test_no_formatting_shows_the_value(secret: str) -> None:
    for wrapped in (Digits(secret), Number("+1" + secret), Words(secret)):
        shown = f"{wrapped} {wrapped!r} {wrapped!s:>40} {[wrapped]}"
        assert secret not in shown


def test_the_value_comes_out_by_reveal_only() -> None:
    assert Words("a secret").reveal() == "a secret"
    assert Words("a") == Words("a")
    assert Words("a") != Digits("a")
    assert not Digits("")


def test_a_number_shows_its_last_two_digits() -> None:
    assert str(Number("+15105550199")) == "<number …99>"
    assert str(Number("100")) == "<number>"
