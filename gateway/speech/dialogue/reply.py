"""What the model answers: words, tool calls, or both. Pure: the same request always gets the same answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.speech.dialogue import spoken, values
from gateway.speech.dialogue.correcting import corrections, named
from gateway.speech.dialogue.numbers import digits
from gateway.speech.dialogue.onward import closing, onward, opening
from gateway.speech.dialogue.phrases import Means, means
from gateway.speech.dialogue.results import failed, to_say
from gateway.speech.dialogue.talk import Stage, Talk, read
from gateway.speech.dialogue.tools import Kind, Property
from gateway.speech.dialogue.values import Value
from gateway.terms.danger import in_danger

_ASK_TWICE = 2
LEAST_DIGITS = 2
"""Digits that make "I don't have one" a number after all."""
_PRESSED = re.compile(r"^(?:\[keypad\]|dtmf:)?\s*([\d*#\s]+)$", re.IGNORECASE)


_HIDDEN = "[keypad:"
"""Begins a message that tells of keys without telling them."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that is to be called."""

    tool: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    told: Mapping[str, Value] = field(default_factory=dict)
    """Facts of a closed form, which is called once it is complete and confirmed."""


def reply(messages: Sequence[Mapping[str, object]], offered: Sequence[Mapping[str, object]]) -> Reply:
    """Answer a request: its `messages` and `tools`, as OpenAI's API has them."""
    talk = read(messages, offered)
    if talk.tools.form is not None and talk.tools.form.closed:
        talk = read(messages, offered, _unsaved(messages, offered))
    if not talk.said:
        return Reply(opening(talk))
    match talk.said[-1].role:
        case "user":
            return _answer(talk)
        case "tool":
            return _after_tools(talk)
        case _:
            return Reply(onward(talk))


def _unsaved(messages: Sequence[Mapping[str, object]], offered: Sequence[Mapping[str, object]]) -> Mapping[str, Value]:
    """What the caller has told before the last message, found by answering each of their messages again."""
    facts: dict[str, Value] = {}
    for place, message in enumerate(messages[:-1]):
        if message.get("role") == "user":
            facts |= _answer(read(messages[: place + 1], offered, facts)).told
    return facts


def _answer(talk: Talk) -> Reply:
    """Answer the caller."""
    pressed = _PRESSED.match(talk.said[-1].text.strip())
    if pressed:
        return _keyed(talk, re.sub(r"[^\d]", "", pressed[1]))
    if talk.said[-1].text.lower().startswith(_HIDDEN):
        return _hidden(talk)
    words = talk.words
    if not words:
        return _missed(talk)
    if in_danger(words):
        return Reply(spoken.DANGER)
    if means(words, Means.IDENTITY):
        return Reply(f"{spoken.AUTOMATED} {spoken.OFFER_PERSON} {onward(talk)}".strip())
    if name := _wanted(talk, words):
        return Reply(calls=(Call(talk.tools.transfer, {talk.tools.transfer_to: name}),))
    if means(words, Means.PERSON):
        return _person(talk, "the caller asked for a person")
    if means(words, Means.CALLBACK) and talk.tools.message:
        return _person(talk, "the caller wants to be called back")
    offered = "message" in talk.last.lower() and "message" in words.split()
    if talk.tools.message and (offered or means(words, Means.MESSAGE)):
        return Reply(calls=(Call(talk.tools.message, {}),))
    if means(words, Means.SLOWER):
        return Reply(spoken.slower(talk.last) or onward(talk))
    if means(words, Means.REPEAT):
        return Reply(talk.last or onward(talk))
    if refused := talk.prompt.refusal(words):
        return Reply(f"I'm sorry, I can't {refused}. {spoken.OFFER_PERSON} {onward(talk)}".strip())
    if fact := _asked_fact(talk, words):
        return Reply(f"{fact} {onward(talk)}".strip())
    return _BY_STAGE[talk.stage](talk, words)


def _wanted(talk: Talk, words: str) -> str:
    """Whom the caller wants to be put through to; "" for nobody whom that may be."""
    asks = re.search(
        r"\b(?:put|connect|transfer|pass)\b.*\b(?:to|with|through)\b|\b(?:speak|talk) (?:to|with)\b", words
    )
    said = set(words.split())
    return next((one for one in talk.tools.names if asks and set(re.split(r"[\W_]+", one.lower())) <= said), "")


def _asked_fact(talk: Talk, words: str) -> str:
    asks = re.match(
        r"(?:(?:and|but|so|okay|ok|um) )*(?:what|when|where|who|which|how|do|does|are|is|can|could|tell me)\b", words
    )
    return talk.prompt.fact(words) if asks else ""


