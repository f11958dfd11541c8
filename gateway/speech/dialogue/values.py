"""Facts in what a caller says: the answer to a question, and what is told without being asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.speech.dialogue import numbers
from gateway.speech.dialogue.tools import Kind, Property

Value = str | int | bool | list[str]

_NAME_LEAD = r"(?:my (?:full )?name is|my name's|the name is|name is|name's|this is|i am|i'm|call me|it is|it's)"
_NAME_TOLD = re.compile(r"\b(?:my (?:full )?name is|my name's|the name is|this is|call me) (.+)")
_COMPANY_LEAD = (
    r"(?:(?:i work|i am working|i'm working|working) (?:for|at|with)|(?:i am|i'm|we are|we're|calling) (?:from|at|with)"
    r"|(?:my|our|the) company(?:'s name)?(?: name)? is(?: called)?|(?:the )?company(?: name)? is|we are|we're|it's called"
    r"|called|the name is|name is|it is|it's|from|at)"
)
_COMPANY_TOLD = re.compile(
    r"\b(?:i work (?:for|at)|(?:i am|i'm|we are|we're|calling) (?:from|with)|(?:my|our|the) company(?:'s name)?"
    r"(?: name)? is(?: called)?)\s+(.+)"
)
_FROM = re.compile(
    r"\s(?:and i work (?:for|at)|i work (?:for|at)|and i(?:'m| am) (?:from|with)|calling from|from|at|with|of) "
)
_TEAM_TOLD = re.compile(r"\b((?:[a-z0-9' ]+?) )?(?:people|employees|persons|users|seats|agents|team members|of us)\b")
_MONEY_TOLD = re.compile(r"\b(?:budget|dollars|euros|pounds|bucks|spend)\b|\$")
_STOP = frozenset(
    [
        "a",
        "an",
        "the",
        "and",
        "or",
        "but",
        "to",
        "of",
        "in",
        "on",
        "for",
        "with",
        "is",
        "are",
        "was",
        "be",
        "been",
        "have",
        "has",
        "had",
        "do",
        "does",
        "did",
        "not",
        "no",
        "yes",
        "need",
        "want",
        "would",
        "like",
        "could",
        "can",
        "please",
        "what",
        "when",
        "where",
        "why",
        "how",
        "who",
        "that",
        "this",
        "it",
        "i",
        "we",
        "you",
        "they",
        "he",
        "she",
        "me",
        "us",
        "them",
        "my",
        "our",
        "your",
    ]
)
_TITLES = frozenset({"mister", "mr", "missus", "mrs", "miss", "ms", "doctor", "dr"})
_WANT = re.compile(
    r"^(?:(?:yes|yeah|hi|hello|hey|so|okay|ok|no|actually|and|because) )*"
    r"(?:(?:i|we) (?:need|want|would like|'d like)(?: to)?|(?:i'd|we'd) like(?: to)?|(?:i am|i'm|we are|we're) (?:looking for|"
    r"calling about|interested in)|the problem is(?: that)?|i have a problem with|it's about|it is about) "
)
_OPENERS = re.compile(
    r"^(?:(?:yes|yeah|yep|no|nope|okay|ok|so|well|actually|sorry|i mean|i meant|hi|hello|hey|sure|and) )+"
)


def answer(wanted: Property, text: str) -> Value | None:
    """The answer to the question for `wanted`, in words as `phrases.plain` gives them; None when it isn't one."""
    words = text.split()
    match wanted.kind:
        case Kind.CHOICE:
            return _choice(wanted.choices, text)
        case Kind.YES_NO:
            return None  # the policy knows yes and no
        case Kind.NUMBER:
            return _count(text)
        case Kind.MONEY:
            money = numbers.amount(words)
            return None if money is None else money if wanted.number else str(money)
        case Kind.DIGITS:
            found = numbers.digits(words)
            return found if len(found) >= (wanted.length or 1) else None
        case Kind.EMAIL:
            return _email(text)
        case Kind.NAME:
            return _name(re.sub(rf"^(?:.*\b)?{_NAME_LEAD}\s+", "", _OPENERS.sub("", text)))
        case Kind.COMPANY:
            return _company(re.sub(rf"^(?:.*?\b)?{_COMPANY_LEAD}\s+", "", _OPENERS.sub("", text)))
        case Kind.WORDS:
            told = _WANT.sub("", text)
            return ([told] if wanted.items else told) if len(told) > 2 else None


