"""Whom `offhook call` dials."""

from __future__ import annotations

import pytest

from gateway.app.call import user
from gateway.errors import SetupFault


@pytest.mark.parametrize(
    ("written", "dialed"),
    [
        ("+15105550100", "+15105550100"),
        ("+1 (510) 555-0100", "+15105550100"),
        ("510.555.0100", "5105550100"),
        ("sip:echo", "echo"),
        ("tel:+15105550100", "+15105550100"),
        ("*43", "*43"),
        ("anonymous", "anonymous"),
        ("jo-ann.smith", "jo-ann.smith"),
    ],
)
def test_a_number_is_dialed_as_people_write_it(written: str, dialed: str) -> None:
    assert user(written) == dialed


@pytest.mark.parametrize("written", ["", "  ", "two words", "#31#", "a@b", "<x>", "ü"])
def test_what_is_no_user_is_told(written: str) -> None:
    with pytest.raises(SetupFault, match="can't be dialed. Write a number"):
        user(written)
