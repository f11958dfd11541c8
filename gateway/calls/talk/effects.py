"""By what an effect of a call is known, so that it is done once: the tool and its arguments in one canonical form. Pure.

A model that goes on with another's conversation calls a tool again with the same meaning and other writing: keys in
another order, blanks, a null in place of nothing, 5.0 for 5.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping


def key(tool: str, arguments: Mapping[str, object]) -> str:
    """The effect's key within its call: a digest, for what it is made of may be personal."""
    return hashlib.sha256(canonical(tool, arguments).encode()).hexdigest()[:32]


def canonical(tool: str, arguments: Mapping[str, object]) -> str:
    """The form that the key is made of. Raises TypeError for what JSON doesn't have."""
    return json.dumps([tool, _plain(arguments)], sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _plain(value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case float():
            return int(value) if value.is_integer() else value
        case str():
            return " ".join(unicodedata.normalize("NFC", value).split())
        case Mapping():
            plain = {str(name): _plain(one) for name, one in value.items()}
            return {name: one for name, one in plain.items() if one not in (None, "", [], {})}
        case list() | tuple():
            return [_plain(one) for one in value]
    raise TypeError(f"{type(value).__name__} is nothing that a tool is called with.")
