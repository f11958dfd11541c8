"""What the model asks next. Pure."""

from __future__ import annotations

from gateway.speech.dialogue import spoken
from gateway.speech.dialogue.talk import Stage, Talk


def onward(talk: Talk, before: str = "") -> str:
    """The next question, after `before`."""
    return f"{before} {_next(talk)}".strip()


def _next(talk: Talk) -> str:
    missing, steps = talk.missing, talk.steps
    ready = bool(steps) and talk.stepped < len(steps) and _stepping(talk)
    if missing is not None and not (ready and talk.stage is Stage.STEP):
        if talk.stage is Stage.ASK and talk.asked is missing and talk.said[-1].role == "user":
            return spoken.again(missing, talk.tries)
        return spoken.question(missing)
    if ready:
        return f"{'Please try this' if not talk.stepped else 'Then try this'}: {steps[talk.stepped]} {spoken.HELPED}"
    if talk.facts and not talk.confirmed and not talk.read:
        return f"{spoken.read_back(talk.properties, talk.facts)} {spoken.CONFIRM}"
    return spoken.MORE


def _stepping(talk: Talk) -> bool:
    """Whether steps make sense: something is wrong, and it isn't solved yet."""
    outcomes = [one.name for one in talk.properties if one.outcome]
    return bool(talk.facts) and not any(talk.facts.get(name) is True for name in outcomes)


def closing(talk: Talk) -> str:
    """Thanks, and whether there is more."""
    return f"{talk.prompt.closing or 'Thank you, I have noted everything.'} {spoken.MORE}"


def opening(talk: Talk) -> str:
    """The greeting, and the first question."""
    if talk.prompt.opening:
        return talk.prompt.opening
    who = f"I'm {talk.prompt.assistant}, an" if talk.prompt.assistant else "I'm an"
    of = f" of {talk.prompt.company}" if talk.prompt.company else ""
    return f"Hello, {who} automated assistant{of}. {_next(talk)}"
