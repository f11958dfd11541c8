"""How an agent goes on with a conversation that another job has lost. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.words.lines import Say, line_of
from gateway.terms.kept import Kept
from gateway.terms.keys import PERSON
from gateway.terms.turn import Speaker, Turn

_ASIDE = (Say.AGAIN, Say.BACK, Say.AGAIN_PLEASE, Say.STILL_THERE, Say.STILL_THERE_AGAIN, Say.TIME_NEARLY_UP)
"""What is said beside the conversation: it asks for nothing that was asked."""
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


@dataclass(frozen=True, slots=True)
class Ask:
    """Say this: the last question again, for the most part. What the caller said to it, nobody has heard."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The caller has said something that wasn't answered."""

    words: str = ""
    """What became no turn; "" where the last turn is the caller's."""


@dataclass(frozen=True, slots=True)
class GetPerson:
    """The caller has pressed 0, and nobody was got for them."""


def pick_up(kept: Kept, language: str, *, notice: str, greeting: str) -> Ask | Answer | GetPerson:
    """What to say once the caller has heard that they were lost for a moment. `notice` and `greeting`: of the first
    words, of which they may have heard only a part."""
    if kept.unanswered:
        return Answer(kept.unanswered)
    turns = conversation(kept.turns, language)
    if _wants_person(turns):
        return GetPerson()
    if turns and turns[-1].speaker is not Speaker.AGENT:
        return Answer()
    said = [turn.text.reveal() for turn in turns if turn.speaker is Speaker.AGENT]
    if not said:
        return Ask(f"{notice} {request(greeting)}".strip())
    return Ask(request(said[-1]) or line_of(Say.AGAIN_PLEASE, language))


def _wants_person(turns: Sequence[Turn]) -> bool:
    """Whether 0 was pressed last, and nothing has begun to be said since. What it broke off may be told after it."""
    pressed = next((one for one in reversed(turns) if one.speaker is not Speaker.AGENT), None)
    if pressed is None or (pressed.speaker, pressed.text.reveal()) != (Speaker.KEYPAD, PERSON):
        return False
    return all(one.seq <= pressed.seq or (one.interrupted and one.at <= pressed.at) for one in turns)


def conversation(turns: Sequence[Turn], language: str) -> Sequence[Turn]:
    """The turns without what was said beside the conversation."""
    aside = {line_of(say, language) for say in _ASIDE}
    return [turn for turn in turns if turn.speaker is not Speaker.AGENT or turn.text.reveal() not in aside]


def request(said: str) -> str:
    """What the words ask for: their last question; the last sentence of words without one."""
    sentences = [one for one in _SENTENCE.split(said.strip()) if one]
    questions = [one for one in sentences if one.endswith("?")]
    return (questions or sentences or [""])[-1]
