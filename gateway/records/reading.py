"""Values out of an event's JSON as every database takes them: no NUL, no lone surrogate, no NaN, no odd year. Pure.

What can't be used reads as None; an event must never stop the stream that it came in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

_FIRST, _LAST = 0.0, 253402300000.0
"""1970 and 9999, what every database and `datetime` can hold."""
_LARGEST = 2**31 - 1
_NAME = 255


def text(value: object) -> str | None:
    """A text; numbers and truth values as they are written."""
    if isinstance(value, bool | int | float):
        return str(value)
    return _storable(value) if isinstance(value, str) else None


def name(value: object) -> str | None:
    """An identifier or number: a text short enough for every database's index."""
    read = text(value)
    return read[:_NAME] if read else None


def whole(value: object) -> int | None:
    """A whole number that fits 32 bits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) <= _LARGEST else None


def measure(value: object) -> float | None:
    """A finite number that isn't negative."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _LAST else None


def instant(value: object) -> float | None:
    """Seconds since the epoch (UTC), rounded to the microsecond that databases keep."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(float(value), 6) if _FIRST <= value <= _LAST else None


def flag(value: object) -> bool:
    """A truth value; anything else is False."""
    return value is True


def mapping(value: object) -> dict[str, object]:
    """A JSON object, storable throughout; anything else is empty."""
    return {_storable(str(key)): _json(item) for key, item in value.items()} if isinstance(value, Mapping) else {}


def _json(value: object) -> object:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return mapping(value)
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value if value is None or isinstance(value, bool | int) else str(value)


def _storable(value: str) -> str:
    return value.replace("\x00", "").encode("utf-8", "replace").decode()
