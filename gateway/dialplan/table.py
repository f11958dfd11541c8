"""Numbers with their routes, as many as a CSV file has: looked up in microseconds, kept in arrays. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.dialplan.model import Entry, Place

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Table:
    """Exact numbers and their routes. Equal by file and content."""

    file: str
    digest: str
    """Hash of the file, and of the country that it was read by."""
    country: str
    entries: Sequence[Entry] = field(repr=False)
    """The lines that aren't plain numbers."""
    routes: Sequence[str] = field(repr=False)
    """The names of all routes that it leads to."""
    clean: bool
    """Nothing is wrong with it."""
    routed: bool = field(repr=False)
    """Its lines name routes; else it is a list of numbers."""
    data: bytes = field(repr=False)
    """The file."""
    numbers: Ints = field(repr=False)
    """E.164 without the plus, ascending."""
    route_of: NDArray[np.int32] = field(repr=False)
    """Of each number, its route's place in `names`; and its line."""
    line_of: NDArray[np.int32] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)

    def find(self, key: str) -> tuple[str, Place] | None:
        """The route of a normalised number, and its line; "" for the route where the file names none."""
        digits = key[1:]
        if key[:1] != "+" or not digits.isdigit() or not digits.isascii() or digits[0] == "0" or len(digits) > 18:
            return None
        wanted = int(digits)
        place = int(self.numbers.searchsorted(wanted))
        if place == len(self.numbers) or self.numbers[place] != wanted:
            return None
        return self.names[self.route_of[place]], Place(self.file, int(self.line_of[place]), 1)

    def __len__(self) -> int:
        return len(self.numbers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and (self.file, self.digest) == (other.file, other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)

    def leads_into(self, routes: Collection[str]) -> bool:
        """Whether every route that it leads to is one of these."""
        return set(self.routes) <= {*routes, ""}

    def serves(self, file: str, country: str, routes: Collection[str] | None) -> bool:
        """Whether lines that haven't changed since would be read just so again."""
        same = (self.file, self.country, self.routed) == (file, country, routes is not None)
        return self.clean and same and (routes is None or self.leads_into(routes))

    def shared(self, other: Table) -> str:
        """A number that both tables hold; "" for none."""
        both = np.intersect1d(self.numbers, other.numbers, assume_unique=self.clean and other.clean)
        return f"+{both[0]}" if len(both) else ""

    def items(self) -> Iterator[tuple[str, str]]:
        """Every number with its route."""
        for number, route in zip(self.numbers.tolist(), self.route_of.tolist(), strict=True):
            yield f"+{number}", self.names[route]
