"""What a plan must know of the trunk file. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dialplan.numbers import Pattern


@dataclass(frozen=True, slots=True)
class Trunks:
    """The trunks of one file."""

    carried: tuple[Pattern, ...] | None = None
    """The numbers that the inbound trunk takes calls for; None for every number."""
    outbound: frozenset[str] = frozenset()
    """The outbound trunks' names, case folded."""
    default: bool = False
    """Whether one of them is called by for plain numbers."""
