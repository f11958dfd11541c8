"""Tests of what the agents share: declarations, prompts, facts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.definition import opening
from agents.line.telephony import Pronounce
from agents.registry import NAMES, catalogue, definition
from agents.words.facts import Facts, save_schema
from agents.words.lines import Say, line_of
from agents.words.prompting import asked, instructions
from gateway.speech.dialogue import prompt, tools
from gateway.terms.call import Brief
from gateway.terms.catalogue import Cue
from gateway.terms.personal import Digits
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
    assert set(cues) == set(Cue)
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


def test_what_was_sealed_stays_whatever_a_model_says() -> None:
    facts = Facts(definition("support"), ("ticket_number",))
    facts.seal("ticket_number", Digits("739146"), "sealed:1:x")
    assert facts.add({"ticket_number": "[keypad: ticket number entered]", "problem": "no sound"}) == ""
    assert facts.known == {"ticket_number": "sealed:1:x", "problem": "no sound"}
    assert facts.complete
    assert facts.digits("ticket_number") == Digits("739146"), "a tool of the job's own gets them"
    assert facts.digits("problem") is None


def test_on_a_sealed_route_digits_are_asked_to_be_keyed_in_and_never_said() -> None:
    support = definition("support")
    (one,) = support.digit_fields
    told = instructions(support, Brief("support", sealed=True))
    assert "[keypad: ticket number entered]" in told
    assert "hidden" not in instructions(support, Brief("support"))
    assert "hidden" not in instructions(replace(support, record=None), Brief("support", sealed=True)), "no digits"
    read = tools.read([{"type": "function", "function": save_schema(support, sealed=True)}])
    assert read.form
    asked_by = {each.name: each for each in read.form.properties}[one.name]
    assert asked_by.noun == "your ticket number"
    assert "key in your ticket number" in asked_by.question
    assert asked_by.again != asked_by.question


@pytest.mark.parametrize("sealed", [True, False])
def test_a_models_tool_has_only_what_json_schema_knows(sealed: bool) -> None:
    schema = save_schema(definition("support"), sealed=sealed)
    assert "x-" not in str(schema)


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