def _open(talk: Talk, words: str) -> Reply:
    told = values.told(talk.properties, words)
    if told:
        first = talk.asked
        if first is not None and first.name not in talk.facts and len(words.split()) > 6:
            told = {first.name: values.answer(first, words) or words, **told}
        return _save(talk, told)
    if means(words, Means.BYE):
        return _bye(talk)
    if means(words, Means.GREETING) or means(words, Means.YES):
        return Reply(onward(talk))
    first = talk.asked
    if first is not None and first.name not in talk.facts and len(words.split()) > 1:
        answer = values.answer(first, words)
        if answer is not None:
            return _save(talk, {first.name: answer})
    return Reply(onward(talk)) if talk.missing else _missed(talk)


def _ask(talk: Talk, words: str) -> Reply:
    one = talk.asked
    if one is None:
        return _open(talk, words)
    if means(words, Means.BYE) and values.answer(one, words) is None or re.search(r"\bgood ?bye\b", words):
        return _bye(talk)
    told = values.told(talk.properties, words)
    if one.kind is Kind.YES_NO and one.name not in told and (yes := _yes_no(words)) is not None:
        told = {one.name: yes, **told}
    if (
        means(words, Means.SKIP)
        and not told
        and (one.kind is not Kind.DIGITS or len(digits(words.split())) < LEAST_DIGITS)
    ):
        return Reply(onward(_without(talk, one), "No problem."))
    if one.name not in told and (not told or one.kind is Kind.WORDS):
        answer = None if _only_yes_or_no(words) else values.answer(one, words)
        if answer is not None and not (told and one.kind is Kind.WORDS and not told.keys() - {one.name}):
            told = {one.name: answer, **told}
    if told:
        return _save(talk, told)
    if one.kind is Kind.DIGITS and means(words, Means.NO):
        return Reply(onward(_without(talk, one), "No problem."))
    return _missed(talk)


def _step(talk: Talk, words: str) -> Reply:
    outcome = next((one for one in talk.properties if one.outcome), None)
    yes = _yes_no(words)
    if yes is None and re.search(r"\b(?:work(?:s|ed|ing)?|better|fixed|helped|solved)\b", words):
        yes = not re.search(r"\b(?:not|no|n't|doesn't|didn't|isn't|still)\b", words)
    if yes is None and means(words, Means.BYE):
        return _bye(talk)
    if yes is None:
        return Reply(f"{spoken.MISSED} {spoken.HELPED}")
    if yes:
        return _save(talk, {outcome.name: True}) if outcome else Reply(f"I'm glad. {closing(talk)}")
    return Reply(onward(talk, "I'm sorry to hear that."))


def _confirm(talk: Talk, words: str) -> Reply:
    told = corrections(talk, words)
    if told:
        return _save(talk, told)
    if means(words, Means.NO) and not means(words, Means.BYE):
        one = named(talk, words)
        return Reply(spoken.question(one) if one else spoken.CHANGE)
    if means(words, Means.YES) or means(words, Means.BYE):
        return _confirmed(talk, words)
    return Reply(f"{spoken.MISSED} {spoken.CONFIRM}")


def _confirmed(talk: Talk, words: str) -> Reply:
    form = talk.tools.form
    if form is not None and form.closed and not talk.called:
        return Reply(calls=(Call(form.tool, {one.name: talk.facts.get(one.name) for one in form.properties}),))
    if means(words, Means.BYE):
        return _bye(talk)
    if talk.tools.hand_over and not any(name == talk.tools.hand_over for one in talk.said for name, _ in one.calls):
        return Reply(calls=(Call(talk.tools.hand_over, {"reason": "all that was asked for is known"}),))
    return Reply(closing(talk))


def _change(talk: Talk, words: str) -> Reply:
    told = corrections(talk, words)
    if told:
        return _save(talk, told)
    if means(words, Means.NO) or means(words, Means.BYE):
        return _confirmed(talk, words)
    one = named(talk, words)
    return Reply(spoken.question(one) if one else f"{spoken.MISSED} {spoken.CHANGE}")


def _more(talk: Talk, words: str) -> Reply:
    if means(words, Means.NO) or means(words, Means.BYE) or means(words, Means.SKIP):
        return _bye(talk)
    told = corrections(talk, words)
    if told:
        return _save(talk, told)
    if means(words, Means.YES):
        return Reply(f"Please tell me. {spoken.OFFER_PERSON}")
    return Reply(f"{spoken.BEYOND} {spoken.OFFER_PERSON} {spoken.MORE}")


_BY_STAGE = {
    Stage.OPEN: _open,
    Stage.ASK: _ask,
    Stage.STEP: _step,
    Stage.CONFIRM: _confirm,
    Stage.CHANGE: _change,
    Stage.MORE: _more,
}


