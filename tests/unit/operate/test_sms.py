"""What fits into an SMS: all lines, short enough, and every link whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.handoff.card import DECLINE_HERE, TAKE_HERE, Caller, card, linked
from gateway.operate.sms import SEGMENTS, WIDE_SEGMENTS, fitted, segments
from gateway.operate.texting import text
from gateway.terms.personal import Words
from gateway.terms.turn import Speaker, Turn

LINK = f"https://calls.acme.example/handoffs/SCL_{'x' * 12}/sales-desk-19c1-2?until=1764000000&sig={'a' * 64}"


@pytest.mark.parametrize(
    ("words", "takes"),
    [("x" * 153, 1), ("x" * 154, 2), ("[" * 77, 2), ("\u20ac", 1), ("\u0141" + "x" * 66, 1), ("\u0141" + "x" * 67, 2), ("\U0001f600" * 34, 2)],
)  # fmt: skip
def test_segments_are_counted_as_carriers_do(words: str, takes: int) -> None:
    assert segments(words) == takes


def test_what_fits_stays_whole_but_for_typographic_signs() -> None:
    assert (
        fitted("Budget: \u201cabout\u201d 5\u2013 6\u2026\nNeed: it\u2019s phones")
        == 'Budget: "about" 5- 6...\nNeed: it\'s phones'
    )


def test_the_longest_lines_are_cut_and_no_other() -> None:
    said = fitted(f"Need: phones\n{'a' * 800}\n{'b' * 700}\n{LINK}")
    need, first, second, link = said.splitlines()
    assert (need, link) == ("Need: phones", LINK)
    assert len(first) == len(second)
    assert first.endswith("a...")
    assert segments(said) == SEGMENTS


def long(name: str, sign: str = "x") -> str:
    return f"{name} {sign * 400}"


@pytest.mark.parametrize("here", [DECLINE_HERE, TAKE_HERE])
@pytest.mark.parametrize("sign", ["x", "\u0142"], ids=["plain", "Polish"])
def test_a_card_tells_all_that_is_known_by_sms_whatever_its_length(here: str, sign: str) -> None:
    keys = ("need", "budget", "timeline", "promises")
    facts = {"name": f"Maria Lopez{sign}", "company": "Acme", **{key: long(key, sign) for key in keys}}
    turns = [Turn(n, Speaker.CALLER, Words(long("They say", sign)), float(n)) for n in range(3)]
    caller = Caller("SCL_1", "+14155550142", facts, turns, long("reason", sign))
    made = card(caller, take=here) if here == TAKE_HERE else card(caller, decline=here)
    said = text(linked(made, LINK))
    assert segments(said) <= (SEGMENTS if sign == "x" else WIDE_SEGMENTS)
    for known in ("Maria Lopez", "A-C-M-E", "+1 415-555-0142", "Need: need", "Budget: budget", "When: timeline", "Why now: reason",
                  "Promised: promises", 'They said: "They say'):  # fmt: skip
        assert known in said
    assert said.endswith(LINK)


@given(st.lists(st.text(max_size=400), max_size=12))
def test_whatever_is_said_it_fits_and_keeps_its_links(lines: list[str]) -> None:
    said = fitted("\n".join([*lines, f"Can't take it? {LINK}"]))
    assert said.endswith(LINK)
    assert segments(said) <= WIDE_SEGMENTS
