"""The tools that every talking agent has beside saving facts, as a model is told of them. Pure."""

from __future__ import annotations

PERSON = {
    "name": "ask_for_person",
    "description": "Get the caller a person: call it as soon as they ask for one.",
    "parameters": {
        "type": "object",
        "properties": {"reason": {"type": "string", "description": "why, in a few words"}},
        "required": ["reason"],
        "additionalProperties": False,
    },
}
END = {
    "name": "end_call",
    "description": "Hang up. Say goodbye first.",
    "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
}
