"""How the model puts things: questions, acknowledgements, reading back. Pure.

Every question has a fixed text, so that the conversation's stage can be read off the last thing that was said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gateway.speech.dialogue.tools import Kind, Property
from gateway.speech.dialogue.values import Value

CONFIRM = "Is that right?"
CHANGED = "Is the rest right?"
CHANGE = "What should I change?"
MORE = "Is there anything else I can do for you?"
HELPED = "Did that help?"
GOODBYE = "Thank you for calling. Goodbye."
AUTOMATED = "I'm an automated assistant, not a person."
DANGER = (
    "If somebody is in danger, please hang up now and dial your emergency number, such as 9 1 1 or 1 1 2. "
    "I can't call for help from here."
)
NO_PERSON = "I'm sorry, I can't reach a person from here."
OFFER_PERSON = "If you'd rather talk to a person, say person or press zero."
BEYOND = "I'm afraid I can't help with that myself."
MISSED = "Sorry, I didn't get that."
MISSED_AGAIN = "I'm sorry, I still didn't get it. Say skip to go on, or person for a human."
ENTERED = "as you keyed it in"
"""What stands for a value that was keyed in out of the model's sight."""
FAILED = "I'm sorry, I couldn't save that."


def question(one: Property) -> str:
    """The first question for a property."""
    if one.question:
        return one.question
    noun = one.noun
    if one.kind is Kind.CHOICE:
        return f"What is {noun}: {_either(one.choices)}?"
    if one.kind is Kind.YES_NO:
        return f"{noun[:1].upper()}{noun[1:]}: yes or no?"
    if re.match(r"how (?:many|much|long|often)\b(?: \w+)? (?:are|is|do|does|did|will|can|would)\b", noun):
        return f"{noun[:1].upper()}{noun[1:]}?"
    if re.match(r"(?:what|when|where|who|which|why|how)\b", noun):
        return f"Could you tell me {noun}?"
    keyed = " You can say it or key it in." if one.kind is Kind.DIGITS else ""
    return f"What is {noun}?{keyed}"


def again(one: Property, tries: int = 1) -> str:
    """The question, put differently; once more differently from the second try on."""
    if tries > 1:
        return f"In other words, I'd like to know {one.noun}.{_hint(one)}"
    return one.again or f"Please tell me {one.noun}.{_hint(one)}"


def _hint(one: Property) -> str:
    return {
        Kind.NAME: " Just the name, please.",
        Kind.COMPANY: " Just the name, please.",
        Kind.NUMBER: " A number is enough.",
        Kind.MONEY: " A rough amount is enough.",
        Kind.DIGITS: " Digit by digit, or on the keypad.",
        Kind.CHOICE: f" It's {_either(one.choices)}." if one.choices else "",
        Kind.YES_NO: " Yes or no?",
    }.get(one.kind, " In a few words.")


def acknowledged(one: Property | None, value: Value | None) -> str:
    """What is said once a fact is known."""
    if one is None or value is None or value == ENTERED:
        return "Thank you."
    match one.kind:
        case Kind.NAME:
            return f"Thank you, {str(value).split()[0]}."
        case Kind.DIGITS | Kind.NUMBER | Kind.MONEY | Kind.EMAIL:
            return f"Got it, {shown(one, value)}."
        case Kind.COMPANY:
            return f"{value}, thank you."
        case _:
            return "I see."


def shown(one: Property, value: Value) -> str:
    """A value as it is read out."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if one.kind is Kind.DIGITS and value != ENTERED:
        return " ".join(str(value))
    if one.kind is Kind.EMAIL:
        return str(value).replace("@", " at ").replace(".", " dot ")
    return ", ".join(value) if isinstance(value, list) else str(value)


def read_back(properties: Sequence[Property], facts: Mapping[str, Value]) -> str:
    """Everything that is known, as one passage."""
    parts = [_told(one, facts[one.name]) for one in properties if one.name in facts and not one.outcome]
    return f"Let me read that back. {' '.join(parts)}" if parts else ""


def slower(text: str) -> str:
    """The same, with a pause after every clause."""
    return re.sub(r"(\d) (?=\d)", r"\1, ", re.sub(r"[,;:] ", ". ", text))


def _told(one: Property, value: Value) -> str:
    said = shown(one, value)
    if one.noun.startswith("how many"):
        rest = re.sub(r"^how many (\w+) (?:are|is) (.*)$", rf"{said} \1 \2.", one.noun)
        return rest[:1].upper() + rest[1:] if rest != one.noun else f"{one.noun[:1].upper()}{one.noun[1:]}: {said}."
    if one.noun.startswith("what "):
        return f"{one.noun[:1].upper()}{one.noun[1:]}: {said}."
    return f"{one.noun[:1].upper()}{one.noun[1:]} is {said}."


def _either(choices: Sequence[str]) -> str:
    spoken = [one.replace("_", " ") for one in choices]
    return " or ".join([", ".join(spoken[:-1]), spoken[-1]]) if len(spoken) > 1 else "".join(spoken)
