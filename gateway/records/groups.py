"""How rows take in what is told of them, in any order and any number of times. Pure.

A row is made of groups of columns; of all that is told of a group, one telling stands: the earliest, or the newest,
by the group's first column. The choice is the least by a total order over whole tellings, so that merging is
commutative, associative and idempotent: whatever order events come in, and however often, the row is the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Row = Mapping[str, object]
"""Column → value; times are seconds since the epoch (UTC), rounded to microseconds."""


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that are told together; `columns[0]` is when."""

    columns: tuple[str, ...]
    newest: bool = False
    """The newest telling stands, not the earliest."""
    weak: Callable[[Row], bool] = lambda _: False
    """A telling that any other one outdoes, whenever it came."""

    def told(self, row: Row) -> bool:
        """Whether anything was told of the group."""
        return any(row.get(column) is not None for column in self.columns)

    def choose(self, one: Row, other: Row) -> Row:
        """The telling that stands, of two rows; only this group's columns of it."""
        tellings = [self._part(row) for row in (one, other) if self.told(row)]
        return min(tellings, key=self._rank, default={})

    def _part(self, row: Row) -> Row:
        return {column: row.get(column) for column in self.columns}

    def _rank(self, part: Row) -> tuple[object, ...]:
        at = part[self.columns[0]]
        when = (1, 0.0) if not isinstance(at, int | float) else (0, -float(at) if self.newest else float(at))
        missing = sum(value is None for value in part.values())
        return (self.weak(part), *when, missing, canonical(part))


def merge(groups: tuple[Group, ...], one: Row, other: Row) -> dict[str, object]:
    """The row that both tell; columns of no group come from either."""
    merged = {**one, **other}
    for group in groups:
        merged.update(group.choose(one, other))
    return merged


def merge_fields(one: Row, other: Row) -> dict[str, object]:
    """Facts by name, the newest telling of each: {"name": {"value": …, "at": seconds}} in, the same out."""
    merged: dict[str, object] = dict(one)
    for name, told in other.items():
        merged[name] = max((told, merged[name]), key=_fact_rank) if name in merged else told
    return merged


def _fact_rank(told: object) -> tuple[float, str]:
    at = told.get("at") if isinstance(told, Mapping) else None
    return (float(at) if isinstance(at, int | float) else float("-inf"), canonical(told))


def canonical(value: object) -> str:
    """A value's one text, to compare by where nothing better tells two apart."""
    return json.dumps(value, sort_keys=True, default=str)
