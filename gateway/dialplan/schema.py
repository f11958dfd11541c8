"""The JSON Schema of a plan's files: what editors complete and underline. Pure.

It is looser than `check`, which alone sees the whole plan: a schema can't tell that a route exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.dialplan.actions import INSTEAD
from gateway.dialplan.people import RINGS
from gateway.dialplan.reading.outbound import WAYS
from gateway.dialplan.reading.untaken import OTHERWISE
from gateway.dialplan.untaken import ENDINGS
from gateway.terms.catalogue import Catalogue

Schema = dict[str, object]


def schema(catalogue: Catalogue) -> Schema:
    """JSON Schema, draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "offhook dial plan",
        "type": "object",
        "required": ["offhook"],
        "additionalProperties": False,
        "properties": {
            "offhook": {"const": 1, "description": "Version of the plan language."},
            "timezone": _text("The zone that hours and times are read in: America/New_York."),
            "country": {"type": "string", "pattern": "^[A-Za-z]{2}$", "description": "Reads national numbers: US."},
            "human": {**_ref("onward"), "description": "Where a caller goes who asks for a person."},
            "privacy": _ref("privacy"),
            "outbound": _ref("outbound"),
            "numbers": _ref("numbers"),
            "callers": {"type": "array", "items": _ref("caller")},
            "hours": _named("hours"),
            "routes": _named("route"),
            "people": _named("person"),
            "teams": _named("team"),
            "tests": {"type": "array", "items": _ref("test")},
        },
        "$defs": {**_words(), **_sections(), **_outbound(), **_route(catalogue), **_people()},
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _named(name: str) -> Schema:
    return {"type": "object", "additionalProperties": _ref(name)}


def _object(properties: Mapping[str, object], required: Sequence[str] = (), **more: object) -> Schema:
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False, **more}
    return {**made, "required": list(required)} if required else made


