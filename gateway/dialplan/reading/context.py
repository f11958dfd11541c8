"""What every part of a plan is read by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from yaml.nodes import Node

from gateway.dialplan.hours import Hours
from gateway.dialplan.model import Place
from gateway.dialplan.numbers import Pattern, read
from gateway.dialplan.reading.nodes import Key, Reader
from gateway.terms.catalogue import Catalogue
from gateway.terms.emergency import never_dialed
from gateway.terms.number import e164


@dataclass(frozen=True, slots=True)
class Context:
    """What the plan says once, for all its files."""

    country: str
    """ISO 3166 code; "" when the plan names none."""
    timezone: str
    """IANA name."""
    catalogue: Catalogue
    directory: Path
    """Where the plan's files, and those they name, lie."""
    named: set[str] = field(default_factory=set)
    """Facts files that routes name."""
    sounds: list[tuple[str, Place]] = field(default_factory=list)
    """WAV files that stand in place of words."""
    hours: list[tuple[Key, Hours]] = field(default_factory=list)
    """Hours that are written where they are used."""

    def patterns(self, reader: Reader, written: Sequence[tuple[str, Place]]) -> list[Pattern]:
        """The patterns that the texts mean; notes those that mean none."""
        found = []
        for text, place in written:
            try:
                found.append(read(text, self.country))
            except ValueError as bad:
                what, _, remedy = str(bad).partition(". ")
                reader.fault(place, f"{what}.", remedy)
        return found

    def dialable(self, reader: Reader, node: Node, address: str) -> bool:
        """Whether a number or SIP address may be called; notes it when it never is."""
        if not never_dialed(address, self.country):
            return True
        reader.fault(
            node,
            f"'{address}' is an emergency or short number, and those are never dialed for a caller.",
            "Name somebody's own number. A caller in danger is told to hang up and dial it themselves.",
        )
        return False

    def e164(self, text: str) -> str:
        """The number in E.164, or ""."""
        return e164(text, self.country) or ""
