"""Whether a number that somebody wants never to be called again is on the list of those. Pure."""

from __future__ import annotations

from enum import StrEnum


class Entry(StrEnum):
    """How far that is, of the caller, or of whoever is called back."""

    NONE = ""
    """Nobody has asked for it."""
    ASKED = "asked"
    """Somebody has, and it isn't known yet whether it is done: another job does it once more."""
    ENTERED = "entered"
    FAILED = "failed"
    """It may be asked for again."""


def entry(entered: bool) -> Entry:
    """What has come of it."""
    return Entry.ENTERED if entered else Entry.FAILED
