"""Keys that mean the same wherever a caller is. Pure."""

from __future__ import annotations

PERSON = "0"
"""The key that leads to a person, whoever talks: a menu, an agent, the house that asks for a message."""
