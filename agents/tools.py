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
HAND_OVER = {
    "name": "hand_over",
    "description": (
        "Put the caller through to a human of the team. Call it once the caller is worth a colleague's time, by what you "
        "were told to find out, and agrees to be put through. Never promise anybody before it has answered."
    ),
    "parameters": {
        "type": "object",
        "properties": {"reason": {"type": "string", "description": "what the colleague should know, in a few words"}},
        "required": ["reason"],
        "additionalProperties": False,
    },
}
MESSAGE = {
    "name": "leave_message",
    "description": "Let the caller leave the team a message, when nobody can take the call and they would rather do so.",
    "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
}
END = {
    "name": "end_call",
    "description": "Hang up. Say goodbye first.",
    "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
}
