"""What tools answer, as the model reads it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping


def failed(result: str) -> bool:
    """Whether the tool couldn't do it."""
    if result.lower().startswith(("error", "an internal error")):
        return True
    told = _json(result)
    return isinstance(told, Mapping) and bool(told.get("error"))


def to_say(result: str) -> str:
    """What the tool wants the caller to be told; "" for nothing."""
    told = _json(result)
    if isinstance(told, Mapping) and isinstance(told.get("say"), str):
        return str(told["say"]).strip()
    return result[4:].strip() if result.lower().startswith("say:") else ""


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
