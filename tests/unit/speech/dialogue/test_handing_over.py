"""The dialogue model where the agent may give its caller to a human."""

from __future__ import annotations

import pytest

from agents.words.tools import HAND_OVER, MESSAGE
from tests.unit.speech.dialogue.test_reply import SALES, Talk


def talk() -> Talk:
    found = Talk()
    found.tools += [{"type": "function", "function": one} for one in (HAND_OVER, MESSAGE)]
    return found


def test_once_the_lead_is_confirmed_the_caller_is_handed_over_once() -> None:
    one = talk()
    one.all([*SALES, "five thousand dollars"])
    assert "hand_over" not in one.called
    one.say("yes that is right")
    assert one.called.count("hand_over") == 1
    one.say("yes")
    assert one.called.count("hand_over") == 1


def test_whoever_says_goodbye_isnt_handed_over() -> None:
    one = talk()
    one.all([*SALES, "five thousand dollars", "that's all goodbye"])
    assert "hand_over" not in one.called


@pytest.mark.parametrize(
    ("words", "tool"),
    [
        ("i would like to leave a message", "leave_message"),
        ("a message please", "leave_message"),
        ("please call me back", "ask_for_person"),
        ("a callback", "ask_for_person"),
    ],
)
def test_what_is_offered_where_nobody_can_be_had_may_be_chosen(words: str, tool: str) -> None:
    one = talk()
    one.messages.append(
        {"role": "assistant", "content": "I can have somebody call you back, or you can leave a message."}
    )
    one.say(words)
    assert one.called == [tool]


def test_without_a_team_a_message_is_a_word_like_others() -> None:
    one = Talk()
    one.say("i would like to leave a message")
    assert "leave_message" not in one.called


def test_a_message_that_was_offered_is_known_by_the_word_alone() -> None:
    one = talk()
    one.messages.append(
        {"role": "assistant", "content": "I can have somebody call you back, or you can leave a message."}
    )
    one.say("i would like to lisa message")
    assert one.called == ["leave_message"]
