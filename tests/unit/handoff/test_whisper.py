"""What a human who answers hears of the call."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.handoff.whisper import LONGEST, name_of, seconds_of, whisper
from gateway.terms.sealed import MARK

LEAD = {
    "name": "Maria Lopez",
    "company": "Acme",
    "need": "phones for two offices",
    "budget": "5000 dollars",
    "team_size": 40,
}


def test_it_tells_who_what_how_much_and_why() -> None:
    assert whisper(LEAD, "wants a quote", "en-US") == (
        "Call from Maria Lopez of Acme.",
        "Needs phones for two offices.",
        "Budget 5000 dollars.",
    )


def test_what_isnt_known_isnt_told() -> None:
    assert whisper({"name": "Maria", "company": None}, "", "en-US") == ("Call from Maria.",)
    assert whisper({"company": "Acme"}, "", "en-US") == ("Call from Acme.",)
    assert whisper({}, "", "de-DE") == ("Here is a caller for you.",)


def test_the_reason_is_told_where_there_is_time_for_it() -> None:
    assert whisper({"name": "Maria"}, "wants a quote", "en-US") == ("Call from Maria.", "Calls because: wants a quote.")


def test_what_is_sealed_isnt_said() -> None:
    assert whisper({"name": f"{MARK}abc"}, "", "en-US") == ("Here is a caller for you.",)
    assert name_of({"name": f"{MARK}abc"}) == ""
    assert name_of(LEAD) == "Maria Lopez"


def test_a_long_name_leaves_time_for_what_is_needed() -> None:
    long = {
        "name": "Maria de los Angeles Lopez Garcia y Fernandez",
        "company": "The Acme Company of North America and Sons",
        "need": "two phones",
    }
    assert whisper(long, "", "en-US")[1:] == ("Needs two phones.",)


facts = st.dictionaries(
    st.sampled_from(["name", "company", "need", "budget", "topic", "team_size"]),
    st.none() | st.booleans() | st.integers() | st.text(max_size=400) | st.lists(st.text(max_size=40), max_size=9),
)


@given(facts, st.text(max_size=400))
def test_it_is_never_longer_than_ten_seconds(known: dict[str, object], reason: str) -> None:
    said = whisper(known, reason, "en-US")
    assert said
    choose = word(HandoffWord.CHOOSE, "en-US")
    assert sum(map(seconds_of, (*said, choose))) <= LONGEST