def _keyed(talk: Talk, keys: str) -> Reply:
    one = talk.asked if talk.asked and talk.asked.kind is Kind.DIGITS else None
    if keys == "0" and not one:
        return _person(talk, "the caller pressed 0")
    one = one or next((each for each in talk.wanted if each.kind is Kind.DIGITS), None)
    if one is None or not keys:
        return Reply(f"{spoken.OFFER_PERSON} {onward(talk)}")
    if one.length and len(keys) != one.length:
        return Reply(f"That has {len(keys)} digits. {spoken.again(one)}")
    return _save(talk, {one.name: keys})


def _hidden(talk: Talk) -> Reply:
    """Answer keys that went to their tool alone."""
    entered = talk.entered(talk.said[-1])
    if entered is None:
        return Reply(f"{spoken.FAILED} {spoken.OFFER_PERSON}")
    thanks = spoken.acknowledged(entered, spoken.ENTERED)
    return Reply(f"{thanks} {spoken.CHANGED}" if talk.read and not talk.missing else onward(talk, thanks))


def _person(talk: Talk, reason: str) -> Reply:
    if not talk.tools.person:
        return Reply(f"{spoken.NO_PERSON} {onward(talk)}")
    arguments = {talk.tools.person_reason: reason} if talk.tools.person_reason else {}
    return Reply(calls=(Call(talk.tools.person, arguments),))


def _bye(talk: Talk) -> Reply:
    calls = (Call(talk.tools.end, {}),) if talk.tools.end else ()
    return Reply(spoken.GOODBYE, calls)


def _save(talk: Talk, told: Mapping[str, Value]) -> Reply:
    """Call the form with new facts, or, a closed one that isn't complete, go on asking."""
    form = talk.tools.form
    if form is None:
        return Reply(onward(talk))
    if form.closed and not talk.called:
        return _gathered(talk, told)
    known: dict[str, object] = {one.name: None for one in form.properties} | {
        name: [value] if _items(form.properties, name) and not isinstance(value, list) else value
        for name, value in told.items()
    }
    return Reply(calls=(Call(form.tool, known),))


def _gathered(talk: Talk, told: Mapping[str, Value]) -> Reply:
    """What is said to a fact of a closed form."""
    after = replace(talk, facts={**talk.facts, **told}, latest=tuple(told))
    latest = next((one for one in talk.properties if one.name in told), None)
    thanks = spoken.acknowledged(latest, told[latest.name]) if latest else ""
    if talk.read and after.missing is None:
        return Reply(f"{thanks} {spoken.CHANGED}".strip(), told=told)
    return Reply(onward(after, thanks), told=told)


def _items(properties: Sequence[Property], name: str) -> bool:
    return any(one.items for one in properties if one.name == name)


def _after_tools(talk: Talk) -> Reply:
    """Go on once the tools have answered."""
    called = next((one.calls for one in reversed(talk.said) if one.calls), ())
    names = {name for name, _ in called}
    results = [one.text for one in talk.said[-len(called) :] if one.role == "tool"] if called else []
    if any(failed(result) for result in results):
        return Reply(f"{spoken.FAILED} {spoken.OFFER_PERSON}")
    said = " ".join(words for result in results if (words := to_say(result)))
    if talk.tools.end in names:
        spoke = any(one.calls and one.text for one in talk.said[-1 - len(called) :])
        return Reply(said or ("" if spoke else spoken.GOODBYE))
    if talk.tools.person in names:
        return Reply(said or f"All right. {onward(talk)}")
    if said:
        return Reply(said)
    if talk.tools.form is not None and talk.tools.form.closed:
        return Reply(closing(talk))
    latest = [one for one in talk.properties if one.name in talk.latest]
    if talk.read and latest and not latest[0].outcome:
        changed = " ".join(f"{spoken.acknowledged(one, talk.facts[one.name])}" for one in latest)
        return Reply(f"{changed} {spoken.CHANGED}" if not talk.missing else onward(talk, changed))
    first = next(
        (one for one in latest if one is talk.asked or one.kind is not Kind.WORDS), latest[0] if latest else None
    )
    thanks = spoken.acknowledged(first, talk.facts.get(first.name) if first else None)
    return Reply(onward(talk, "I'm glad." if latest and latest[0].outcome else thanks))


def _missed(talk: Talk) -> Reply:
    one = talk.asked if talk.stage is Stage.ASK else None
    if one is None:
        return Reply(f"{spoken.MISSED} {onward(talk)}")
    if talk.tries <= _ASK_TWICE:
        return Reply(f"{spoken.MISSED} {spoken.again(one, talk.tries)}")
    return Reply(f"{spoken.MISSED_AGAIN} {spoken.question(one)}")


def _without(talk: Talk, one: Property) -> Talk:
    return replace(talk, skipped=talk.skipped | {one.name})


def _yes_no(words: str) -> bool | None:
    if means(words, Means.NO):
        return False
    return True if means(words, Means.YES) else None


def _only_yes_or_no(words: str) -> bool:
    return len(words.split()) <= 2 and (means(words, Means.YES) or means(words, Means.NO))
