"""Conversations with the dialogue model, in text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.registry import definition
from agents.words.facts import save_schema
from gateway.speech.dialogue.reply import reply

GREETING = "Thanks for calling Acme. How can I help?"
OTHERS = [
    {"name": "ask_for_person", "description": "Get the caller a person.", "parameters": {"type": "object",
     "properties": {"reason": {"type": "string"}}, "required": ["reason"]}},
    {"name": "end_call", "description": "Hang up.", "parameters": {"type": "object", "properties": {}}},
]  # fmt: skip
PROMPT = "You sell.\nNever: quote prices\nFacts:\n- Opening hours: We are open Monday to Friday, nine to five."


class Talk:
    """A caller, the model, and tools that answer."""

    def __init__(self, agent: str = "sales", system: str = PROMPT, greeting: str = GREETING, saved: str = "saved"):
        functions = [save_schema(definition(agent)), *OTHERS]
        self.tools = [{"type": "function", "function": one} for one in functions]
        if system and "Ask:" not in system:
            system = f"{system}\nAsk: {', '.join(definition(agent).asks)}"
        self.messages: list[Mapping[str, object]] = [{"role": "system", "content": system}]
        if greeting:
            self.messages.append({"role": "assistant", "content": greeting})
        self.saved, self.facts, self.called = saved, dict[str, object](), list[str]()

    def say(self, words: str) -> str:
        """What the model answers, once its tools have answered too."""
        self.messages.append({"role": "user", "content": words})
        said = ""
        for _ in range(4):
            answer = reply(self.messages, self.tools)
            said = f"{said} {answer.text}".strip()
            calls = [
                {"id": f"c{n}", "type": "function", "function": {"name": c.tool, "arguments": json.dumps(c.arguments)}}
                for n, c in enumerate(answer.calls)
            ]
            self.messages.append({"role": "assistant", "content": answer.text, "tool_calls": calls})
            if not calls:
                break
            for place, call in enumerate(answer.calls):
                self.called.append(call.tool)
                if call.tool.startswith("save_"):
                    self.facts.update({key: value for key, value in call.arguments.items() if value is not None})
                result = {"ask_for_person": "say: A person will call you back."}.get(call.tool, self.saved)
                self.messages.append({"role": "tool", "tool_call_id": f"c{place}", "content": result})
            if "end_call" in self.called:
                break
        return said

    def all(self, lines: Sequence[str]) -> str:
        """The last answer to several lines."""
        return [self.say(line) for line in lines][-1]


SALES = ["we need a new phone system", "my name is john smith", "i work for acme software", "twenty five people"]


def test_a_lead_is_filled_in_question_by_question() -> None:
    talk = Talk()
    assert talk.say("we need a new phone system").endswith("What is your name?")
    assert talk.say("john smith") == "Thank you, John. What is the name of your company?"
    assert talk.say("acme software").endswith("How many people are on your team?")
    assert talk.say("twenty five").endswith("What is your budget?")
    read_back = talk.say("about fifty thousand dollars")
    assert "Your name is John Smith." in read_back
    assert "25 people on your team." in read_back
    assert read_back.endswith("Is that right?")
    assert talk.say("yes").endswith("Is there anything else I can do for you?")
    assert talk.say("no that's all").endswith("Goodbye.")
    assert talk.called[-1] == "end_call"
    assert talk.facts == {
        "need": "a new phone system", "name": "John Smith", "company": "Acme Software", "team_size": 25,
        "budget": "50000",
    }  # fmt: skip


def test_facts_that_come_together_are_not_asked_for_again() -> None:
    talk = Talk()
    answer = talk.say("hi my name is mary johnson from blue river logistics")
    assert (talk.facts["name"], talk.facts["company"]) == ("Mary Johnson", "Blue River Logistics")
    assert "name" not in answer.rpartition(".")[2]


@pytest.mark.parametrize(
    "words",
    ["a person please", "can i talk to a human", "operator", "i want to speak to someone", "representative", "0"],
)
def test_a_person_is_asked_for_in_any_stage(words: str) -> None:
    for before in ([], SALES[:1], [*SALES, "ten thousand"], [*SALES, "ten thousand", "yes"]):
        talk = Talk()
        for line in before:
            talk.say(line)
        assert talk.say(words) == "A person will call you back."
        assert talk.called[-1] == "ask_for_person"


def test_what_a_caller_does_not_want_is_no_wish_for_a_person() -> None:
    talk = Talk()
    talk.say("i don't need a person")
    assert "ask_for_person" not in talk.called


def test_a_correction_is_saved_and_the_rest_confirmed() -> None:
    talk = Talk()
    talk.all([*SALES, "fifty thousand dollars"])
    assert talk.say("no my name is john smithers").endswith("Is the rest right?")
    assert talk.facts["name"] == "John Smithers"
    assert talk.say("yes").endswith("Is there anything else I can do for you?")


def test_no_asks_what_to_change() -> None:
    talk = Talk()
    talk.all([*SALES, "fifty thousand dollars"])
    assert talk.say("no") == "What should I change?"
    talk.say("the budget is sixty thousand")
    assert talk.facts["budget"] == "60000"


def test_a_question_is_put_differently_twice_and_then_a_way_out_is_offered() -> None:
    talk = Talk()
    talk.all(SALES)
    assert talk.say("blah blah") == "Sorry, I didn't get that. Please tell me your budget. A rough amount is enough."
    talk.say("purple elephant")
    assert "or person for a human" in talk.say("blah")
    assert talk.say("skip").endswith("Is that right?")
    assert "budget" not in talk.facts


def test_repeat_and_slower_say_the_last_words_again() -> None:
    talk = Talk()
    question = talk.say("we need a new phone system")
    assert talk.say("pardon") == question
    assert talk.say("what did you say") == question
    assert "." in talk.say("slower please")


def test_facts_are_told_and_what_must_not_be_said_is_not() -> None:
    talk = Talk()
    talk.say(SALES[0])
    hours = talk.say("what are your opening hours")
    assert "nine to five" in hours
    assert "name" in hours, "the conversation goes on where it was"
    price = talk.say("how much does it cost")
    assert "can't quote prices" in price
    assert "person" in price


def test_a_ticket_number_is_keyed_in_or_spoken_and_steps_are_offered() -> None:
    steps = "Steps:\n- internet, wifi: Unplug the router.\n- Restart your computer."
    talk = Talk("support", steps, "This is support. What is wrong?")
    talk.say("my internet connection is not working")
    assert "4 1 7 2" in talk.say("[keypad] 4172")
    assert talk.facts["ticket_number"] == "4172"
    assert "Restart your computer." in talk.say("no")
    assert talk.say("yes it works now").startswith("I'm glad.")
    assert talk.facts["solved"] is True


def test_a_number_that_was_keyed_in_out_of_sight_is_neither_asked_for_again_nor_read_back() -> None:
    talk = Talk("support", "", "This is support. What is wrong?")
    talk.tools[0] = {"type": "function", "function": save_schema(definition("support"), sealed=True)}
    assert "Could you key in your ticket number" in talk.say("my internet connection is not working")
    answer = talk.say("[keypad: ticket number entered]")
    assert answer.startswith("Thank you. Let me read that back.")
    assert "Your ticket number is as you keyed it in." in answer
    assert "ticket_number" not in talk.facts, "it is saved where the model sees nothing of it"
    assert talk.say("[keypad: ticket number entered]") == "Thank you. Is the rest right?"
    assert "noted everything" in talk.say("yes")


def test_keys_out_of_sight_that_were_not_saved_are_told() -> None:
    talk = Talk("support", "", "This is support. What is wrong?")
    for what in ("ticket number couldn't be saved", "keys that nothing was asked for"):
        assert talk.say(f"[keypad: {what}]").startswith("I'm sorry, I couldn't save that.")
    assert not talk.facts


def test_a_caller_without_a_ticket_number_goes_on() -> None:
    talk = Talk("support", "", "This is support. What is wrong?")
    talk.say("the phones are down")
    assert "right?" in talk.say("i don't have one")
    assert "ticket_number" not in talk.facts


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("please connect me to support", "support"), ("put me through to billing please", "billing"),
        ("can i speak to support", "support"), ("we need a person", None), ("connect me to a person", None),
        ("our support phone is broken", None), ("i want to talk to sales", None),
    ],
)  # fmt: skip
def test_who_asks_for_somebody_by_name_is_put_through(words: str, name: str | None) -> None:
    talk = Talk()
    to = {"type": "object", "properties": {"to": {"type": "string", "enum": ["support", "billing"]}}}
    talk.tools.append({"type": "function", "function": {"name": "transfer_call", "description": "", "parameters": to}})
    answer = reply([*talk.messages, {"role": "user", "content": words}], talk.tools)
    called = {call.tool: call.arguments for call in answer.calls}
    assert called.get("transfer_call") == ({"to": name} if name else None)


def test_a_tool_that_fails_is_told() -> None:
    talk = Talk(saved="error: it couldn't be saved")
    assert "couldn't save" in talk.say(SALES[0])


def test_without_any_message_it_introduces_itself_as_automated() -> None:
    talk = Talk(greeting="")
    assert "automated" in reply(talk.messages, talk.tools).text


def test_the_prompt_chooses_what_is_asked() -> None:
    talk = Talk(system="Ask: budget")
    assert talk.say("hello").endswith("What is your budget?")
    assert talk.say("ten thousand").endswith("Is that right?")


@pytest.mark.parametrize(
    ("schema", "words", "value"),
    [
        ({"plan": {"type": "string", "enum": ["basic", "pro_max"], "description": "your plan"}}, "the pro max", "pro_max"),
        ({"plan": {"type": "string", "enum": ["basic", "pro"], "description": "your plan"}}, "second one", "pro"),
        ({"email": {"type": "string", "description": "your email"}}, "anna dot smith at acme dot com",
         "anna.smith@acme.com"),
        ({"pin": {"type": "string", "pattern": "^[0-9]{4}$", "description": "your pin"}}, "one two three four", "1234"),
        ({"name": {"type": "string", "description": "the caller's name"}}, "s m i t h", "Smith"),
        ({"guests": {"type": "integer", "description": "number of guests"}}, "a dozen", 12),
        ({"vegan": {"type": "boolean", "description": "vegan food"}}, "yes please", True),
    ],
)  # fmt: skip
def test_anybodys_tool_is_filled_in(schema: dict[str, object], words: str, value: object) -> None:
    form = {"name": "book", "parameters": {"type": "object", "properties": schema, "required": list(schema)}}
    offered = [{"type": "function", "function": form}]
    first = reply([{"role": "system", "content": ""}], offered).text
    messages = [{"role": "assistant", "content": first}, {"role": "user", "content": words}]
    answer = reply(messages, offered)
    assert dict(answer.told) == {next(iter(schema)): value}
    assert answer.text.endswith("Is that right?")


@given(st.lists(st.text(max_size=40), max_size=4), st.sampled_from(["sales", "support"]))
def test_any_words_get_an_answer_and_the_same_one_again(lines: list[str], agent: str) -> None:
    talk, again = Talk(agent), Talk(agent)
    for line in lines:
        if "end_call" in talk.called:
            break
        answer = talk.say(line)
        assert answer
        assert again.say(line) == answer


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)))  # fmt: skip
def test_any_schema_is_read(schema: object) -> None:
    tool = {"type": "function", "function": {"name": "t", "parameters": {"type": "object", "properties": schema}}}
    reply([{"role": "user", "content": "hello"}], [tool])


@pytest.mark.parametrize(
    "words", ["are you a robot", "are you human", "are you a real person", "am i talking to a machine", "who are you"]
)
def test_it_says_that_it_is_automated_when_asked(words: str) -> None:
    talk = Talk()
    talk.say(SALES[0])
    answer = talk.say(words)
    assert "automated" in answer
    assert "ask_for_person" not in talk.called
    assert "name" in answer, "the conversation goes on where it was"


def test_each_time_a_question_is_put_in_other_words() -> None:
    talk = Talk()
    talk.all(SALES)
    put = [talk.say("blah blah") for _ in range(3)]
    assert len(set(put)) == 3


def test_bye_at_the_read_back_ends_the_call() -> None:
    talk = Talk()
    talk.all([*SALES, "fifty thousand dollars"])
    assert talk.say("yes goodbye").endswith("Goodbye.")
    assert talk.called[-1] == "end_call"


def test_noise_is_no_name() -> None:
    talk = Talk()
    talk.say(SALES[0])
    talk.say("zzz of the")
    assert "name" not in talk.facts


def test_the_shipped_support_offers_only_the_steps_that_fit() -> None:
    talk = Talk("support", definition("support").instructions, "This is support. What is wrong?")
    talk.say("my internet connection is not working")
    first = talk.say("[keypad] 4172")
    assert "router" in first
    second = talk.say("no")
    assert "slow, crashed" not in second
    assert "right?" in second, "no other step is about the internet"


def test_a_tool_that_wants_everything_is_called_once_when_all_is_known_and_confirmed() -> None:
    properties = {
        "day": {"type": "string", "description": "the day"},
        "guests": {"type": "integer", "description": "how many people will come"},
        "note": {"type": ["string", "null"], "description": "a note, optional"},
    }
    form = {"name": "book", "parameters": {"type": "object", "properties": properties, "required": ["day", "guests"]}}
    talk = Talk(system="", greeting="")
    talk.tools = [{"type": "function", "function": form}]
    assert talk.say("hello") == "What is the day?"
    assert talk.say("friday") == "I see. How many people will come?" or talk.called == []
    read_back = talk.say("four")
    assert read_back.endswith("Is that right?")
    assert talk.called == []
    assert talk.say("no there are five people").endswith("Is the rest right?")
    assert talk.called == []
    calls = reply([*talk.messages, {"role": "user", "content": "yes"}], talk.tools).calls
    assert [dict(call.arguments) for call in calls] == [{"day": "friday", "guests": 5, "note": None}]


@pytest.mark.parametrize(
    "words",
    [
        *("this is an emergency", "Help! It's an emergency!", "emergency", "please call an ambulance"),
        *("we need the fire department", "there's a fire", "fire", "my house is on fire", "call nine one one"),
        *("I think my father has a heart attack", "he has a gun", "somebody's got a knife", "she can't breathe"),
        *("I want to kill myself", "send the police", "he is bleeding", "my wife is unconscious", "call 911 please"),
        *("I've been in an accident", "my baby isn't breathing", "he stopped breathing", "I have chest pains"),
        *("my house is burning", "I can smell gas", "I'm in danger", "someone is hitting me", "my husband collapsed"),
        *("there's a burglar in my house", "I took too many pills", "I want to die", "call 9 1 1", "I'm trapped"),
    ],
)
@pytest.mark.parametrize("said", [["hello"], ["i'd like a quote for phones", "Ada Byron"]])
def test_who_is_in_danger_is_told_at_once_to_hang_up_and_dial(words: str, said: list[str]) -> None:
    talk = Talk()
    talk.all(said)
    answer = talk.say(words)
    assert answer.startswith("If somebody is in danger, please hang up now and dial your emergency number")
    assert "?" not in answer, "nothing else is asked"


@pytest.mark.parametrize(
    "words",
    [
        *("this is not an emergency", "it isn't an emergency", "the firewall is blocking our phones", "I was fired"),
        *("we sell fire alarms", "our ambulance service has forty phones", "my phone's battery is dying"),
        *("nobody is in danger", "my ticket is being followed up", "I need a doctor's note", "the server collapsed"),
        *("we sell burglar alarms", "my order has not been followed up", "our numbers are hurt by the outage"),
        *("the emergency exit light is broken", "we work for the police department", "I'd like to talk to a person"),
    ],
)
def test_who_is_in_no_danger_goes_on(words: str) -> None:
    assert "hang up now" not in Talk().say(words)
