"""The lines of a system prompt that the local model reads (see the package's docstring). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(
    r"^\s*(ask|never|facts|steps|company|assistant|opening|closing)\b\s*(?:\([^)]*\))?\s*:\s*(.*)$", re.IGNORECASE
)
_ITEM = re.compile(r"^\s*[-*•]\s+(.+)$")
_WORD = re.compile(r"[a-z0-9']+")
_COMMON = frozenset(
    [
        "a",
        "an",
        "the",
        "is",
        "are",
        "was",
        "what",
        "when",
        "where",
        "which",
        "who",
        "how",
        "do",
        "does",
        "did",
        "you",
        "your",
        "i",
        "me",
        "my",
        "we",
        "our",
        "it",
        "its",
        "of",
        "to",
        "in",
        "on",
        "at",
        "for",
        "and",
        "or",
        "can",
        "could",
        "would",
        "will",
        "there",
        "any",
        "about",
        "tell",
        "have",
        "has",
        "be",
        "that",
        "this",
        "please",
        "know",
        "with",
        "from",
    ]
)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that the caller may be told."""

    topic: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the prompt says to this model."""

    ask: tuple[str, ...] | None = None
    """Properties to ask for; None when it doesn't say."""
    never: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    steps: tuple[tuple[frozenset[str], str], ...] = ()
    """Topics, of which the caller's words must hold one (none: always), and the step."""
    company: str = ""
    assistant: str = ""
    opening: str = ""
    closing: str = ""

    def fact(self, text: str) -> str:
        """The fact that answers a question; "" for none."""
        asked = _content(text)
        best, score = "", 0.0
        for fact in self.facts:
            topic = len(asked & _content(fact.topic)) / max(1, len(_content(fact.topic)))
            fit = topic + len(asked & _content(fact.sentence)) / 10
            if fit > score and (topic >= 0.5 or len(asked & _content(f"{fact.topic} {fact.sentence}")) >= 2):
                best, score = fact.sentence, fit
        return best

    def refusal(self, text: str) -> str:
        """What the caller asks for and must not get, as the prompt puts it; "" for none."""
        asked = _content(text)
        if asked & _PRICES or re.search(r"\bhow much (?:is|does|do|are|would)\b", text):
            asked |= _PRICES
        return next((one for one in self.never if asked & (_content(one) - _VERBS)), "")


_PRICES = frozenset({"price", "prices", "pricing", "cost", "costs", "charge", "rates"})
_TOPIC_WORDS = 3
"""Words of one topic at the most: more are a sentence with a colon in it."""
_VERBS = frozenset({"quote", "promise", "give", "tell", "offer", "discuss", "mention", "make", "any", "advice"})


def read(text: str) -> Prompt:
    """Read a prompt; other lines are passed over."""
    found: dict[str, list[str]] = {}
    current = ""
    for line in text.splitlines():
        if hit := _LINE.match(line):
            current = hit[1].lower()
            found.setdefault(current, []).extend([hit[2].strip()] if hit[2].strip() else [])
        elif current and (item := _ITEM.match(line)):
            found[current].append(item[1].strip())
        elif line.strip():
            current = ""
    ask = _listed(found["ask"]) if "ask" in found else None
    return Prompt(
        ask=() if ask == ("nothing",) else ask,
        never=_listed(found.get("never", [])),
        facts=tuple(_fact(one) for one in found.get("facts", [])),
        steps=tuple(_step(one) for one in found.get("steps", [])),
        **{name: " ".join(found[name]) for name in ("company", "assistant", "opening", "closing") if name in found},
    )


def _listed(lines: list[str]) -> tuple[str, ...]:
    return tuple(one.strip(" .") for line in lines for one in re.split(r"[;,]", line) if one.strip(" ."))


def _fact(line: str) -> Fact:
    topic, colon, sentence = line.partition(":")
    return Fact(topic.strip(), line if not colon else f"{topic.strip()}: {sentence.strip()}")


def _step(line: str) -> tuple[frozenset[str], str]:
    topics, colon, step = line.partition(":")
    if not colon or any(len(topic.split()) > _TOPIC_WORDS for topic in topics.split(",")):
        return frozenset(), line
    return frozenset(_WORD.findall(topics.lower())), step.strip()


def _content(text: str) -> set[str]:
    return set(_WORD.findall(text.lower())) - _COMMON
