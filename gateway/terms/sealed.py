"""How a sealed value is known and shown. Pure: `gateway.calls.sealed` seals and opens."""

from __future__ import annotations

MARK = "sealed:1:"
"""Begins every sealed value; the number is that of the way it is sealed."""
SHOWN = "sealed"
"""What a person is shown of it."""
HIDDEN = "••••"
"""What stands in a transcript for keys that are sealed, however many there were."""


def is_sealed(value: object) -> bool:
    """Whether it is a sealed value."""
    return isinstance(value, str) and value.startswith(MARK)
