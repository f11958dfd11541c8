"""`routes`: what each does, and what comes instead. Reads the agents' facts files, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yaml.nodes import MappingNode, Node

from gateway.dialplan.actions import (
    DEAD_AIR_AFTER,
    INSTEAD,
    LANGUAGE,
    MACHINES,
    UNREADABLE,
    Action,
    Agent,
    Limits,
    Privacy,
    Reject,
    Route,
)
from gateway.dialplan.model import Callback, Ref
from gateway.dialplan.reading import values
from gateway.dialplan.reading.actions import ACTIONS, EXTRAS, action, notified
from gateway.dialplan.reading.context import Context
from gateway.dialplan.reading.hours import named_or_own
from gateway.dialplan.reading.nodes import Key, Reader
from gateway.dialplan.reading.outbound import transfer
from gateway.dialplan.reading.people import ring_back
from gateway.dialplan.reading.untaken import untaken
from gateway.dialplan.reading.words import unknown
from gateway.dialplan.untaken import UNANSWERED

ROUTE = (
    "language",
    "human",
    "handoff",
    "introduce",
    "ring_back",
    "transfer",
    "hours",
    *INSTEAD,
    "limits",
    "privacy",
    "seal_digits",
    "resume",
    "notify",
)
"""What any route may say beside its action; `_FITS` holds which of them an action has no use for."""
_FITS: Mapping[str, Sequence[str]] = {
    "agent": ("language", "human", "handoff", "introduce", "ring_back", "transfer", "hours", "closed", "full", "unanswered", "no_agent",
              "dead_air", "limits", "privacy", "seal_digits", "resume", "notify"),
    "menu": ("language", "human", "hours", "closed", "full", "dead_air", "limits", "privacy"),
    "team": ("language", "hours", "closed", "full", "unanswered", "limits", "privacy"),
    "dial": ("language", "hours", "closed", "full", "unanswered", "limits", "privacy"),
    "message": ("language", "hours", "closed", "full", "limits", "privacy"),
    "split": ("hours", "closed", "full", "limits"),
    "route": ("hours", "closed", "full", "limits"),
    "reject": ("hours", "closed"),
}  # fmt: skip
_OF_HANDOFF = ("introduce", "ring_back", "unanswered")
"""What an agent's route says about its handoff."""
_RECORD = ("never", "ask", "announce")
_PRIVACY = ("notice", "transcribe", "record", "keep", "declined")
_LONGEST_KEPT = 20 * 365 * 86400.0
DEAD_AIR = "dead_air"
_INLINE_CALLBACK = ("human", "no_agent", "dead_air")


def routes(reader: Reader, node: Node, context: Context, privacy: Mapping[str, Any]) -> list[Route]:
    """The routes of a file; `privacy` is what the plan says for all of them."""
    found = []
    for key, value in reader.mapping(node, "routes"):
        if values.is_name(reader, key):
            found.append(_route(reader, key, value, context, privacy))
    return found


def _route(reader: Reader, name: Key, node: Node, context: Context, privacy: Mapping[str, Any]) -> Route:
    given: dict[str, tuple[Key, Node]] = {}
    known = (*ACTIONS, *ROUTE, *dict.fromkeys(extra for extras in EXTRAS.values() for extra in extras))
    before = len(reader.findings)
    for key, value in reader.mapping(node, f"The route '{name.text}'", hint=f"Write {name.text}: {{agent: sales}}."):
        if key.text in known:
            given[key.text] = (key, value)
        else:
            unknown(reader, key.text, key.place, known, "in a route")
    kinds = [kind for kind in ACTIONS if kind in given]
    if not kinds:
        if len(reader.findings) == before:
            reader.fault(name.place, f"The route '{name.text}' does nothing.", f"Give it one of: {', '.join(ACTIONS)}.")
        return Route(name.text, name.place, UNREADABLE)
    kind = kinds[0]
    for other in kinds[1:]:
        what = f"The route '{name.text}' has '{kind}' and '{other}'; it can do one thing."
        reader.fault(given[other][0].place, what, "Keep one of them; make the other a route of its own.")
    _fit(reader, name.text, kind, given)
    made = action(reader, kind, {key: value for key, (_, value) in given.items()}, context)
    if made is None or len(kinds) > 1:
        made = UNREADABLE
    return _whole(reader, name, made, {key: value for key, (_, value) in given.items()}, context, privacy)


def _fit(reader: Reader, name: str, kind: str, given: Mapping[str, tuple[Key, Node]]) -> None:
    fits = {*_FITS[kind], *EXTRAS.get(kind, ()), *ACTIONS}
    for text, (key, _) in given.items():
        if text not in fits:
            what = f"'{text}' does nothing on the route '{name}', which is a '{kind}'."
            reader.fault(key.place, what, "Take it out.")
        elif kind == "agent" and text in _OF_HANDOFF and "handoff" not in given:
            what = f"'{text}' does nothing on the route '{name}': it is about a handoff."
            reader.fault(key.place, what, "Take it out, or add handoff: with a team's name.")