def told(properties: Iterable[Property], text: str) -> dict[str, Value]:
    """What the words tell by themselves, whatever was asked: "my name is …", "twenty people", "from Acme"."""
    found: dict[str, Value] = {}
    for one in properties:
        value = _TOLD[one.kind](text, one) if one.kind in _TOLD else None
        if value is not None:
            found[one.name] = value
    return found


def _told_name(text: str, _: Property) -> Value | None:
    hit = _NAME_TOLD.search(text)
    return _name(hit[1]) if hit else None


def _told_company(text: str, _: Property) -> Value | None:
    if hit := _COMPANY_TOLD.search(text):
        return _company(hit[1])
    named = _NAME_TOLD.search(text)
    parts = _FROM.split(named[1], maxsplit=1) if named else []
    return _company(parts[1]) if len(parts) == 2 else None


def _told_count(text: str, wanted: Property) -> Value | None:
    if not re.search(r"team|people|users|seats|employees|size", f"{wanted.name} {wanted.noun}"):
        return None
    hit = _TEAM_TOLD.search(text)
    return numbers.amount(hit[1].split()[-6:]) if hit and hit[1] else None


def _told_money(text: str, wanted: Property) -> Value | None:
    if not _MONEY_TOLD.search(text):
        return None
    money = numbers.amount(text.split())
    return None if money is None else money if wanted.number else str(money)


_TOLD = {Kind.NAME: _told_name, Kind.COMPANY: _told_company, Kind.NUMBER: _told_count, Kind.MONEY: _told_money}


def _name(text: str) -> str | None:
    head, *rest = _FROM.split(f" {text} ", maxsplit=1)
    if rest and all(word in _STOP for word in rest[0].split()):
        return None
    head = head.strip()
    words = [word for word in re.split(r" and ", head)[0].split() if word not in _TITLES]
    if len(words) >= 3 and all(len(word) == 1 for word in words):
        return "".join(words).title()
    if not words or len(words) > 3 or any(word in _STOP or not word[0].isalpha() for word in words):
        return None
    return " ".join(word.title() if "'" not in word else word.capitalize() for word in words)


def _company(text: str) -> str | None:
    words = re.split(r" (?:and (?:i|we|my|our)|we|i) ", text)[0].split()
    while words and words[0] in ("a", "an", "the", "is", "called"):
        words = words[1:]
    if not words or len(words) > 6 or all(word in _STOP for word in words):
        return None
    return " ".join(word if word in ("and", "of", "the") else word.capitalize() for word in words)


def _count(text: str) -> int | None:
    if re.search(r"\b(?:just|only) (?:me|myself)\b|\bmyself\b", text):
        return 1
    return numbers.amount(text.split())


def _choice(choices: tuple[str, ...], text: str) -> str | None:
    spoken = {one: " ".join(re.findall(r"[a-z0-9']+", one.lower().replace("_", " "))) for one in choices}
    hits = [one for one, words in spoken.items() if re.search(rf"\b{re.escape(words)}\b", text)]
    if len(hits) == 1:
        return hits[0]
    order = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": len(choices) - 1}
    places = [place for word, place in order.items() if re.search(rf"\b{word}\b", text) and place < len(choices)]
    return choices[places[0]] if len(places) == 1 and not hits else None


def _email(text: str) -> str | None:
    joined = re.sub(r"\s*\bat\b\s*", "@", text, count=1)
    joined = re.sub(r"\s*\b(?:dot|point)\b\s*", ".", joined)
    joined = re.sub(r"\s*\b(?:dash|hyphen|minus)\b\s*", "-", joined)
    hit = re.search(r"([\w.+-]+(?: \w)*)@((?:[\w-]+ ?)+\.[a-z]{2,})", joined)
    return f"{hit[1]}@{hit[2]}".replace(" ", "") if hit else None
