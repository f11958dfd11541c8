"""The tools that every talking agent has beside saving facts, as a model is told of them. Pure."""

from __future__ import annotations

from gateway.terms.call import Brief

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
        "were told to find out, and agrees to be put through. Never promise anybody before it has answered; who can be put through is told so by the house."
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


def transfer(brief: Brief) -> dict[str, object]:
    """The tool by which callers are put through, to whom the route allows and nobody else."""
    to: dict[str, object] = {
        "type": "string",
        "description": "who, by one of these names",
        "enum": list(brief.transfers),
    }
    if brief.transfers_numbers:
        to = {"type": "string", "description": f"{', '.join((*brief.transfers, 'or'))} a number such as +15105550100"}
    return {
        "name": "transfer_call",
        "description": "Put the caller through to somebody: the call leaves you, unless they aren't reached.",
        "parameters": {"type": "object", "properties": {"to": to}, "required": ["to"], "additionalProperties": False},
    }
