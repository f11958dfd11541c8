"""Where things are written in a plan, what is wrong there, and names that lead from one place to another."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.dialplan.numbers import Pattern


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


class Severity(StrEnum):
    """What a finding does to a plan."""

    ERROR = "error"
    """The plan can't be put in force."""
    WARNING = "warning"
    """It can, and somebody should look."""
    NOTE = "note"
    """Nothing is wrong; somebody may want to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a plan, for the operator."""

    place: Place
    what: str
    remedy: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        kind = "" if self.severity is Severity.ERROR else f"{self.severity.value}: "
        return f"{self.place.file}:{self.place.line}:{self.place.column}: {kind}{self.what} {self.remedy}".rstrip()


@dataclass(frozen=True, slots=True)
class Ref:
    """A name that leads to something else in the plan, and where it is written. Equal by name."""

    name: str
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `numbers`."""

    pattern: Pattern
    route: str
    place: Place
    written: str = ""
    """As the operator wrote it."""


@dataclass(frozen=True, slots=True)
class Callback:
    """Instead of a person: the caller is called back."""

    within: float = 3600.0
    """Seconds."""
    team: Ref | None = None
    """Whose people call back; None where callbacks are listed, for somebody to make by hand."""
    tries: int = 3
    """Times that the caller is called at most."""
    every: float = 900.0
    """Seconds from one time to the next."""
