"""What a human who answers hears of the call."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.handoff.whisper import LONGEST, keys_told, name_of, seconds_of, whisper
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


def test_a_problem_is_told_as_a_need_is() -> None:
    facts = {"problem": "the internet is down", "tried": "a restart"}
    assert whisper(facts, "", "en-US") == ("Here is a caller for you.", "Problem: the internet is down.")


def test_a_long_name_leaves_time_for_what_is_needed() -> None:
    long = {
        "name": "Maria de los Angeles Lopez Garcia y Fernandez",
        "company": "The Acme Company of North America and Sons",
        "need": "two phones",
    }
    assert whisper(long, "", "en-US")[1:] == ("Needs two phones.",)


def test_of_a_long_need_as_much_is_told_as_there_is_time_for() -> None:
    need = "a phone system for forty people in three offices that records each of their calls"
    told = whisper(LEAD | {"need": need}, "", "en-US")[1]
    assert told == "Needs a phone system for forty people."
    assert whisper(LEAD | {"need": need, "budget": None}, "", "en-US")[1] == (
        "Needs a phone system for forty people in three offices that records."
    )


def test_the_keys_are_told_in_brief_where_the_rest_takes_the_time() -> None:
    assert keys_told(("Call from Maria.",), "en-US") == word(HandoffWord.CHOOSE, "en-US")
    assert keys_told(whisper(LEAD, "", "en-US"), "en-US") == word(HandoffWord.CHOOSE_BRIEFLY, "en-US")


facts = st.dictionaries(
    st.sampled_from(["name", "company", "need", "budget", "topic", "problem", "team_size"]),
    st.none() | st.booleans() | st.integers() | st.text(max_size=400) | st.lists(st.text(max_size=40), max_size=9),
)


@given(facts, st.text(max_size=400), st.sampled_from(["", "This is a callback."]))
@example({"name": ["", "0:", "120"], "company": [":", "0:", "120"]}, "", "This is a callback.")
@example({"name": -1827, "company": ["", "", ":", ";3", "300"]}, "", "This is a callback.")
@example({"name": ":" * 40, "company": "," * 40}, "", "This is a callback.")
def test_it_is_never_longer_than_ten_seconds(known: dict[str, object], reason: str, after: str) -> None:
    said = whisper(known, reason, "en-US", after=after)
    assert said
    spoken = [one for one in (after, *said) if one]
    assert sum(map(seconds_of, (*spoken, keys_told(spoken, "en-US")))) <= LONGEST