def _whole(
    reader: Reader, name: Key, made: Action, given: Mapping[str, Node], context: Context, privacy: Mapping[str, Any]
) -> Route:
    own = read_privacy(reader, given["privacy"]) if "privacy" in given else {}
    talking = not isinstance(made, Reject)
    notify, notify_team = notified(reader, given["notify"]) if "notify" in given else ((), None)
    instead: dict[str, Ref | Callback] = {}
    says: Mapping[str, str] = {}
    after = DEAD_AIR_AFTER
    for word in INSTEAD:
        if word == UNANSWERED and word in given:
            leads, says = untaken(reader, given[word], agent=isinstance(made, Agent))
            instead |= leads
            continue
        if word == DEAD_AIR and word in given:
            after, found = _dead_air(reader, given[word])
        elif word in given:
            found = values.onward(reader, given[word], word, callback=word in _INLINE_CALLBACK)
        else:
            continue
        if found:
            instead[word] = found
    return Route(
        name=name.text,
        place=name.place,
        action=made,
        language=(values.language(reader, given["language"]) if "language" in given else None) or LANGUAGE,
        human=values.onward(reader, given["human"], "human", callback=True) if "human" in given else None,
        handoff=reader.ref(given["handoff"], "handoff") if "handoff" in given else None,
        notify=notify,
        notify_team=notify_team,
        transfer=transfer(reader, given["transfer"], context) if "transfer" in given else None,
        introduce=_yes(reader, given, "introduce", default=True),
        ring_back=ring_back(reader, given["ring_back"]) if "ring_back" in given else None,
        hours=named_or_own(reader, name.text, given["hours"], context) if "hours" in given else None,
        instead=instead,
        says=says,
        limits=_limits(reader, given["limits"]) if "limits" in given else Limits(),
        privacy=Privacy(**{**privacy, **own}) if talking else Privacy(),
        dead_air=after,
        seal_digits=_yes(reader, given, "seal_digits"),
        resume=_yes(reader, given, "resume"),
    )


def _dead_air(reader: Reader, node: Node) -> tuple[float, Ref | Callback | None]:
    """How long it is waited for, and where it leads: as `onward`, or `{after: 8s, to: desk}`."""
    if not isinstance(node, MappingNode):
        return DEAD_AIR_AFTER, values.onward(reader, node, DEAD_AIR, callback=True)
    pairs = {key.text: (key, value) for key, value in reader.mapping(node, DEAD_AIR)}
    if "callback" in pairs:
        return DEAD_AIR_AFTER, values.onward(reader, node, DEAD_AIR, callback=True)
    after, found = DEAD_AIR_AFTER, None
    for key, value in pairs.values():
        if key.text == "after":
            after = values.duration(reader, value, "after", least=2, most=120, default=DEAD_AIR_AFTER)
        elif key.text == "to":
            found = values.onward(reader, value, DEAD_AIR, callback=True)
        else:
            unknown(reader, key.text, key.place, ("after", "to", "callback"), "in dead_air")
    return after, found


def _yes(reader: Reader, given: Mapping[str, Node], word: str, *, default: bool = False) -> bool:
    return values.yes(reader, given[word], word, default=default) if word in given else default


def _limits(reader: Reader, node: Node) -> Limits:
    calls, minutes, machines = 0, 0.0, MACHINES
    for key, value in reader.mapping(node, "limits"):
        if key.text == "calls":
            calls = values.count(reader, value, "calls", least=1, most=100_000, default=0)
        elif key.text == "minutes":
            minutes = float(values.count(reader, value, "minutes", least=1, most=1440, default=0))
        elif key.text == "machines":
            machines = values.duration(reader, value, "machines", least=5, most=3600, default=MACHINES)
        else:
            unknown(reader, key.text, key.place, ("calls", "minutes", "machines"), "in limits")
    return Limits(calls, minutes, machines)


def read_privacy(reader: Reader, node: Node) -> dict[str, Any]:
    """The fields of `Privacy` that are said."""
    said: dict[str, Any] = {}
    for key, value in reader.mapping(node, "privacy"):
        match key.text:
            case "notice":
                said["notice"] = reader.sentence(value, "notice")
            case "transcribe":
                said["transcribe"] = values.yes(reader, value, "transcribe", default=True)
            case "record":
                said["record"] = values.one_of(reader, value, "way to record", _RECORD, "never")
            case "keep":
                said["keep"] = values.duration(reader, value, "keep", least=3600, most=_LONGEST_KEPT, default=0)
            case "declined":
                said["declined"] = reader.ref(value, "declined")
            case _:
                unknown(reader, key.text, key.place, _PRIVACY, "in privacy")
    return said
