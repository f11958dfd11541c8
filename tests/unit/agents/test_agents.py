"""Tests of what the agents share: declarations, prompts, facts, the keypad."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.definition import opening
from agents.facts import Facts, save_schema
from agents.keypad import PAUSE, Keypad
from agents.lines import Say, line_of
from agents.prompting import asked, instructions
from agents.registry import NAMES, catalogue, definition
from agents.telephony import Pronounce
from gateway.speech.dialogue import prompt, tools
from gateway.terms.call import Brief
from gateway.terms.catalogue import Cue
from gateway.terms.spoken import pronounced

TALKING = [name for name in NAMES if name != "echo"]


def brief(agent: str = "sales", **settings: object) -> Brief:
    return Brief(agent, settings=settings)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_an_agent_with_a_card(name: str) -> None:
    assert catalogue()[name].name == name
    assert catalogue()[name].summary.endswith(".")


def test_a_name_that_is_no_agent_is_told() -> None:
    with pytest.raises(LookupError, match="there are sales"):
        definition("nobody")


@pytest.mark.parametrize("name", TALKING)
def test_every_talking_agent_says_first_that_it_is_automated_and_how_to_reach_a_person(name: str) -> None:
    words = opening(definition(name), Brief(name, greeting="Hello."))
    assert words.index("automated") < words.index("person") < words.index("zero") < words.index("Hello.")


@pytest.mark.parametrize("name", TALKING)
def test_the_lines_of_an_agent_have_their_cues(name: str) -> None:
    lines = catalogue()[name].lines(Brief(name, settings={"pronounce": {"person": "purr-son"}}))
    cues = {line.cue: line for line in lines if line.cue}
    assert set(cues) == {Cue.OPENING, Cue.SORRY, Cue.SORRY_CALLBACK}
    assert "purr-son" in cues[Cue.OPENING].spoken
    assert "person" in cues[Cue.OPENING].text


def test_a_prompt_carries_the_routes_settings_as_the_local_model_reads_them() -> None:
    told = instructions(
        definition("sales"),
        brief(ask=["name", "budget"], never=["quote prices"], facts="Opening hours: nine to five.\n- Parking: none."),
    )
    read = prompt.read(told)
    assert read.ask == ("name", "budget")
    assert read.never == ("quote prices",)
    assert [fact.topic for fact in read.facts] == ["Opening hours", "Parking"]
    assert "never claim" in told


def test_what_is_asked_is_the_agents_own_unless_the_route_says() -> None:
    assert asked(definition("support"), brief("support")) == ("problem", "ticket_number")
    assert asked(definition("sales"), brief(ask=["budget"])) == ("budget",)


@pytest.mark.parametrize("name", TALKING)
def test_the_local_model_reads_an_agents_tool(name: str) -> None:
    read = tools.read([{"type": "function", "function": save_schema(definition(name))}])
    assert read.form
    assert [one.name for one in read.form.properties] == list(definition(name).fields)
    assert not read.form.closed, "facts are saved as they come"


def test_facts_are_taken_one_by_one_and_wrong_ones_told() -> None:
    facts = Facts(definition("sales"), ("name", "team_size"))
    assert facts.add({"name": "Mary", "company": None, "color": "red"}) == ""
    assert not facts.complete
    assert "team_size" in facts.add({"team_size": "many", "need": "phones"})
    assert facts.known == {"name": "Mary", "need": "phones"}
    assert facts.add({"team_size": 12}) == ""
    assert facts.complete
    assert facts.add({"name": "Maria"}) == ""
    assert facts.known["name"] == "Maria", "the last word counts"


def test_keys_become_a_number_by_hash_or_by_a_pause() -> None:
    pad, whole = Keypad(), ""
    for key in "4172":
        pad, whole = pad.press(key, 10.0, expected=True)
        assert whole == ""
    assert pad.press("#", 10.1, expected=True) == (Keypad(), "4172")
    assert pad.due(10.0 + PAUSE - 0.01) == (pad, "")
    assert pad.due(10.0 + PAUSE) == (Keypad(), "4172")


def test_zero_is_a_person_unless_a_number_is_asked_for() -> None:
    assert Keypad().press("0", 1.0, expected=False) == (Keypad(), "0")
    pad, whole = Keypad().press("0", 1.0, expected=True)
    assert (pad.keys, whole) == ("0", "")
    begun, _ = Keypad().press("4", 1.0, expected=False)
    assert begun.press("0", 1.1, expected=False)[0].keys == "40"


@given(st.lists(st.sampled_from("0123456789*#"), max_size=60), st.booleans())
def test_no_keys_are_lost_or_doubled(keys: list[str], expected: bool) -> None:
    pad, told = Keypad(), ""
    for key in keys:
        pad, whole = pad.press(key, 0.0, expected=expected)
        told += whole
    _, rest = pad.due(PAUSE)
    digits = "".join(key for key in keys if key.isdecimal())
    assert (told + rest) in digits or len(digits) > 32
    assert len(told + rest) == len(digits) or len(digits) > 32


def test_words_are_pronounced_whole_and_in_any_case() -> None:
    words = {"Acme": "ack-mee", "Acme Labs": "ack-mee labs"}
    assert pronounced("ACME and Acmeville, acme labs.", words) == "ack-mee and Acmeville, ack-mee labs."


async def test_a_stream_cut_within_a_word_is_pronounced() -> None:
    async def parts():
        for part in ("Welcome to Ac", "me. How can", " Acme help?"):
            yield part

    said = "".join([part async for part in Pronounce({"Acme": "ack-mee"})(parts())])
    assert said == "Welcome to ack-mee. How can ack-mee help?"


def test_a_language_without_translation_is_spoken_to_in_english() -> None:
    assert line_of(Say.STILL_THERE, "es-MX") == line_of(Say.STILL_THERE, "en-US")
