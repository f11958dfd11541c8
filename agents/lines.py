"""What the house says word for word, by language."""

from __future__ import annotations

_NOTICE = "I'm an automated assistant. For a person, say person or press zero."


def notice(language: str) -> str:
    """The first words of every call with an agent: that it is automated, and the way to a person."""
    return _NOTICE
