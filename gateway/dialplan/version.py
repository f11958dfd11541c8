"""A version of the dial plan: what was in force, since when, and whose doing it was. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """How a version came to be."""

    APPLY = "apply"
    SAVE = "save"
    """Files were saved where a control watches them."""
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Version:
    """One version. Times are seconds since the epoch (UTC)."""

    number: int
    content: str
    """Hash of the files: what a call's record names."""
    author: str
    made: float
    effective: float
    """From when on it is in force: `made` for one that counts at once, later for one that waits for its time."""
    message: str
    source: Source
    of: int = 0
    """The version that a rollback restored; 0 for others."""
    withdrawn: float | None = None
    """When a scheduled version was taken back."""