def _listed(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _words() -> Schema:
    """What stands in many places."""
    name = {"type": ["string", "integer"]}
    duration = {"type": "string", "pattern": r"^(\d+(\.\d+)?\s*[A-Za-z]+\s*)+$", "description": "25s, 10m, 1h, 30d."}
    callback = _object(
        {
            "callback": _object(
                {
                    **dict.fromkeys(("within", "every"), _ref("duration")),
                    "team": name,
                    "tries": {"type": "integer", "minimum": 1, "maximum": 10},
                }
            )
        }
    )
    return {
        "text": name,
        "duration": duration,
        "ring_back": {
            "anyOf": [{"type": "boolean"}, {"enum": ["yes", "no"]}, duration],
            "description": "How soon after they took a call a member whose line is lost, or who hangs up without a goodbye, is rung back; no for never.",
        },
        "onward": {"anyOf": [name, callback]},
        "untaken": {
            "anyOf": [_ref("onward"), _object(dict.fromkeys((*ENDINGS.values(), OTHERWISE), _ref("step")))],
            "description": "Where callers go whom nobody took: all alike, or by how that ended.",
        },
        "step": {
            "anyOf": [
                _ref("onward"),
                _object({"say": _text("What the caller is told first."), "to": _ref("onward")}),
            ]
        },
        "key": {"type": "object", "propertyNames": {"pattern": "^[0-9*#]$"}, "additionalProperties": name},
    }


def _sections() -> Schema:
    """Who calls which number when, what they are promised, and the plan's tests."""
    name = {"type": ["string", "integer"]}
    return {
        "numbers": {
            "type": "object",
            "properties": {"file": _listed(_text("A CSV file with a number and a route in each line."))},
            "additionalProperties": {**name, "description": "The number's route."},
        },
        "caller": _object(
            {
                "from": {"anyOf": [_listed(dict(name)), _object({"file": _text("A CSV file of numbers.")})]},
                "to": _listed(dict(name)),
                "diverted_from": _listed(dict(name)),
                "attestation": _listed({"enum": ["A", "B", "C", "none"]}),
                "hours": _ref("hours"),
                "route": name,
            },
            ["route"],
        ),
        "hours": {"anyOf": [{"type": "string"}, _hours()]},
        "privacy": _object(
            {
                "notice": _text("Said before anything else."),
                "transcribe": {"type": ["boolean", "string"]},
                "record": {"enum": ["never", "ask", "announce"]},
                "keep": _ref("duration"),
                "declined": name,
            }
        ),
        "test": _object(
            {
                **dict.fromkeys(("to", "from", "at", "expect", "why", "digits"), name),
                "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                "calls": {"type": "integer", "minimum": 0},
            },
            ["to", "expect"],
        ),
    }


def _hours() -> Schema:
    return _object(
        {
            "open": _text("Mo-Fr 09:00-18:00 (OpenStreetMap's opening_hours), Mon-Fri 9-5, or 24/7."),
            "holidays": _text("A country, or a region of one: US, GB-ENG."),
            "works_on": _listed(_text("A holiday on which one works.")),
            "closed_on": _listed(_text("2026-11-27, 2026-12-24 - 2027-01-02, or Dec 24.")),
            "timezone": _text("Another zone than the plan's."),
        },
        ["open"],
    )


def _outbound() -> Schema:
    prefixes = _listed({"type": ["string", "integer"], "description": "How numbers begin: +44 20."})
    count: Schema = {"type": "integer", "minimum": 0}
    money: Schema = {"type": ["number", "string"], "minimum": 0}
    targets = {"type": "object", "additionalProperties": _ref("text")}
    people = _listed(_ref("text"))
    return {
        "outbound": _object(
            {
                "countries": _listed({"type": "string", "pattern": "^[A-Za-z]{2}$"}),
                "prefixes": prefixes,
                "costly": prefixes,
                "caps": _object(dict.fromkeys(("call", "caller", "route"), count)),
                "spend": _object(
                    {
                        "a_day": money,
                        "minute": {"type": "object", "additionalProperties": money},
                        "minutes": {"type": "integer", "minimum": 1},
                    }
                ),
            }
        ),
        "transfer": {
            "anyOf": [
                people,
                _object(
                    {
                        "to": {"anyOf": [targets, people]},
                        "numbers": {"type": ["boolean", "string"]},
                        "by": {"enum": list(WAYS)},
                        "ring": _ref("duration"),
                    }
                ),
            ]
        },
    }


def _route(catalogue: Catalogue) -> Schema:
    by_agent = [
        {
            "if": {"properties": {"agent": {"const": card.name}}, "required": ["agent"]},
            "then": {"properties": {"settings": dict(card.settings_schema)}},
        }
        for card in catalogue.values()
    ]
    kinds = ("agent", "menu", "team", "dial", "message", "split", "reject", "route")
    one = [{"required": [kind]} for kind in kinds]
    return {"route": _object({**_actions(catalogue), **_of_any_route()}, oneOf=one, allOf=by_agent)}


def _actions(catalogue: Catalogue) -> Schema:
    """What a route does."""
    name = _ref("text")
    menu = {
        "say": _text("What callers hear: a sentence, or the name of a WAV file beside the plan."),
        "speech": name,
        "silence": name,
        "wait": _ref("duration"),
        "tries": {"type": "integer", "minimum": 1, "maximum": 10},
    }
    words = {
        word: _text("Words for this case, with {reopens} in them, or a WAV file's name.")
        for word in ("say", *INSTEAD, "otherwise")
    }
    wait = {
        "music": _text("default, or the name of a WAV file beside the plan."),
        **dict.fromkeys(("announce_every", "at_most"), _ref("duration")),
    }
    return {
        "agent": {"enum": sorted(catalogue)},
        "greeting": _text("The agent's first words."),
        "settings": {"type": "object"},
        "menu": _object(menu, ["say"], patternProperties={"^[0-9*#]$": name}),
        "team": name,
        "wait": _object({**wait, "press": _ref("key")}),
        "dial": name,
        "ring": _ref("duration"),
        "message": {
            "anyOf": [
                {"type": "string"},
                _object({**words, "at_most": _ref("duration"), "notify": _listed({"type": "string"})}),
            ]
        },
        "split": {
            "type": "object",
            "propertyNames": {"pattern": r"^\d{1,3}(\.\d+)?\s*%$"},
            "additionalProperties": name,
        },
        "reject": {"type": ["integer", "string"], "minimum": 400, "maximum": 699},
        "route": name,
    }


def _of_any_route() -> Schema:
    """What a route may say besides, whatever it does."""
    name = _ref("text")
    return {
        **{word: _ref("onward") for word in (*INSTEAD, "human")},
        "unanswered": _ref("untaken"),
        "dead_air": {"anyOf": [_ref("onward"), _object({"after": _ref("duration"), "to": _ref("onward")})]},
        "language": _text("A tag such as en-US."),
        "handoff": name,
        "notify": _listed(_text("Whom a lead is told to: an address, or a team.")),
        "transfer": _ref("transfer"),
        "introduce": {"type": ["boolean", "string"]},
        "ring_back": _ref("ring_back"),
        "hours": _ref("hours"),
        "limits": _object(
            {
                **{key: {"type": "integer", "minimum": 1} for key in ("calls", "minutes")},
                "machines": _ref("duration"),
            }
        ),
        "privacy": _ref("privacy"),
        "seal_digits": {"type": ["boolean", "string"]},
        "resume": {"type": ["boolean", "string"]},
    }


def _people() -> Schema:
    name = _ref("text")
    rotate = _object(
        {"every": _ref("duration"), "from": _text("2026-11-23 09:00"), "order": {"type": "array", "items": name}},
        ["order"],
    )
    return {
        "person": _object(
            {
                "call": {**name, "description": "A number, or sip:USER@TRUNK."},
                "browser": {
                    "type": ["boolean", "string"],
                    "description": "Whether the link of a card takes the call in the browser: yes, no, or their own name for yes.",
                },
                "languages": _listed({"type": "string"}),
                "notify": _listed(_text("mailto:NAME@HOST, sms:+1…, or https://HOST/PATH")),
                "hours": _ref("hours"),
                "rotate": rotate,
            }
        ),
        "team": _object(
            {
                "ring": {"enum": list(RINGS)},
                "for": _ref("duration"),
                "members": _listed(dict(name)),
                "hours": _ref("hours"),
                "wrap_up": _ref("duration"),
                "notify": _listed(_text("mailto:NAME@HOST or https://HOST/PATH")),
                "unanswered": _ref("untaken"),
                "ring_back": _ref("ring_back"),
                "third": {**name, "description": "Whom a member may bring into a talk by *3, or ask in private by *8."},
                "owner_first": {"type": ["boolean", "string"]},
                "escalate": _object({"after": _ref("duration"), "to": _listed({"type": "string"})}, ["to"]),
                "digest": {
                    "anyOf": [
                        {"type": "string"},
                        _object({"at": _text("17:00"), "to": _listed({"type": "string"})}, ["at"]),
                    ]
                },
                "rotate": rotate,
            }
        ),
    }
