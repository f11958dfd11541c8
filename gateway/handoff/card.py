"""The card that somebody gets whose phone rings for a caller: whose call it is, before the voice. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.terms.delivery import Content
from gateway.terms.number import grouped
from gateway.terms.sealed import is_sealed
from gateway.terms.turn import Speaker, Turn

DECLINE_HERE, TAKE_HERE = "offhook:decline", "offhook:take"
"""Stand in a card for its link, which is made where it is sent: jobs don't know how control is reached. By the one a member
declines, by the other they may take the call in their browser as well."""
QUOTED = 3
"""Of what the caller has said, the last sentences."""
LASTS = 600.0
"""Seconds for which a card is of use to anybody."""
_SPELLED_AT_MOST = 30
_WITHHELD = "withheld"
_NAMED = ("name", "company", "number", "need", "budget", "timeline", "promises")
"""Facts that a card has its own words for; others, as of another agent, are told by their names."""
_IN_HEAD = ("Name", "Company", "Number")
"""What an SMS tells first, in two lines."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who waits."""

    call: str
    number: str = field(repr=False)
    """E.164; "" where it is withheld."""
    facts: Mapping[str, object] = field(repr=False)
    turns: Sequence[Turn] = ()
    reason: str = field(default="", repr=False)
    """Why the agent gives them to a human."""


def card(caller: Caller, *, decline: str = "", take: str = "", phone: bool = True, whose: str = "") -> Content:
    """What it says. `decline`: a link by which whoever has the card can stop their phone ringing, or DECLINE_HERE; "" for a
    team's, that stops nobody's. `take`: the same, by which they can take the call too. `phone`: whether one rings. `whose`:
    the member that the link is for, where others read the card, too."""
    facts = {name: _said(value) for name, value in caller.facts.items()}
    name, company = facts.get("name", ""), facts.get("company", "")
    number = facts.get("number", "") or caller.number
    who = " of ".join(part for part in (name or "Somebody", company) if part)
    title = f"Call for you: {who}"
    more = {_label(key): value for key, value in facts.items() if value and key not in _NAMED}
    parts = {
        "Name": name,
        "Company": f"{company} ({spelled(company)})" if company else "",
        "Number": grouped(number) or _WITHHELD,
        "Need": facts.get("need", ""),
        "Budget": facts.get("budget", ""),
        "When": facts.get("timeline", ""),
        **more,
        "Why now": caller.reason,
        "Promised": facts.get("promises", ""),
    }
    quotes = [turn.text.reveal() for turn in caller.turns if turn.speaker is Speaker.CALLER][-QUOTED:]
    lines = [f"{label}: {value}" for label, value in parts.items() if value]
    lines += ["", *(f'They said: "{quote}"' for quote in quotes)] if quotes else []
    asks = _asks(decline, take, whose)
    lines += ["", *(["Answer your phone and press 1 to take the call."] if phone and not whose else []), *asks]
    short = "\n".join(_short(title, parts, quotes, asks))
    fields: dict[str, object] = {
        "call": caller.call, "name": name or None, "company": company or None, "number": number or None,
        "need": facts.get("need") or None, "budget": facts.get("budget") or None,
        "timeline": facts.get("timeline") or None, "reason": caller.reason or None,
        "more": more, "said": quotes, "promises": facts.get("promises") or None, "decline": take or decline or None,
        "take": take or None,
    }  # fmt: skip
    return Content(title, "\n".join(lines), {"card": fields}, short=short)


def linked(content: Content, link: str) -> Content:
    """The card with the link in its place."""
    told = content.fields.get("card")
    fields = dict(told) if isinstance(told, Mapping) else {}
    here = TAKE_HERE if takes(content) else DECLINE_HERE
    fields |= {name: link for name in ("decline", "take") if fields.get(name)}
    return replace(
        content,
        body=content.body.replace(here, link),
        short=content.short.replace(here, link),
        fields={**content.fields, "card": fields},
    )


def takes(content: Content) -> bool:
    """Whether the link of the card is to take the call."""
    told = content.fields.get("card")
    return isinstance(told, Mapping) and told.get("take") == TAKE_HERE


def _short(title: str, parts: Mapping[str, str], quotes: Sequence[str], asks: Sequence[str]) -> list[str]:
    """For an SMS, which is cut to its length where it is sent: all that is known, a line each."""
    number = parts["Number"] if parts["Number"] != _WITHHELD else "number withheld"
    head = [f"{title}, {number}", *([parts["Company"]] if parts["Company"] else [])]
    known = (f"{label}: {value}" for label, value in parts.items() if value and label not in _IN_HEAD)
    said = ["They said: " + " ".join(f'"{quote}"' for quote in quotes)] if quotes else []
    return [*head, *known, *said, *asks]


def _asks(decline: str, take: str, whose: str) -> list[str]:
    if take and whose:
        return [f"For {whose}, to take it in the browser, or to say that they can't: {take}"]
    if take:
        return [f"Take it in your browser, or say that you can't: {take}"]
    return [f"Can't take it? {decline}"] if decline else []


def spelled(word: str) -> str:
    """Letter by letter, one word after the other: A-C-M-E P-H-O-N-E-S."""
    words = ("-".join(sign for sign in one if sign.isalnum()) for one in word[:_SPELLED_AT_MOST].upper().split())
    return " ".join(one for one in words if one)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _said(value: object) -> str:
    if value is None or isinstance(value, Mapping) or is_sealed(value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
