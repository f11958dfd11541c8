"""Tests of seals: only the same secret, call and place open them, and nothing shows what is in them."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.sealed import Seal
from gateway.errors import OurFault, SetupFault
from gateway.terms.call import CallId
from gateway.terms.personal import Digits
from gateway.terms.sealed import MARK, is_sealed

CALL, SEAL = CallId("SCL_1"), Seal("a secret")
CARD = "4111111111111111"


@given(st.text("0123456789", max_size=32), st.text(max_size=20))
def test_what_is_sealed_is_opened_again(digits: str, place: str) -> None:
    sealed = SEAL.close(Digits(digits), CALL, place)
    assert SEAL.open(sealed, CALL, place).reveal() == digits
    assert is_sealed(sealed)
    assert sealed.isascii()


def test_one_plain_text_is_never_sealed_alike_and_lengths_tell_nothing() -> None:
    first, second = (SEAL.close(Digits(CARD), CALL, "card") for _ in range(2))
    assert first != second
    assert len(SEAL.close(Digits("1"), CALL, "card")) == len(first)


def altered(sealed: str) -> str:
    return sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]


@pytest.mark.parametrize(
    ("seal", "call", "place", "changed"),
    [
        (Seal("another"), CALL, "card", str),
        (SEAL, CallId("SCL_2"), "card", str),
        (SEAL, CALL, "pin", str),
        (SEAL, CALL, "card", altered),
        (SEAL, CALL, "card", lambda sealed: sealed[:30]),
        (SEAL, CALL, "card", lambda _: MARK + "?"),
        (SEAL, CALL, "card", lambda _: ""),
    ],
)
def test_another_secret_call_place_or_text_doesnt_open(seal: Seal, call: CallId, place: str, changed: object) -> None:
    sealed = SEAL.close(Digits(CARD), CALL, "card")
    with pytest.raises(OurFault) as told:
        seal.open(changed(sealed), call, place)  # type: ignore[operator]
    assert CARD not in "".join(traceback.format_exception(told.value))


def test_there_is_no_seal_without_a_secret() -> None:
    with pytest.raises(SetupFault, match="OFFHOOK_SECRET"):
        Seal("")
