"""`people` and `teams`: who takes calls."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from yaml.nodes import Node

from gateway.dialplan.model import Ref
from gateway.dialplan.numbers import cut_short
from gateway.dialplan.people import RINGS, Person, Rotation, Team
from gateway.dialplan.reading import values
from gateway.dialplan.reading.context import Context
from gateway.dialplan.reading.hours import named_or_own
from gateway.dialplan.reading.missed import digest, escalate, notified
from gateway.dialplan.reading.nodes import Key, Reader
from gateway.dialplan.reading.untaken import untaken
from gateway.dialplan.reading.words import unknown
from gateway.dialplan.when import moment
from gateway.terms.act import RING_BACK

_PERSON = ("call", "browser", "languages", "hours", "notify", "rotate")
_ROTATE = ("every", "from", "order")
_TEAM = (
    "ring",
    "for",
    "members",
    "hours",
    "wrap_up",
    "notify",
    "unanswered",
    "third",
    "ring_back",
    "owner_first",
    "escalate",
    "digest",
    "rotate",
)
_SIP = re.compile(r"^sips?:[^@\s]+@[^@\s]+$")


def people(reader: Reader, node: Node, context: Context) -> list[Person | Rotation]:
    """Everybody of a file."""
    return [
        _person(reader, key, value, context)
        for key, value in reader.mapping(node, "people")
        if values.is_name(reader, key)
    ]


def _person(reader: Reader, name: Key, node: Node, context: Context) -> Person | Rotation:
    given: dict[str, Node] = {}
    for key, value in reader.mapping(node, f"'{name.text}'", hint=f"Write {name.text}: {{call: +1 510 555 0111}}."):
        if key.text in _PERSON:
            given[key.text] = value
        else:
            unknown(reader, key.text, key.place, _PERSON, "for a person")
    if "rotate" in given:
        return rotation(reader, name, given["rotate"], context)
    call = _call(reader, given["call"], context) if "call" in given else ""
    browser = "browser" in given and _browser(reader, given["browser"], name.text)
    if "call" not in given and not browser:
        reader.fault(
            name.place,
            f"'{name.text}' can't be reached.",
            "Add call: with a number, or browser: yes with notify: for the link.",
        )
    languages = reader.texts(given["languages"], "languages") if "languages" in given else []
    hours = named_or_own(reader, f"the person {name.text}", given["hours"], context) if "hours" in given else None
    notify = notified(reader, given["notify"], "notify") if "notify" in given else ()
    return Person(name.text, name.place, call, browser, tuple(text for text, _ in languages), hours, notify)


def _browser(reader: Reader, node: Node, own: str) -> bool:
    """`yes`, `no`, or their own name, which says yes, too."""
    return reader.text(node, "browser") == own or values.yes(reader, node, "browser", default=False)


def _call(reader: Reader, node: Node, context: Context) -> str:
    text = reader.text(node, "call")
    if text is None:
        return ""
    if not context.dialable(reader, node, text):
        return ""
    if _SIP.match(text):
        return text
    if text.casefold().startswith("sip:"):
        reader.fault(node, f"'{text}' names no trunk.", "Write sip:USER@TRUNK, with the name of an outbound trunk.")
    elif wrong := cut_short(text):
        reader.fault(node, *wrong)
    elif not (number := context.e164(text)):
        reader.fault(node, f"'{text}' can't be a telephone number.", "Write it as +1 510 555 0100, or sip:USER@TRUNK.")
    else:
        return number
    return ""


def rotation(reader: Reader, name: Key, node: Node, context: Context) -> Rotation:
    """The people of `{every: 1w, from: …, order: [ana, dee]}` by turns."""
    every, order = timedelta(weeks=1), []
    begins: datetime | None = None
    for key, value in reader.mapping(node, "rotate"):
        match key.text:
            case "every":
                found = values.duration(reader, value, "every", least=3600, most=366 * 86400, default=604800)
                every = timedelta(seconds=found)
            case "from":
                begins = _begins(reader, value, context)
            case "order":
                order = [Ref(text, place) for text, place in reader.texts(value, "order")]
            case _:
                unknown(reader, key.text, key.place, _ROTATE, "in rotate")
    if not order:
        reader.fault(name.place, f"Nobody takes turns in '{name.text}'.", "Add order: [ana, dee].")
        order = [Ref("", name.place)]
    if begins is None:
        begins = datetime(2024, 1, 1, tzinfo=ZoneInfo(context.timezone))  # a Monday
    return Rotation(name.text, name.place, tuple(order), every, begins)


def _begins(reader: Reader, node: Node, context: Context) -> datetime | None:
    text = reader.text(node, "from")
    if text is None:
        return None
    try:
        return moment(text, context.timezone, None)
    except ValueError as bad:
        reader.fault(node, f"{bad}", "Write a date, with a time where turns don't begin at midnight: 2026-11-23 09:00.")
        return None


def teams(reader: Reader, node: Node, context: Context) -> tuple[list[Team], list[Rotation]]:
    """The teams of a file, and the rotations that are written in them."""
    found, rotations = [], []
    for name, value in reader.mapping(node, "teams"):
        if not values.is_name(reader, name):
            continue
        given: dict[str, Node] = {}
        for key, inner in reader.mapping(value, f"The team '{name.text}'"):
            if key.text in _TEAM:
                given[key.text] = inner
            else:
                unknown(reader, key.text, key.place, _TEAM, "in a team")
        members: tuple[Ref, ...] = ()
        if "rotate" in given:
            rotations.append(rotation(reader, name, given["rotate"], context))
            members = (Ref(name.text, name.place),)
        found.append(_team(reader, name, given, members, context))
    return found, rotations


def _team(reader: Reader, name: Key, given: dict[str, Node], turns: tuple[Ref, ...], context: Context) -> Team:
    listed = reader.texts(given["members"], "members") if "members" in given else []
    members = (*turns, *(Ref(text, place) for text, place in listed))
    if not members:
        reader.fault(name.place, f"The team '{name.text}' has nobody.", "Add members: [ana, ben].")
    leads, says = untaken(reader, given["unanswered"], agent=True) if "unanswered" in given else ({}, {})
    return Team(
        name=name.text,
        place=name.place,
        members=members,
        ring=values.one_of(reader, given["ring"], "way to ring", RINGS, "ringall") if "ring" in given else "ringall",
        ring_for=values.duration(reader, given["for"], "for", least=3, most=600, default=20)
        if "for" in given
        else 20.0,
        hours=named_or_own(reader, f"the team {name.text}", given["hours"], context) if "hours" in given else None,
        wrap_up=values.duration(reader, given["wrap_up"], "wrap_up", least=0, most=3600, default=0)
        if "wrap_up" in given
        else 0.0,
        notify=notified(reader, given["notify"], "notify") if "notify" in given else (),
        untaken=leads,
        says=says,
        third=_third(reader, given["third"]) if "third" in given else None,
        ring_back=ring_back(reader, given["ring_back"]) if "ring_back" in given else RING_BACK,
        owner_first="owner_first" in given and values.yes(reader, given["owner_first"], "owner_first", default=False),
        escalate=escalate(reader, given["escalate"]) if "escalate" in given else None,
        digest=digest(reader, given["digest"]) if "digest" in given else None,
    )


def ring_back(reader: Reader, node: Node) -> float:
    """Seconds from taking a call in which a lost line is rung back; 0 for never."""
    return values.lasts(reader, node, "ring_back", least=1, most=3600, default=RING_BACK)


def _third(reader: Reader, node: Node) -> Ref | None:
    text = reader.text(node, "third")
    return None if text is None else Ref(text, reader.place(node))
