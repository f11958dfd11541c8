"""How an agent goes on with a conversation that another job has lost."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.sales import AGENT as SALES
from agents.support import AGENT as SUPPORT
from agents.talk.going_on import returned
from agents.talk.resuming import Answer, Ask, GetPerson, pick_up, request
from agents.words.facts import Facts
from agents.words.history import history
from agents.words.lines import Say, line_of
from gateway.conduct.talk.port import Stage
from gateway.terms.act import Act, Record, Talk
from gateway.terms.call import Brief
from gateway.terms.kept import Heard, Kept
from gateway.terms.personal import Digits, Words
from gateway.terms.sealed import HIDDEN, MARK
from gateway.terms.turn import Speaker, Turn

AGENT, CALLER, KEYPAD = Speaker.AGENT, Speaker.CALLER, Speaker.KEYPAD
LOST = line_of(Say.AGAIN, "en-US")


def said(*turns: tuple[Speaker, str]) -> list[Turn]:
    return [Turn(seq, speaker, Words(text), float(seq)) for seq, (speaker, text) in enumerate(turns, 1)]


def picked(kept: Kept) -> Ask | Answer | GetPerson:
    return pick_up(kept, "en-US", notice="I'm automated.", greeting="Hello! How can I help?")


@pytest.mark.parametrize(
    ("turns", "heard", "expected"),
    [
        ([], "", Ask("I'm automated. How can I help?")),
        ([(AGENT, "Hello! How can I help?")], "", Ask("How can I help?")),
        ([(AGENT, "Thanks. What is your name? Please spell it.")], "", Ask("What is your name?")),
        ([(AGENT, "Key in your number, then press hash.")], "", Ask("Key in your number, then press hash.")),
        ([(AGENT, "Name?"), (CALLER, "John.")], "", Answer()),
        ([(AGENT, "Number?"), (KEYPAD, "4172")], "", Answer()),
        ([(AGENT, "Number?"), (KEYPAD, "0")], "", GetPerson()),
        ([(KEYPAD, "0"), (AGENT, LOST)], "", GetPerson()),
        ([(KEYPAD, "0"), (AGENT, "We call you back. Is now fine?")], "", Ask("Is now fine?")),
        ([(KEYPAD, "0"), (CALLER, "A person.")], "", Answer()),
        ([(CALLER, "0")], "", Answer()),
        ([(AGENT, "Name?")], "John Smith.", Answer("John Smith.")),
        ([(AGENT, "Name?"), (AGENT, LOST), (AGENT, "Name?"), (AGENT, LOST)], "", Ask("Name?")),
        ([(AGENT, "Name?"), (AGENT, line_of(Say.STILL_THERE, "en-US"))], "", Ask("Name?")),
        ([(AGENT, "Name?"), (CALLER, "John."), (AGENT, LOST)], "", Answer()),
        ([(AGENT, "")], "", Ask(line_of(Say.AGAIN_PLEASE, "en-US"))),
    ],
)
def test_the_last_question_is_asked_again_or_the_last_words_are_answered(
    turns: list[tuple[Speaker, str]], heard: str, expected: Ask | Answer | GetPerson
) -> None:
    kept = Kept(said(*turns), heard=Heard(Words(heard), None, len(turns)))
    assert picked(kept) == expected


@pytest.mark.parametrize(("began", "expected"), [(0.5, GetPerson()), (1.5, Ask("Number?"))])
def test_what_0_has_broken_off_is_no_answer_to_it(began: float, expected: Ask | GetPerson) -> None:
    pressed = Turn(1, KEYPAD, Words("0"), 1.0)
    assert picked(Kept([pressed, Turn(2, AGENT, Words("Number?"), began, interrupted=True)])) == expected


@given(st.lists(st.tuples(st.sampled_from(Speaker), st.text(min_size=1, max_size=30)), max_size=6), st.text(max_size=9))
def test_whatever_was_said_there_is_something_to_say(turns: list[tuple[Speaker, str]], heard: str) -> None:
    match picked(Kept(said(*turns), heard=Heard(Words(heard), None, len(turns)))):
        case Ask(text):
            assert text.strip()
        case Answer(words):
            assert words == heard.strip()
        case GetPerson():
            assert (KEYPAD, "0") in turns


def test_a_model_is_told_what_was_said_and_saved_and_nothing_sealed() -> None:
    turns = said((AGENT, "Your ticket number?"), (KEYPAD, HIDDEN), (AGENT, LOST), (AGENT, "What is wrong?"))
    facts = {"ticket_number": MARK + "abc", "problem": "no dial tone"}
    told = history(turns, facts, SUPPORT, "en-US").to_dict()["items"]
    assert MARK not in json.dumps(told)
    assert LOST not in json.dumps(told)
    call, result, *rest = told
    assert (call["name"], json.loads(call["arguments"])) == ("save_ticket", {"problem": "no dial tone"})
    assert result["output"] == "saved"
    contents = [one["content"][0] for one in rest]
    assert contents[0] == "[keypad: ticket number entered]"
    assert contents[1:] == ["Your ticket number?", "[keypad: digits entered]", "What is wrong?"]


def test_what_was_keyed_in_is_told_as_keys() -> None:
    (told,) = history(said((KEYPAD, "4172")), {}, SUPPORT, "en-US").to_dict()["items"]
    assert told["content"] == ["[keypad] 4172"]


def test_facts_are_taken_up_where_another_job_has_left_them() -> None:
    facts = Facts(SALES, ("name", "team_size"))
    facts.restore({"name": "John", "team_size": 25}, lambda *_: None)
    assert facts.known == {"name": "John", "team_size": 25}
    assert facts.complete


@pytest.mark.parametrize("opened", [None, Digits("4172")])
def test_sealed_facts_stay_sealed_and_a_models_words_dont_replace_them(opened: Digits | None) -> None:
    facts = Facts(SUPPORT, ("ticket_number",))
    facts.restore({"ticket_number": MARK + "abc"}, lambda *_: opened)
    assert facts.known == {"ticket_number": MARK + "abc"}
    assert facts.digits("ticket_number") == opened
    facts.add({"ticket_number": "9999"})
    if opened is not None:
        assert facts.known == {"ticket_number": MARK + "abc"}


@pytest.mark.parametrize(
    ("text", "asked"), [("", ""), ("One. Two? Three.", "Two?"), ("One.", "One."), ("One? Two?", "Two?")]
)
def test_a_request_is_the_last_question(text: str, asked: str) -> None:
    assert request(text) == asked


@pytest.mark.parametrize(
    ("act", "resumed", "told"),
    [
        (Talk("busy"), False, line_of(Say.AWAY_BUSY, "en-US")),
        (Talk("busy", "All of us talk."), False, "All of us talk."),
        (Talk("closed", "We are closed."), False, "We are closed."),
        (Talk("busy", "All of us talk."), True, ""),
        (Talk(), False, ""),
        (Record("Speak."), False, ""),
    ],
)
def test_who_comes_back_is_told_in_the_plans_words_or_the_agents(act: Act, resumed: bool, told: str) -> None:
    stage = SimpleNamespace(call=SimpleNamespace(act=act), resumed=resumed, brief=Brief("sales"))
    assert returned(cast(Stage, stage)) == told
